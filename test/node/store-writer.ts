/**
 * Appends to the store named on the command line until somebody kills it, and prints every sequence once it is durable.
 * Arguments: folder, first sequence, vertices in a batch.
 */
import { Store } from '../../node/store.ts';
import { GENESIS_A, vertexOf } from '../contracts/store.contract.ts';

const [folder, batchText] = process.argv.slice(2);
const batch = Number(batchText);
const store = await Store.open(folder!, { genesisId: GENESIS_A });
let next = store.length;
for (;;) {
  // Two appends under way at any time, as a busy node has.
  const appends = [0, 1].map(async (part) => {
    const first = next + part * batch;
    await store.append(Array.from({ length: batch }, (_, i) => vertexOf(first + i, 285)));
    return first + batch;
  });
  next += 2 * batch;
  for (const append of appends) process.stdout.write(`${await append}\n`);
}
