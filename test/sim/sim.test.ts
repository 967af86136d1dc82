import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GENESIS_A, range } from '../contracts/store.contract.ts';
import { SimDisk, SimStore } from './disk.ts';
import { drawMix } from './mix.ts';
import { MUTANTS } from './mutants.ts';
import { Player } from './players.ts';
import { type Report, simulate } from './simulation.ts';

const SEEDS = Number(process.env.RAVEL_SIM_SEEDS ?? 24);
const FIRST_SEED = Number(process.env.RAVEL_SIM_SEED ?? 1);

describe('the simulator: correct nodes keep what must always hold', function () {
  this.timeout(300_000);
  const reports: Report[] = [];

  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    it(`seed ${seed}`, async () => {
      const report = await simulate(seed);
      reports.push(report);
      const again = `again: npm run sim -- --seed ${seed} --draw`;
      assert.equal(report.violation, undefined, `${report.violation?.message}\n${again}`);
    });
  }

  it('has seen what it is for', () => {
    const sum = (of: (report: Report) => number) => reports.reduce((all, report) => all + of(report), 0);
    assert.ok(sum(({ vertices }) => vertices) > 100 * SEEDS);
    for (const [what, count] of Object.entries({
      commits: sum(({ commits }) => commits),
      finals: sum(({ finals }) => finals),
      lies: sum(({ lies }) => lies),
      contested: sum(({ contested }) => contested),
      crashes: sum(({ crashes }) => crashes),
      partitions: sum(({ partitions }) => partitions),
      snapshots: sum(({ snapshots }) => snapshots),
    })) {
      assert.ok(count >= SEEDS, `${count} ${what} in ${SEEDS} seeds`);
    }
    assert.ok(sum(({ resolved }) => resolved) > 0, 'no slot was decided by a commit alone');
    assert.ok(sum(({ equivocators }) => equivocators) > 0, 'nobody was found out');
    assert.ok(sum(({ oracles }) => oracles) > 0, 'no run was recomputed by the slow rules');
  });

  it('plays the same seed in the same way', async () => {
    const [first, second] = [await simulate(FIRST_SEED), await simulate(FIRST_SEED)];
    assert.equal(first.digest, second.digest);
    assert.notEqual(first.digest, (await simulate(FIRST_SEED + 1)).digest);
  });

  it('draws each seed its own mix, with less than a third of the weight Byzantine', () => {
    const mixes = Array.from({ length: 200 }, (_, seed) => drawMix(seed));
    for (const { weights, byzantine } of mixes) {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const liars = [...byzantine].reduce((sum, index) => sum + weights[index]!, 0);
      assert.ok(3 * liars < total);
    }
    assert.ok(new Set(mixes.map((mix) => JSON.stringify({ ...mix, seed: 0 }))).size > 195);
    assert.ok(new Set(mixes.flatMap(({ tricks }) => tricks)).size > 12);
  });
});

describe('the simulator sees a broken rule', function () {
  this.timeout(120_000);

  it('knows where each rule stands that its mutants break', () => {
    for (const { name, mutations } of MUTANTS) {
      for (const { file, before, after } of mutations) {
        const source = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
        assert.equal(source.split(before).length, 2, `${name}: not once in ${file}: ${before}`);
        assert.notEqual(before, after);
      }
    }
  });

  it('sees that two rivals are accepted', async () => {
    const player = new Player(MUTANTS.find(({ name }) => name === 'accept two rivals')!.mutations);
    try {
      for (let seed = 1; seed <= 20; seed++) {
        const { played, trouble } = await player.play(seed);
        assert.equal(trouble, undefined);
        if (played!.broken === undefined) continue;
        assert.match(played!.broken.message, /two final rivals/);
        assert.match(played!.broken.drawing, /^committee /);
        return;
      }
      assert.fail('twenty seeds with two rivals accepted, and nothing was seen');
    } finally {
      await player.end();
    }
  });
});

describe('a simulated disk', () => {
  it('keeps what it has synced, and of what it was writing some first part, or nothing', async () => {
    for (const survivors of [0, 2, 5]) {
      const disk = new SimDisk();
      const spins: (() => void)[] = [];
      const deps = { afterSync: (run: () => void) => void spins.push(run) };
      const store = new SimStore(disk, { genesisId: GENESIS_A }, deps);
      const first = store.append(range(0, 3));
      spins.shift()!();
      await first;
      void store.append(range(3, 6));
      void store.append(range(6, 8));
      assert.equal(store.length, 3);
      assert.equal(store.unsynced, 5);
      store.crash(survivors);
      const again = new SimStore(disk, { genesisId: GENESIS_A }, deps);
      assert.equal(again.length, 3 + survivors);
      assert.equal((await again.get(range(3, 8).map(({ id }) => id))).length, survivors);
    }
  });

  it('reads nothing before its snapshot', async () => {
    const disk = new SimDisk();
    const store = new SimStore(disk, { genesisId: GENESIS_A }, { afterSync: (run) => queueMicrotask(run) });
    await store.append(range(0, 6));
    store.putSnapshot([], 4);
    assert.equal((await store.since(0, 10_000)).vertices.length, 2);
    assert.deepEqual(await store.get([range(0, 1)[0]!.id]), []);
    assert.ok(disk.has(range(0, 1)[0]!.id));
  });
});
