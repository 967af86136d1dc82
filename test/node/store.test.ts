import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Level } from 'level';
import { Store } from '../../node/store.ts';
import { storeErrorOf } from '../../node/store-error.ts';
import { GENESIS_A, numberOf, range, storeContract, vertexOf } from '../contracts/store.contract.ts';

const folders: string[] = [];

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ravel-store-'));
  folders.push(folder);
  return path.join(folder, 'db');
}

after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

storeContract('LevelDB', async () => {
  const folder = await freshFolder();
  return { open: (genesisId) => Store.open(folder, { genesisId }) };
});

const WRITER = path.join(import.meta.dirname, 'store-writer.ts');

/** Runs the writer and kills it once it has acknowledged `kills` lines; returns the last acknowledged length. */
async function writeUntilKilled(folder: string, batch: number, lines: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, folder, String(batch)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let acknowledged = 0;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    seen += 1;
    if (seen === lines) process.kill(child.pid!, 'SIGKILL');
  }
  await ended;
  assert.ok(seen >= lines, 'the writer ran until it was killed');
  return acknowledged;
}

/** xorshift32: chance with a seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

describe('a store that is killed', () => {
  it('has every acknowledged vertex, in order and without a gap, however often it happens', async function () {
    this.timeout(60_000);
    const seed = 20261121;
    const chance = random(seed);
    const folder = await freshFolder();
    for (let kill = 0; kill < 5; kill++) {
      const batch = 1 + Math.floor(chance() * 300);
      const acknowledged = await writeUntilKilled(folder, batch, 1 + Math.floor(chance() * 40));
      await using store = await Store.open(folder, { genesisId: GENESIS_A });
      assert.ok(store.length >= acknowledged, `seed ${seed}: ${store.length} of ${acknowledged}`);
      let next = 0;
      for await (const { sequence, bytes } of store.load()) {
        assert.deepEqual([sequence, numberOf(bytes)], [next, next]);
        next += 1;
      }
      assert.equal(next, store.length);
      const last = await store.get([vertexOf(next - 1).id]);
      assert.equal(numberOf(last[0]!), next - 1, 'the index was written with its vertex');
    }
  });
});

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('a store that forgets', () => {
  it('gives the space back, so that what it takes stops growing', async function () {
    this.timeout(60_000);
    const folder = await freshFolder();
    await using store = await Store.open(folder, { genesisId: GENESIS_A });
    const sizes: number[] = [];
    for (let n = 0; n < 4000; n += 100) {
      await store.append(Array.from({ length: 100 }, (_, i) => vertexOf(n + i, 20_000)));
      await store.forget(n - 300);
      if (n % 1000 === 900) sizes.push(await bytesIn(folder));
    }
    assert.equal(store.length - store.first, 400);
    // 80 MB were written, 8 MB are kept; LevelDB has a buffer of 16 MiB and gives back as much at once.
    for (const size of sizes) assert.ok(size < 50_000_000, `${sizes}`);
  });

  it('goes on after a crash in its middle, and has no trace of what was forgotten', async () => {
    const folder = await freshFolder();
    {
      await using store = await Store.open(folder, { genesisId: GENESIS_A });
      await store.append(range(0, 3000));
      // Closing ends it after the step under way.
      void store.forget(2900);
    }
    await using store = await Store.open(folder, { genesisId: GENESIS_A });
    assert.deepEqual([store.first, store.length], [2900, 3000]);
    await store.forget(2900);
    await store.close();
    const db = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' });
    const keys = await db.keys().all();
    await db.close();
    const kinds = keys.map((key) => String.fromCharCode(key[0]!));
    assert.deepEqual(
      [kinds.filter((kind) => kind === 'v').length, kinds.filter((kind) => kind === 'i').length],
      [100, 100],
    );
  });
});

/** Flips one byte in the middle of every table of a database. */
async function damage(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.ldb$/.test(name));
  assert.ok(names.length > 0);
  for (const name of names) {
    const bytes = await readFile(path.join(folder, name));
    assert.ok(bytes.length > 1000);
    const middle = bytes.length >> 1;
    bytes[middle] = bytes[middle]! ^ 0x40;
    await writeFile(path.join(folder, name), bytes);
  }
}

describe('a store in trouble', () => {
  it('finds that a table on disk is not what was written', async () => {
    const folder = await freshFolder();
    {
      await using store = await Store.open(folder, { genesisId: GENESIS_A });
      await store.append(range(0, 2000));
    }
    // Opening it again makes a table of the log. A log is checked by LevelDB itself while it recovers.
    await (await Store.open(folder, { genesisId: GENESIS_A })).close();
    await damage(folder);
    await assert.rejects(
      async () => {
        await using store = await Store.open(folder, { genesisId: GENESIS_A });
        for await (const _ of store.load()) {
          // Reading is the test.
        }
      },
      {
        name: 'StoreError',
        code: 'store_corrupted',
        message: /Start the node again: it sets the folder aside/,
      },
    );
  });

  it('refuses a database that some other program made', async () => {
    const folder = await freshFolder();
    const db = new Level(folder);
    await db.put('hello', 'world');
    await db.close();
    await assert.rejects(Store.open(folder, { genesisId: GENESIS_A }), { code: 'store_format' });
  });

  it('names cause and cure when another process has the folder', async function () {
    this.timeout(20_000);
    const folder = await freshFolder();
    let child: ChildProcess | undefined;
    try {
      const writer = spawn(process.execPath, [WRITER, folder, '1'], { stdio: ['ignore', 'pipe', 'inherit'] });
      child = writer;
      await new Promise((resolve) => writer.stdout.once('data', resolve));
      await assert.rejects(Store.open(folder, { genesisId: GENESIS_A }), {
        code: 'store_locked',
        message: /open in another process\. .*stop the other one, or give this one its own dataDir/,
      });
    } finally {
      child?.kill('SIGKILL');
    }
  });

  it('takes nothing more after a write that failed, even when there is room again, until it is opened again; reads go on', async function () {
    this.timeout(20_000);
    const folder = await freshFolder();
    const script = `
      const { spawnSync } = await import('node:child_process');
      const { Store } = await import(${JSON.stringify(path.resolve('node/store.ts'))});
      const { GENESIS_A, vertexOf } = await import(${JSON.stringify(path.resolve('test/contracts/store.contract.ts'))});
      const store = await Store.open(process.argv[1], { genesisId: GENESIS_A, roomBytes: 8_000_000 });
      for (let n = 0; n < 2000; n++) {
        const code = await store.append([vertexOf(n, 60_000)]).then(() => undefined, (error) => error.code);
        if (code === undefined) continue;
        const raise = ['--pid', String(process.pid), '--fsize=unlimited'];
        const still = await store.reopen().catch((error) => error.code);
        const { status } = spawnSync('prlimit', raise, { stdio: 'inherit' });
        const again = await store.append([vertexOf(9999)]).catch((error) => error.code);
        const read = (await store.get([vertexOf(0).id])).length;
        const reading = store.since(0, 50_000_000);
        await store.reopen();
        const { vertices } = await reading.catch(() => store.since(0, 50_000_000));
        await store.append([vertexOf(store.length)]);
        const after = store.length - n;
        await store.close();
        const reopened = await Store.open(process.argv[1], { genesisId: GENESIS_A });
        console.log(status, code, still, again, read, vertices.length - n, after, reopened.length - n);
        process.exit(0);
      }`;
    if (process.platform !== 'linux') this.skip();
    // A limit on the size of files is a full disk for one process, and needs no rights: units of 512 bytes or of 1 KiB.
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        'ulimit -S -f 4000; exec "$0" "$@"',
        process.execPath,
        '--input-type=module',
        '-e',
        script,
        folder,
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let output = '';
    for await (const chunk of child.stdout) output += chunk;
    assert.equal(output.trim(), '0 store_disk_full store_disk_full store_disk_full 1 0 1 1');
  });

  it('gives every kind of trouble its own code', () => {
    const rows: [string, string, string][] = [
      ['LEVEL_LOCKED', 'IO error: lock /x/LOCK: already held by process', 'store_locked'],
      ['LEVEL_CORRUPTION', 'Corruption: checksum mismatch', 'store_corrupted'],
      ['LEVEL_IO_ERROR', 'IO error: /x/000005.log: No space left on device', 'store_disk_full'],
      ['ENOSPC', 'ENOSPC: no space left on device, mkdir', 'store_disk_full'],
      ['LEVEL_IO_ERROR', 'IO error: /x/LOCK: Permission denied', 'store_failed'],
    ];
    for (const [code, message, expected] of rows) {
      const cause = Object.assign(new Error(message), { code });
      const wrapped = new Error('Database failed to open', { cause });
      assert.equal(storeErrorOf(wrapped, '/x').code, expected, message);
    }
  });
});
