/**
 * The peer that everybody knows. A payment between two accounts in one trusted database is what a network without an operator
 * has to be set against: the same cores, the same disk, both durable.
 */
import type { Bench } from './harness.ts';
import { recordPgbench } from './postgres.ts';

export const bench: Bench = {
  question: 'How many durable transactions a second does a central database commit on this machine?',
  comparable:
    'Payments a second of a network of validators on the same machine, against TPC-B-like transactions a second: both move ' +
    'an amount, both are on disk before anyone is told, and load generator and servers share the cores. The rates of the ' +
    'same run are what counts; another machine has other ones.',
  notComparable:
    'The work behind them. PostgreSQL is one server that all clients trust: no signature is checked, nothing is replicated ' +
    'or voted on, no proof is made, and a lost machine loses the service. Of four validators each checks every signature and ' +
    'stores every payment. In turn, a TPC-B-like transaction changes three balances, one of them among ten that all clients ' +
    'wait for (simple-update leaves those out), and answers SQL. Latency there is of a full queue of 16 clients over a ' +
    'local socket; finality needs two rounds between validators.',
  async run(run) {
    await recordPgbench(run, run.parameter({ seconds: 2, scale: 1 }, { seconds: 30, scale: 10 }));
  },
};
