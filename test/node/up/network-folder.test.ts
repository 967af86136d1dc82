import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  accountOfCar,
  keyOfFaucet,
  openUpFolder,
  type UpFolderOptions,
} from '../../../node/up/network-folder.ts';
import { createSeedSigner, deriveKey } from '../../../wallet/index.ts';

const nothing: UpFolderOptions = { dir: undefined, validators: undefined, cars: undefined, port: undefined };

interface Settings {
  readonly listen: readonly string[];
  readonly peers: readonly string[];
}

async function settingsOf(folder: string): Promise<Settings> {
  return JSON.parse(await readFile(path.join(folder, 'node.json'), 'utf8')) as Settings;
}

describe('the folder of ravel up', () => {
  let parent: string;
  let dir: string;
  beforeEach(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'ravel-folder-'));
    dir = path.join(parent, 'net');
  });
  afterEach(() => rm(parent, { recursive: true }));

  it('is temporary when none is named, and gone afterwards', async () => {
    let place: string;
    {
      await using folder = await openUpFolder({ ...nothing, validators: 1, cars: 1 });
      place = folder.dir;
      await access(folder.genesisFile);
      assert(!folder.resumed);
    }
    await assert.rejects(access(place), { code: 'ENOENT' });
  });

  it('makes a network in which every car owns the same, and a faucet a thousandth of that', async () => {
    await using folder = await openUpFolder({ ...nothing, dir, validators: 2, cars: 3 });
    const cars = [0, 1, 2].map(
      (car) => createSeedSigner(deriveKey(folder.phrase, accountOfCar(car))).address,
    );
    const faucet = createSeedSigner((await keyOfFaucet(folder.dir))!).address;
    const amounts = new Map(
      folder.genesis.allocations.map(({ address, amount }) => [address, amount as number]),
    );
    assert.deepEqual([...amounts.keys()].sort(), [faucet, ...cars].sort());
    const [first, ...others] = cars.map((car) => amounts.get(car)!);
    assert.deepEqual([amounts.get(faucet), amounts.get(faucet)! + first!], [1e9, others[0]]);
    assert.equal(new Set(others).size, 1);
    assert.equal(await keyOfFaucet(path.dirname(folder.dir)), undefined);
    assert.equal(folder.validators.length, 2);
    assert.equal((await stat(path.join(dir, 'up.json'))).mode & 0o777, 0o600);
  });

  it('that is named is kept, and opened again as it was', async () => {
    const first = await openUpFolder({ ...nothing, dir, validators: 2, cars: 3 });
    const before = await settingsOf(first.validators[0]!);
    await first[Symbol.asyncDispose]();
    await using again = await openUpFolder({ ...nothing, dir });
    assert(again.resumed);
    assert.deepEqual([again.validators.length, again.cars, again.phrase], [2, 3, first.phrase]);
    assert.equal(again.genesis.id, first.genesis.id);
    assert.deepEqual(await settingsOf(again.validators[0]!), before);
  });

  it('may be opened with fewer cars, but with no more cars and with no other number of validators', async () => {
    await (await openUpFolder({ ...nothing, dir, validators: 1, cars: 2 }))[Symbol.asyncDispose]();
    await (await openUpFolder({ ...nothing, dir, validators: 1, cars: 1 }))[Symbol.asyncDispose]();
    await assert.rejects(openUpFolder({ ...nothing, dir, cars: 3 }), {
      code: 'folder_unsuitable',
      message: `The network in ${dir} has 2 cars with money, not 3. Give --cars 2 or fewer, or choose another --dir.`,
    });
    await assert.rejects(openUpFolder({ ...nothing, dir, validators: 4 }), {
      code: 'folder_unsuitable',
      message: `The network in ${dir} has 1 validators for ever, not 4. Leave --validators out, or choose another --dir.`,
    });
  });

  it('takes the ports that are asked for, also later', async () => {
    const port = 23_000 + (process.pid % 1_000) * 4;
    for (const first of [port, port + 2]) {
      await using folder = await openUpFolder({ ...nothing, dir, validators: 2, cars: 1, port: first });
      const settings = await Promise.all(folder.validators.map(settingsOf));
      const addresses = [first, first + 1].map((wanted) => `/ip4/127.0.0.1/tcp/${wanted}`);
      assert.deepEqual(
        settings.map(({ listen }) => listen[0]),
        addresses,
      );
      assert.deepEqual(
        settings.map(({ peers }) => peers[0]),
        addresses.toReversed(),
      );
    }
  });

  it('whose port was taken meanwhile is refused by number, and others are offered', async () => {
    const first = await openUpFolder({ ...nothing, dir, validators: 1, cars: 1 });
    await first[Symbol.asyncDispose]();
    const port = Number((await settingsOf(first.validators[0]!)).listen[0]!.split('/').at(-1));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      await assert.rejects(openUpFolder({ ...nothing, dir }), {
        code: 'port_busy',
        message: `Port ${port} on 127.0.0.1 is in use by another program. End that program, or give the network other ports with --port.`,
      });
    } finally {
      server.close();
    }
  });

  it('with other things in it is left alone', async () => {
    const file = path.join(parent, 'diary.txt');
    await writeFile(file, 'dear diary');
    await assert.rejects(openUpFolder({ ...nothing, dir: parent }), {
      code: 'folder_unsuitable',
      message: `${parent} holds other files (diary.txt). Choose an empty or a new folder with --dir.`,
    });
    assert.equal(await readFile(file, 'utf8'), 'dear diary');
  });

  it('that is in use is refused', async () => {
    await using _ = await openUpFolder({ ...nothing, dir, validators: 1, cars: 1 });
    await assert.rejects(openUpFolder({ ...nothing, dir }), { code: 'folder_locked' });
  });

  it('that is damaged is refused with the cure', async () => {
    await (await openUpFolder({ ...nothing, dir, validators: 1, cars: 1 }))[Symbol.asyncDispose]();
    await writeFile(path.join(dir, 'up.json'), '{"version":1}');
    await assert.rejects(
      openUpFolder({ ...nothing, dir }),
      /up.json is damaged. Choose another --dir, or restore the file/,
    );
  });
});
