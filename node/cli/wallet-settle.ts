/** Waiting until a wallet knows what its nodes can prove. */
import { pause } from '../up/pause.ts';
import { EXIT } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Output } from './output.ts';
import type { OpenWallet } from './wallet-options.ts';

/** Between two questions to a node. */
const ASK_INTERVAL_MS = 200;

/**
 * Waits until the wallet has verified as much as a node says that it owns, but no longer than `timeoutMs`. Returns what the
 * node says. Throws Failure `unreachable` when none could be asked.
 */
export async function settle(wallet: OpenWallet, timeoutMs: number, signal: AbortSignal): Promise<number> {
  const { client, peers } = wallet;
  const untilMs = performance.now() + timeoutMs;
  await client.ready({ timeoutMs, signal });
  for (;;) {
    const claimed = await askBalance(wallet, peers);
    const late = performance.now() >= untilMs;
    if (claimed === client.balance || (late && claimed !== undefined)) return claimed;
    if (late || signal.aborted) {
      throw new Failure(
        EXIT.unreachable,
        `No node answered within ${timeoutMs / 1000} s. Check --node, or wait longer with --timeout.`,
      );
    }
    await pause(ASK_INTERVAL_MS, signal);
  }
}

/** Runs what needs the nodes; when they are the trouble, says what each of them answered. */
export async function describeNodes<T>(
  { client }: OpenWallet,
  output: Output,
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    for (const { address, connected, lastError } of client.nodes) {
      if (!connected && lastError !== undefined) output.note(`ravel: node ${address}: ${lastError}`);
    }
    throw error;
  }
}

/** Own payments that did not become final, each once a line: their owner has to know. */
export function describeLost({ client }: OpenWallet): string[] {
  return client.lost.map(({ id, total, reason, winner }) =>
    reason === 'dead'
      ? `ravel: payment ${id} of ${total} units never will be final: payment ${winner} took its place. Nothing of it was paid.`
      : `ravel: nobody can tell any more whether payment ${id} of ${total} units was paid. Ask its receiver.`,
  );
}

async function askBalance({ client }: OpenWallet, peers: OpenWallet['peers']): Promise<number | undefined> {
  for (const { address, connected } of client.nodes) {
    if (!connected) continue;
    try {
      await using link = await peers.connect(address);
      return (await link.account(client.address)).pending;
    } catch {
      // The next one.
    }
  }
  return undefined;
}
