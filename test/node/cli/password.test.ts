import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { askPassword, choosePassword, type PasswordSource } from '../../../node/cli/password.ts';

/** A terminal into which somebody types. */
function terminal(): { source: PasswordSource; type(text: string): void; shown(): string; raw(): boolean } {
  const state = { shown: '', raw: false };
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode(raw: boolean) {
      state.raw = raw;
    },
  });
  const stderr = {
    write(text: string) {
      state.shown += text;
      return true;
    },
  };
  return {
    source: {
      file: undefined,
      stdin: stdin as unknown as ReadStream,
      stderr: stderr as unknown as WriteStream,
    },
    type: (text) => void stdin.write(text),
    shown: () => state.shown,
    raw: () => state.raw,
  };
}

describe('a password', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ravel-password-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('is typed without being shown, and may be corrected', async () => {
    const { source, type, shown, raw } = terminal();
    const answer = askPassword(source);
    assert(raw(), 'the terminal does not echo');
    type('wrogn');
    type('\u007f\u007fng word\r');
    assert.equal(await answer, 'wrong word');
    assert.equal(shown(), 'Password of the wallet: \n');
    assert(!raw(), 'the terminal is as it was');
  });

  it('that is new is typed twice, and has to be the same', async () => {
    const { source, type } = terminal();
    const chosen = choosePassword(source);
    type('long enough\r');
    await new Promise(setImmediate);
    type('long enough\n');
    assert.equal(await chosen, 'long enough');
    const other = terminal();
    const refused = choosePassword(other.source);
    other.type('long enough\r');
    await new Promise(setImmediate);
    other.type('long enuogh\r');
    await assert.rejects(refused, { message: 'The two passwords differ. Run the command again.' });
  });

  it('that is new and short is refused', async () => {
    const { source, type } = terminal();
    const chosen = choosePassword(source);
    type('short\r');
    await assert.rejects(chosen, /has 5 characters. Choose one with at least 8/);
  });

  it('is not waited for after Ctrl+C or Ctrl+D', async () => {
    for (const key of ['\u0003', '\u0004']) {
      const { source, type, raw } = terminal();
      const answer = askPassword(source);
      type(`abc${key}`);
      await assert.rejects(answer, { exit: 130 });
      assert(!raw());
    }
  });

  it('comes from a file without its line break', async () => {
    const file = path.join(folder, 'password');
    await writeFile(file, ' with blanks \r\n');
    assert.equal(await askPassword({ ...terminal().source, file }), ' with blanks ');
  });

  it('file that is none is refused', async () => {
    const file = path.join(folder, 'large');
    await writeFile(file, 'x'.repeat(2_000));
    await assert.rejects(
      askPassword({ ...terminal().source, file }),
      /has more than 1024 bytes and is no password/,
    );
  });

  it('cannot be asked for without a terminal, which is said with the cure', async () => {
    const { source } = terminal();
    const stdin = { isTTY: false } as unknown as ReadStream;
    await assert.rejects(
      askPassword({ ...source, stdin }),
      /Use --password-file FILE or RAVEL_PASSWORD_FILE/,
    );
  });
});
