import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { createLog, type LogOptions } from '../../node/log.ts';

function logTo(options: LogOptions, isTerminal: boolean) {
  const lines: string[] = [];
  return { log: createLog(options, { isTerminal, lines: { write: (line) => lines.push(line) } }), lines };
}

describe('the log', () => {
  it('writes one JSON object a line, with the level in words and the part that wrote it', () => {
    const { log, lines } = logTo({ level: 'info', format: 'json' }, true);
    log.child('peers', { peer: 'x' }).warn({ points: 7 }, 'A peer was cut');
    log.debug({}, 'too fine');
    assert.equal(lines.length, 1);
    const { level, part, peer, points, msg, time } = JSON.parse(lines[0]!);
    assert.deepEqual(
      { level, part, peer, points, msg },
      { level: 'warn', part: 'peers', peer: 'x', points: 7, msg: 'A peer was cut' },
    );
    assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('is for people only at a terminal', () => {
    const person = logTo({ level: 'info', format: 'pretty' }, true);
    person.log.info({ round: 3 }, 'Started');
    assert.match(
      stripVTControlCharacters(person.lines.join('')),
      /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: Started\n\s+round: 3\n$/,
    );
    const file = logTo({ level: 'info', format: 'pretty' }, false);
    file.log.info({ round: 3 }, 'Started');
    assert.equal(JSON.parse(file.lines[0]!).round, 3);
  });

  it('shows errors with their stack and never a secret', () => {
    const { log, lines } = logTo({ level: 'debug', format: 'json' }, false);
    log.error({ err: new Error('disk') }, 'Stopped');
    assert.match(JSON.parse(lines[0]!).err.stack, /Error: disk\n/);
    log.info({ seed: 'a', options: { identitySeed: 'b', password: 'c', port: 1 } }, 'Options');
    const line = JSON.parse(lines[1]!);
    assert.deepEqual(
      [line.seed, line.options],
      ['[Redacted]', { identitySeed: '[Redacted]', password: '[Redacted]', port: 1 }],
    );
  });

  it('can be silent', () => {
    const { log, lines } = logTo({ level: 'silent', format: 'json' }, false);
    log.error({}, 'nobody hears this');
    assert.deepEqual(lines, []);
  });
});
