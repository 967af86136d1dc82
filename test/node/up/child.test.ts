import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describeExit, lastWords, startChild } from '../../../node/up/child.ts';
import { eventually } from '../../end-to-end/deadline.ts';

const PROGRAM = path.join(import.meta.dirname, 'child-program.ts');

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a child of ravel up', () => {
  let folder: string;
  let logFile: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ravel-child-'));
    logFile = path.join(folder, 'child.log');
  });
  after(() => rm(folder, { recursive: true }));

  it('hears and answers whole objects, bytes among them', async () => {
    const child = await startChild({ name: 'echo', module: PROGRAM, args: [], logFile });
    const answer = new Promise((resolve) =>
      child.onMessage((message) => 'echo' in (message as object) && resolve(message)),
    );
    child.send({ bytes: Uint8Array.of(1, 2), text: 'x' });
    assert.deepEqual(await answer, { echo: { bytes: Uint8Array.of(1, 2), text: 'x' } });
    await child.end();
    assert(!lives(child.pid));
    assert.deepEqual(await child.exited, { code: null, signal: 'SIGTERM', expected: true });
    child.send({ nobody: 'hears this' });
    await child.end();
  });

  it('that ends by itself is told from one that was ended, with its last words', async () => {
    const child = await startChild({ name: 'failing', module: PROGRAM, args: ['fail'], logFile });
    const exit = await child.exited;
    assert.deepEqual(exit, { code: 3, signal: null, expected: false });
    assert.equal(describeExit(exit), 'exit code 3');
    assert.equal(lastWords(child), 'ravel: The disk is full. Make room.');
  });

  it('that does not listen is killed', async () => {
    const child = await startChild({
      name: 'deaf',
      module: PROGRAM,
      args: ['deaf'],
      logFile,
      endGraceMs: 100,
    });
    await new Promise<void>((resolve) => child.onMessage(() => resolve()));
    await child.end();
    assert.deepEqual(await child.exited, { code: null, signal: 'SIGKILL', expected: true });
  });

  it('ends when ravel up is killed and can end nothing any more', async () => {
    const parent = fork(path.join(import.meta.dirname, 'parent-program.ts'), [logFile], { execArgv: [] });
    const [{ pid }] = await new Promise<[{ pid: number }]>((resolve) =>
      parent.once('message', (message) => resolve([message as { pid: number }])),
    );
    assert(lives(pid));
    parent.kill('SIGKILL');
    await eventually('the grandchild is gone', () => !lives(pid));
  });
});
