/** The validators of a network on this machine: a process each, and a watch over all of them. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Genesis } from '../../ledger/index.ts';
import { createLightPeers, type Log } from '../../p2p/index.ts';
import type { NodeReady } from '../cli/node.ts';
import { type Child, describeExit, lastWords, startChild } from './child.ts';
import { whileAlive } from './fleet.ts';
import { pause } from './pause.ts';
import { type StatusWatch, type WatchedNode, watchStatus } from './status-watch.ts';

/** A validator reads back what it has stored before it can be reached. */
const READY_WITHIN_MS = 120_000;

/** One answer to the question how it is. */
const STATUS_TIMEOUT_MS = 5_000;

export interface Validators {
  /** With /p2p/, in the order of the committee. */
  readonly addresses: readonly string[];
  readonly watch: StatusWatch;
  states(): readonly (WatchedNode & { readonly ended: boolean })[];
}

export interface ValidatorsOptions {
  readonly genesis: Genesis;
  /** Made by `ravel init`, in the order of the committee. */
  readonly folders: readonly string[];
  readonly logsDir: string;
}

export interface ValidatorsDeps {
  readonly log: Log;
  /** A validator ended though nobody asked it to. */
  onEnded(text: string): void;
}

/** Starts all of them; they end with the stack. Throws UpError when one does not get ready. */
export async function startValidators(
  options: ValidatorsOptions,
  deps: ValidatorsDeps,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Validators> {
  const ended = options.folders.map(() => false);
  const children = await Promise.all(
    options.folders.map((folder, index) => startValidator(folder, index, options.logsDir)),
  );
  stack.defer(async () => {
    await Promise.all(children.map((child) => child.end()));
  });
  for (const [index, child] of children.entries()) {
    void child.exited.then((exit) => {
      if (exit.expected) return;
      ended[index] = true;
      deps.onEnded(`${child.name} ended (${describeExit(exit)}): ${lastWords(child)}`);
    });
  }
  const addresses = await Promise.all(
    children.map((child) => whileAlive(child, readiness(child), READY_WITHIN_MS, signal)),
  );
  const peers = stack.use(
    await createLightPeers(
      {
        network: options.genesis.network,
        identitySeed: randomBytes(32),
        listen: [],
        requestTimeoutMs: STATUS_TIMEOUT_MS,
      },
      { log: deps.log, nowMs: () => performance.now() },
    ),
  );
  const watch = stack.use(
    watchStatus(addresses, {
      connect: (address) => peers.connect(address),
      nowMs: () => performance.now(),
      sleep: pause,
    }),
  );
  return {
    addresses,
    watch,
    states: () => watch.nodes().map((node, index) => ({ ...node, ended: ended[index]! })),
  };
}

function startValidator(folder: string, index: number, logsDir: string): Promise<Child> {
  return startChild({
    name: `validator ${index}`,
    module: fileURLToPath(new URL('../ravel.ts', import.meta.url)),
    args: ['node', '--dir', folder],
    logFile: path.join(logsDir, `validator-${index}.log`),
  });
}

/** The first of its addresses, once it is reachable. */
function readiness(child: Child): Promise<string> {
  return new Promise((resolve) => {
    child.onMessage((message) => {
      const { type, addresses } = message as NodeReady;
      if (type === 'ready' && addresses[0] !== undefined) resolve(addresses[0]);
    });
  });
}
