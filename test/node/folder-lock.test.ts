import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { lockFolder } from '../../node/folder-lock.ts';

const HOLDER = path.join(import.meta.dirname, 'lock-holder.ts');

describe('the lock of a folder', function () {
  this.timeout(20_000);
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = path.join(await mkdtemp(path.join(tmpdir(), 'ravel-lock-')), 'data');
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(path.dirname(folder), { recursive: true });
  });

  async function hold(): Promise<{ child: ChildProcess; said: string }> {
    const child = spawn(process.execPath, [HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [said] = await once(child.stdout, 'data');
    return { child, said: String(said).trim() };
  }

  it('makes the folder, is one for one process, and leaves nothing behind', async () => {
    const lock = await lockFolder(folder);
    assert.deepEqual(await readdir(folder), ['ravel.lock']);
    await assert.rejects(lockFolder(folder), {
      code: 'folder_locked',
      message: new RegExp(`used by this process \\(${process.pid}\\)`),
    });
    await lock[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(folder), []);
    await (await lockFolder(folder))[Symbol.asyncDispose]();
  });

  it('names the process that has it, and passes to the next one when that process is killed', async () => {
    const { child, said } = await hold();
    assert.equal(said, 'locked');
    await assert.rejects(lockFolder(folder), {
      code: 'folder_locked',
      message: `${folder} is used by process ${child.pid}. Stop it first, or choose another folder.`,
    });
    process.kill(child.pid!, 'SIGKILL');
    await once(child, 'exit');
    await using _ = await lockFolder(folder);
    assert.equal(JSON.parse(await readFile(path.join(folder, 'ravel.lock'), 'utf8')).pid, process.pid);
    assert.deepEqual(await readdir(folder), ['ravel.lock']);
  });

  it('passes from a dead process to exactly one of several that want it', async () => {
    const { child } = await hold();
    process.kill(child.pid!, 'SIGKILL');
    await once(child, 'exit');
    const said = await Promise.all([hold(), hold(), hold(), hold()]);
    assert.equal(
      said.filter((one) => one.said === 'locked').length,
      1,
      said.map((one) => one.said).join('\n'),
    );
  });

  const OWN = { pid: process.pid, host: hostname() };
  const rows: [rule: string, text: string, refused: RegExp | undefined][] = [
    [
      'is taken from a process whose id another one has now',
      JSON.stringify({ ...OWN, startedTicks: 1 }),
      undefined,
    ],
    ['is taken when it was cut off by a loss of power', '', undefined],
    ['is taken when it says nothing that we wrote', '{"pid":"x"}', undefined],
    [
      'is left to a process of another machine',
      JSON.stringify({ pid: 1, host: 'elsewhere' }),
      /on the machine elsewhere\. When that process has ended, remove .*ravel\.lock/,
    ],
  ];
  for (const [rule, text, refused] of rows) {
    it(rule, async function () {
      if (process.platform !== 'linux') this.skip();
      await (await lockFolder(folder))[Symbol.asyncDispose]();
      await writeFile(path.join(folder, 'ravel.lock'), text);
      if (refused !== undefined) return assert.rejects(lockFolder(folder), { message: refused });
      await (await lockFolder(folder))[Symbol.asyncDispose]();
    });
  }
});
