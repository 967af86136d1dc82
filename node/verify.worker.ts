/** A thread of the verify pool: takes whole blocks, witnesses and payments, answers for each one. */
import { workerData } from 'node:worker_threads';
import { checkPayment, checkVertex, decodePayment, isRefusal, workBitsOf } from '../ledger/index.ts';
import type { VerifyAnswer, VerifyTask, VerifyWorkerData } from './verify-task.ts';

const { genesis } = workerData as VerifyWorkerData;

function checkOne(bytes: Uint8Array, payment: boolean): VerifyAnswer {
  if (!payment) return checkVertex(bytes, genesis);
  const decoded = decodePayment(bytes, genesis.network);
  if (isRefusal(decoded)) return decoded;
  const bits = workBitsOf(genesis.network, [decoded])[0]!;
  const refusal = checkPayment(decoded, genesis, bits);
  if (refusal !== undefined) return refusal;
  const { id, account, previous, sequence, total } = decoded;
  return { id, account, previous, sequence, total, workBits: bits };
}

/** One answer for each, in order. What our own code throws is the answer of that one alone. */
export function check(task: VerifyTask): VerifyAnswer[] {
  let start = 0;
  return task.ends.map((end, i) => {
    // A copy of its own, so that nothing of the batch around it is cloned with an answer.
    const bytes = task.bytes.slice(start, end);
    start = end;
    try {
      return checkOne(bytes, task.payments[i]!);
    } catch (error) {
      return { thrown: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  });
}
