/** Tip selection on its own thread: whenever the tangle has grown, picks parents for the next block and lays them ready. */
import { workerData } from 'node:worker_threads';
import { Columns, type SharedColumns, type TipOptions, TipPicker } from '../ledger/index.ts';
import { ReadyParents } from './ready-parents.ts';

export interface TipWorkerData {
  readonly columns: SharedColumns;
  readonly ready: SharedArrayBuffer;
  readonly options: TipOptions;
}

const { columns: shared, ready: buffer, options } = workerData as TipWorkerData;
const columns = new Columns(shared);
const picker = new TipPicker(columns, options);
const ready = new ReadyParents(buffer);

for (;;) {
  const rows = columns.rows;
  ready.write(picker.pick(Math.random));
  // Sleeps until the writer has appended another row; the thread is ended from outside.
  Atomics.wait(columns.heads, 0, rows);
}
