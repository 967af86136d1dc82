/**
 * What a checkpoint costs: each commit changes some accounts, and then the state root is asked for. With the accounts that
 * change held fixed, ten times as many accounts in all add three levels to each way and no more. Its peer is the same root
 * over all accounts made anew, as a node had to do without a tree.
 */
import {
  type Address,
  accountLeaf,
  blake3,
  blake3Hex,
  type NetworkId,
  StateTree,
  type Units,
} from '../ledger/index.ts';
import { type Bench, type Run, SAMPLES_MIN } from './harness.ts';

/** Accounts that one commit changes: some payments, each of two accounts. */
const CHANGED = 100;

const NETWORK = blake3(Uint8Array.of(0)).slice(0, 16) as NetworkId;

/** The same for the same number. */
function addressOf(i: number): Address {
  return blake3Hex(Uint8Array.of(i, i >> 8, i >> 16));
}

/** A tree of so many accounts, with its root taken. */
function treeOf(accounts: number): StateTree {
  const tree = new StateTree(NETWORK);
  for (let i = 0; i < accounts; i++) change(tree, addressOf(i), 1);
  tree.root();
  return tree;
}

function change(tree: StateTree, address: Address, balance: number): void {
  tree.set(address, accountLeaf(NETWORK, address, balance as Units, 0, address));
}

/** Milliseconds of each checkpoint; no account changes twice until all have. */
function checkpoints(tree: StateTree, count: number): readonly number[] {
  // Coprime to every power of ten, so the accounts of a checkpoint are spread.
  const step = 7_919;
  return Array.from({ length: count }, (_, checkpoint) => {
    const changed = Array.from({ length: CHANGED }, (_, i) =>
      addressOf(((checkpoint * CHANGED + i) * step) % tree.size),
    );
    const startMs = performance.now();
    for (const address of changed) change(tree, address, 2 + checkpoint);
    tree.root();
    return performance.now() - startMs;
  });
}

function measure(run: Run, sizes: readonly number[], count: number, anew: number): void {
  let least: ReturnType<Run['record']> | undefined;
  const points: (readonly [accounts: number, ms: number])[] = [];
  for (const accounts of sizes) {
    const operation = `${CHANGED} of ${accounts.toLocaleString('en')} accounts change`;
    run.progress(operation);
    const tree = treeOf(accounts);
    const samples = checkpoints(tree, count);
    const figure = { operation, unit: 'ms', samples, digest: tree.root().slice(0, 16) } as const;
    const measurement = run.record(least === undefined ? figure : { ...figure, ratioTo: least });
    least ??= measurement;
    points.push([accounts, measurement.median]);
  }
  const axes = { x: 'accounts', y: `ms for ${CHANGED} changed accounts` };
  run.series({
    plot: 'A checkpoint against the accounts that there are',
    ...axes,
    mark: 'line',
    log: 'x',
    points,
  });
  const operation = `all of ${anew.toLocaleString('en')} accounts anew`;
  run.progress(operation);
  const digests = new Set<string>();
  const samples = Array.from({ length: SAMPLES_MIN }, () => {
    const startMs = performance.now();
    digests.add(treeOf(anew).root().slice(0, 16));
    return performance.now() - startMs;
  });
  run.record({ operation, unit: 'ms', samples, digest: [...digests].join(' '), ratioTo: least! });
}

export const bench: Bench = {
  question: 'Does a checkpoint cost what has changed, or what there is?',
  comparable: 'Checkpoints of this tree with one another, at the same number of changed accounts.',
  notComparable: 'Trees of other ledgers: what a leaf holds, and what is hashed for it, differs.',
  async run(run) {
    // Code that has not run yet would make the smallest state the slowest.
    checkpoints(treeOf(1_000), run.parameter(1, 50));
    const sizes = run.parameter([200, 2_000], [1_000, 10_000, 100_000, 1_000_000]);
    measure(run, sizes, run.parameter(5, 100), run.parameter(2_000, 100_000));
  },
};
