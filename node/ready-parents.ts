/**
 * Fresh parents for the next block, in shared memory: the tip worker writes them, the ledger thread reads them without
 * asking. A version that is odd, or changes while one reads, says that they are being replaced.
 */
import { PARENTS_MAX } from '../ledger/index.ts';

export class ReadyParents {
  readonly buffer: SharedArrayBuffer;
  /** [0] version, [1] count, then rows. */
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(4 * (2 + PARENTS_MAX))) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  write(rows: readonly number[]): void {
    Atomics.add(this.#words, 0, 1);
    Atomics.store(this.#words, 1, rows.length);
    rows.forEach((row, i) => {
      Atomics.store(this.#words, 2 + i, row);
    });
    Atomics.add(this.#words, 0, 1);
  }

  /** Rows; [] before the first write or in the moment of a write. */
  read(): number[] {
    const before = Atomics.load(this.#words, 0);
    const count = Atomics.load(this.#words, 1);
    const rows = Array.from({ length: count }, (_, i) => Atomics.load(this.#words, 2 + i));
    return before % 2 === 0 && Atomics.load(this.#words, 0) === before ? rows : [];
  }
}
