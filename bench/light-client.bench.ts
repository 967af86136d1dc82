/**
 * A light client alone in its process, as it rides in a vehicle: keys, its files with synced writes, links to three of four
 * validators, signed headers of all of them. It pays, one payment after the other, each once the one before is proven; then it
 * checks proofs as nodes send them. Beside it the network settles payments of others, so its headers come as in use.
 *
 * Work is left out: a vehicle does it while it idles, and `work` measures it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeGenesis } from '../ledger/index.ts';
import type { LightLink } from '../p2p/index.ts';
import { type Bench, type Run, SAMPLES_MIN } from './harness.ts';
import type { LightClientOrder, LightClientSetup, LightClientTook } from './light-client-messages.ts';
import { BenchNetwork } from './network.ts';
import { makePayments, owner } from './payments.ts';

const VALIDATORS = 4;
const UNITS_EACH = 1_000_000;
const WORK_BITS = 1;

/** Payments of others, so that rounds follow one another as fast as they may. */
const OTHERS = { owners: 20, perSecond: 20 } as const;

const GOALS = { rssMb: { atMost: 120 }, proofCpuMs: { atMost: 1 } } as const;
const MB = 1_000_000;

/** Where memory is dear, V8 is held shorter than in a node: it costs a client nothing. docs/integrating.md names them. */
const FLAGS: readonly string[] = ['--max-semi-space-size=1', '--heap-growing-percent=20'];

const PROCESS = new URL('./light-client-process.ts', import.meta.url);

class LightProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param compiled Folder in which Node keeps what it has compiled, so that a later start need not. */
  static async start(
    setup: LightClientSetup,
    compiled: string,
  ): Promise<{ client: LightProcess; begun: LightClientTook }> {
    const child = fork(PROCESS, {
      execArgv: [...FLAGS],
      env: { ...process.env, NODE_COMPILE_CACHE: compiled },
      serialization: 'advanced',
    });
    const client = new LightProcess(child);
    return { client, begun: await client.#answer(setup) };
  }

  carryOut(order: LightClientOrder): Promise<LightClientTook> {
    return this.#answer(order);
  }

  async #answer(said: LightClientSetup | LightClientOrder): Promise<LightClientTook> {
    const over = new AbortController();
    const ended = once(this.#child, 'exit', { signal: over.signal }).then(([code]) => {
      throw new Error(`the light client ended with ${code}`);
    });
    try {
      const answer = once(this.#child, 'message', { signal: over.signal });
      this.#child.send(said);
      const [took] = (await Promise.race([answer, ended])) as [LightClientTook];
      return took;
    } finally {
      over.abort();
      ended.catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, 'exit');
    if (this.#child.exitCode === null && this.#child.kill('SIGKILL')) await gone;
  }
}

/** Payments of others at a steady pace until it is over. Rejects when one is refused. */
async function payBeside(link: LightLink, payments: readonly Uint8Array[], over: AbortSignal): Promise<void> {
  for (const bytes of payments) {
    if (over.aborted) return;
    const [reply] = await link.submit([bytes]);
    if ('refusal' in reply!) throw new Error(`a payment was refused: ${JSON.stringify(reply.refusal)}`);
    await pause(1000 / OTHERS.perSecond, undefined, { signal: over }).catch(() => undefined);
  }
}

async function measure(run: Run, client: LightProcess, begun: LightClientTook): Promise<void> {
  const count = run.parameter(2, 50);
  const checks = run.parameter(20, 500);
  const rests: LightClientTook[] = [];
  const paid: LightClientTook[] = [];
  const verified: LightClientTook[] = [];
  for (let i = 0; i < SAMPLES_MIN; i++) {
    run.progress(`${count} payments, and ${checks} proofs checked`, i / SAMPLES_MIN);
    paid.push(await client.carryOut({ do: 'pay', count }));
    verified.push(await client.carryOut({ do: 'verify', count: checks }));
    rests.push(await client.carryOut({ do: 'rest', ms: run.parameter(200, 5_000) }));
  }
  const digest = `${SAMPLES_MIN * count} payments proven`;
  const { final } = rests.at(-1)!;
  if (final !== SAMPLES_MIN * count)
    throw new Error(`${final} of ${SAMPLES_MIN * count} payments are proven`);
  const taken = [begun, ...paid, ...verified, ...rests].map(({ rssBytes }) => rssBytes / MB);
  run.record({
    operation: 'memory of a light client',
    unit: 'MB',
    samples: taken,
    whole: Math.max(...taken),
    digest,
    goal: GOALS.rssMb,
  });
  run.record({
    operation: 'heap of a light client',
    unit: 'MB',
    samples: rests.map(({ heapBytes }) => heapBytes / MB),
    digest,
  });
  run.record({
    operation: 'a payment until its proof is checked',
    unit: 'CPU ms',
    samples: paid.map(({ cpuUs }) => cpuUs / 1000 / count),
    digest,
  });
  run.record({
    operation: 'a payment until its proof is checked, others before and after',
    unit: 'ms',
    samples: paid.map(({ ms }) => ms / count),
    digest,
  });
  run.record({
    operation: 'a second of following the network',
    unit: 'CPU ms',
    samples: rests.map(({ cpuUs, ms }) => cpuUs / ms),
    digest,
  });
  run.record({
    operation: `a proof of ${VALIDATORS} validators checked`,
    unit: 'CPU ms',
    samples: verified.map(({ cpuUs }) => cpuUs / 1000 / checks),
    digest: `${SAMPLES_MIN * checks} hold`,
    goal: GOALS.proofCpuMs,
  });
}

export const bench: Bench = {
  question: 'What does a light client take: memory, processor time for a payment and for a proof?',
  comparable:
    'Processor time with any machine by its signature checks (verify-limit): a proof is four of them.',
  notComparable:
    'Memory with clients of other systems in other languages: 50 MB of it are Node itself. Proofs of larger committees, which cost a signature check for each validator of a quorum.',
  async run(run) {
    const [client, payee, ...others] = Array.from({ length: OTHERS.owners + 2 }, (_, i) => owner(i));
    run.progress(`starting ${VALIDATORS} validators`);
    await using stack = new AsyncDisposableStack();
    const network = stack.use(
      await BenchNetwork.start({
        validators: VALIDATORS,
        workBits: WORK_BITS,
        owners: [client!, ...others].map(({ address }) => address),
        unitsEach: UNITS_EACH,
      }),
    );
    const folder = await mkdtemp(path.join(tmpdir(), 'ravel-bench-wallet-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const compiled = await mkdtemp(path.join(tmpdir(), 'ravel-bench-compiled-'));
    stack.defer(() => rm(compiled, { recursive: true, force: true }));
    const beside = makePayments(network.genesis, others, payee!.address, run.parameter(200, 6_000)).map(
      ({ bytes }) => bytes,
    );
    const over = new AbortController();
    const paying = payBeside(await network.link(0), beside, over.signal);
    try {
      run.progress('starting the light client');
      const genesis = encodeGenesis(network.genesis);
      const nodes = network.addresses;
      const setup = { genesis, nodes, owner: 0, payee: 1, folder };
      // The first start of what has just been installed compiles it; all later ones find that done.
      await (await LightProcess.start(setup, compiled)).client[Symbol.asyncDispose]();
      const started = await LightProcess.start(setup, compiled);
      stack.use(started.client);
      await measure(run, started.client, started.begun);
    } finally {
      over.abort();
      await paying;
    }
  },
};
