import assert from 'node:assert/strict';
import {
  appendFile,
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Address, PaymentId } from '../../ledger/index.ts';
import { openWalletFiles, readKeystore, stateFolderOf, writeKeystore } from '../../node/wallet-files.ts';
import { silentLog } from '../../p2p/index.ts';
import type { HistoryRecord, WalletState, WalletStore } from '../../wallet/index.ts';

const ADDRESS = 'ab'.repeat(32) as Address;

const STATE: WalletState = {
  network: '00'.repeat(16),
  address: ADDRESS,
  sequence: 3,
  head: 'cd'.repeat(32) as PaymentId,
  outgoing: [{ bytes: Uint8Array.of(1, 2, 255), signedAtMs: 5 }],
  work: { slot: ADDRESS, nonce: new Uint8Array(8).fill(7) },
  cursors: { '/ip4/127.0.0.1/tcp/1/p2p/x': 12 },
  spent: { day: 20_000, units: 17 },
  base: Uint8Array.of(3, 4),
  lost: [
    { bytes: Uint8Array.of(5), reason: 'dead', winner: 'ef'.repeat(32) as PaymentId },
    { bytes: Uint8Array.of(6), reason: 'forgotten', winner: undefined },
  ],
};

function record(number: number): HistoryRecord {
  const id = number.toString(16).padStart(64, '0') as PaymentId;
  const payment = new Uint8Array(200).fill(number);
  return { id, payment, proof: new Uint8Array(1000).fill(number + 1), verifiedAtMs: number };
}

async function all(store: WalletStore): Promise<HistoryRecord[]> {
  const records: HistoryRecord[] = [];
  for await (const record of store.records()) records.push(record);
  return records;
}

describe('wallet files', () => {
  let dir: string;
  let folder: string;
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
  const open = (where = folder) => openWalletFiles(where, { log });

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'ravel-wallet-'));
    folder = path.join(dir, 'car.state');
    warnings.length = 0;
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  describe('store', () => {
    it('gives back what was saved and appended, after closing too', async () => {
      {
        await using store = await open();
        assert.equal(await store.load(), undefined);
        await store.append([record(1), record(2)]);
        await store.append([record(3)]);
        await store.save({ ...STATE, sequence: 2 });
        await store.save(STATE);
        assert.deepEqual(await all(store), [record(1), record(2), record(3)]);
      }
      await using store = await open();
      assert.deepEqual(await store.load(), STATE);
      assert.deepEqual(await all(store), [record(1), record(2), record(3)]);
      await store.append([record(4)]);
      for (const [from, count] of [
        [0, 1],
        [0, 4],
        [1, 2],
        [2, 9],
        [3, 1],
        [4, 1],
        [9, 1],
      ] as const) {
        const expected = [1, 2, 3, 4].slice(from, from + count).map(record);
        assert.deepEqual(await store.read(from, count), expected, `${from} ${count}`);
      }
      assert.deepEqual(warnings, []);
    });

    it('keeps a state without ready work', async () => {
      await using store = await open();
      await store.save({ ...STATE, work: undefined });
      assert.deepEqual(await store.load(), { ...STATE, work: undefined });
    });

    it('reads a history that is longer than one chunk and one line', async () => {
      const big = Array.from({ length: 400 }, (_, i) => record(i % 250));
      await using store = await open();
      await store.append(big);
      await store.append(big);
      assert.deepEqual(await all(store), [...big, ...big]);
      assert.deepEqual(await store.read(399, 2), [big[399], big[0]]);
    });

    it('after a crash at any byte of an append, everything before is there and the next append works', async () => {
      const file = path.join(folder, 'history');
      let before: number;
      {
        await using store = await open();
        await store.append([record(1)]);
        before = (await stat(file)).size;
        await store.append([record(2), record(3)]);
      }
      const after = (await stat(file)).size;
      const whole = path.join(dir, 'whole');
      await copyFile(file, whole);
      assert.ok(after - before > 1000);
      for (let bytes = before; bytes < after; bytes += bytes < before + 40 || bytes > after - 40 ? 1 : 97) {
        await copyFile(whole, file);
        await truncate(file, bytes);
        await using store = await open();
        assert.deepEqual(await all(store), [record(1)], `${bytes - before} bytes`);
        assert.equal(warnings.splice(0).length, bytes === before ? 0 : 1);
        await store.append([record(4)]);
        assert.deepEqual(await all(store), [record(1), record(4)]);
      }
    });

    it('drops a last line of zeros or with a hole, which a disk leaves that had written the length first', async () => {
      const file = path.join(folder, 'history');
      for (const tail of [Buffer.alloc(5000), Buffer.from('00000000 [[1]]\n'), Buffer.from('12ab')]) {
        {
          await using store = await open();
          await store.append([record(1)]);
        }
        await appendFile(file, tail);
        await using store = await open();
        assert.equal((await all(store)).at(-1)?.id, record(1).id);
        assert.equal(warnings.splice(0).length, 1);
      }
    });

    it('a crash while the files were made leaves a wallet that opens', async () => {
      for (const header of ['', 'ravel-h', '\0'.repeat(16)]) {
        await using store = await open();
        await store[Symbol.asyncDispose]();
        await writeFile(path.join(folder, 'history'), header);
        await writeFile(path.join(folder, 'state.json.new'), '{"half": ');
        await using again = await open();
        assert.equal(await again.load(), undefined);
        await again.append([record(1)]);
        await again.save(STATE);
        assert.deepEqual(await all(again), [record(1)]);
        await again[Symbol.asyncDispose]();
        await rm(folder, { recursive: true });
      }
    });

    it('damage that no crash makes is said to be damage', async () => {
      const file = path.join(folder, 'history');
      {
        await using store = await open();
        await store.append([record(1)]);
        await store.append([record(2)]);
        await store.save(STATE);
      }
      const bytes = await readFile(file);
      bytes[40] = bytes[40]! ^ 1;
      await writeFile(file, bytes);
      {
        await using store = await open();
        await assert.rejects(all(store), {
          code: 'wallet_corrupted',
          message: /does not fit its sum.*move it away/s,
        });
      }
      await writeFile(file, 'something else altogether');
      await assert.rejects(open(), { code: 'wallet_corrupted', message: /does not begin/ });
      await rm(file);
      const stateFile = path.join(folder, 'state.json');
      await writeFile(
        stateFile,
        (await readFile(stateFile, 'utf8')).replace('"sequence": 3', '"sequence": 2'),
      );
      await using store = await open();
      await assert.rejects(store.load(), { code: 'wallet_corrupted', message: /take a backup/ });
    });

    it('a history that was moved away is read from the nodes anew: the cursors begin again', async () => {
      {
        await using store = await open();
        await store.append([record(1)]);
        await store.save(STATE);
      }
      await rm(path.join(folder, 'history'));
      await using store = await open();
      assert.deepEqual(await store.load(), { ...STATE, cursors: {} });
      assert.equal(warnings.length, 1);
    });

    it('a second opener is refused and told why; a dead owner is not waited for', async () => {
      const store = await open();
      const busy = { name: 'WalletError', code: 'wallet_busy', message: /used by this process/ };
      await assert.rejects(open(), busy);
      await store[Symbol.asyncDispose]();
      const next = await open();
      // Disposing twice does not free what is another one's by then.
      await store[Symbol.asyncDispose]();
      await assert.rejects(open(), busy);
      await next[Symbol.asyncDispose]();
      await writeFile(path.join(folder, 'ravel.lock'), '{"pid":4194303,"host":"');
      await using _again = await open();
    });

    it('after a write has failed nothing more is written, and the failure says cause and cure', async () => {
      const store = await open();
      await store.save(STATE);
      // A folder in the place of the draft: it can be neither removed as a file nor written.
      await mkdir(path.join(folder, 'state.json.new', 'x'), { recursive: true });
      const failed = { code: 'wallet_disk', message: /cannot be used.*open the wallet again/s };
      await assert.rejects(store.save({ ...STATE, sequence: 4 }), failed);
      await assert.rejects(store.append([record(1)]), failed);
      assert.deepEqual(await store.load(), STATE);
      await store[Symbol.asyncDispose]();
      await assert.rejects(store.save(STATE), { name: 'WalletError' });
    });
  });

  describe('keystore', () => {
    it('is written for its owner alone, never over another one, and leaves nothing beside it', async () => {
      const file = path.join(dir, 'wallets', 'car.json');
      await writeKeystore(file, 'one');
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      await assert.rejects(writeKeystore(file, 'two'), {
        code: 'wallet_exists',
        message: /choose another name/,
      });
      assert.equal(await readKeystore(file), 'one');
      assert.deepEqual(await readdir(path.dirname(file)), ['car.json']);
    });

    it('that others may read is refused with the command that cures it', async () => {
      const file = path.join(dir, 'car.json');
      await writeKeystore(file, 'one');
      for (const mode of [0o640, 0o604, 0o620]) {
        await chmod(file, mode);
        const message = new RegExp(`mode ${mode.toString(8)}.*chmod 600`);
        await assert.rejects(readKeystore(file), { code: 'wallet_permissions', message });
      }
      await chmod(file, 0o400);
      assert.equal(await readKeystore(file), 'one');
    });

    it('that is missing, too long or a folder is said to be so', async () => {
      const file = path.join(dir, 'car.json');
      await assert.rejects(readKeystore(file), { code: 'wallet_missing', message: /ravel wallet new/ });
      await writeFile(file, 'x'.repeat(20_000), { mode: 0o600 });
      await assert.rejects(readKeystore(file), { code: 'keystore_format' });
      await chmod(dir, 0o700);
      await assert.rejects(readKeystore(dir), { code: 'keystore_format' });
    });

    it('has a state folder for each account', () => {
      assert.equal(stateFolderOf('/w/car.json'), '/w/car.state');
      assert.equal(stateFolderOf('/w/car.json', 2), '/w/car.2.state');
      assert.equal(stateFolderOf('/w/car'), '/w/car.state');
    });
  });
});
