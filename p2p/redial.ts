/** Configured peers are called again for as long as this participant lives. */
import type { Host } from './libp2p-host.ts';
import { pause } from './timing.ts';

/** A connection that held this long was a good one: the next loss is answered fast. */
const STEADY_MS = 10_000;

/** Keeps a connection to each address, until the host ends. */
export async function keepConnected(host: Host, addresses: readonly string[]): Promise<void> {
  await Promise.all(addresses.map((address) => keepOne(host, address)));
}

async function keepOne(host: Host, address: string): Promise<void> {
  const { redialMinMs, redialMaxMs } = host.limits;
  let waitMs = redialMinMs;
  let silent = false;
  while (!host.closing.aborted) {
    const startedMs = performance.now();
    try {
      const connection = await host.dial(address);
      host.log.info({ address }, 'connected to a configured peer');
      silent = false;
      await host.gone(connection.remotePeer.toString());
      if (host.closing.aborted) return;
      host.log.info({ address }, 'lost a configured peer');
      if (performance.now() - startedMs > STEADY_MS) waitMs = redialMinMs;
    } catch (error) {
      // Once an outage, so that a peer that is away for a day does not fill the log.
      if (!silent && !host.closing.aborted) {
        host.log.warn(
          { address, error: (error as Error).message },
          'a configured peer is not there; trying on',
        );
      }
      silent = true;
    }
    // Spread by a quarter, so that nodes that lost one peer at once do not come back at once.
    await pause(waitMs * (0.75 + Math.random() / 2), host.closing);
    waitMs = Math.min(2 * waitMs, redialMaxMs);
  }
}
