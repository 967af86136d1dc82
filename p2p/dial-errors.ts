/** What went wrong when somebody was called, as a PeersError with cause and cure. */
import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { PeersError } from './errors.ts';
import { foreignNetwork, type Names } from './protocols.ts';

/** Identify takes a round trip or two. */
const IDENTIFY_WAIT_MS = 2_000;

/** A multiaddr. Throws a PeersError `bad_address`. */
export function parseAddress(address: string): Multiaddr {
  try {
    return multiaddr(address);
  } catch (cause) {
    const example = '/ip4/192.0.2.7/tcp/4600 or /dns4/node.example/tcp/4600/p2p/12D3Koo...';
    throw new PeersError('bad_address', `"${address}" is no multiaddr; write ${example}`, { cause });
  }
}

/** The message of any thrown value. */
export function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Why nobody could be reached at an address. */
export function dialError(address: string, cause: unknown, closing: boolean): PeersError {
  if (closing) return new PeersError('closed', 'this participant is shutting down', { cause });
  const name = cause instanceof Error ? cause.name : '';
  const error = (code: PeersError['code'], text: string): PeersError =>
    new PeersError(code, `${address} ${text}`, { cause });
  if (name === 'DialDeniedError' || name === 'ConnectionInterceptedError') {
    return error('peer_refused', 'was cut and is refused for a while; wait, or dial another node');
  }
  if (name === 'TimeoutError' || name === 'AbortError') {
    return error('timeout', 'did not answer in time; check that it is up and reachable');
  }
  return error('unreachable', `cannot be reached: ${reason(cause)}; check address, port and peer id`);
}

/** Why a peer that was reached does not take a stream of a protocol. */
export async function openError(
  node: Libp2p,
  names: Names,
  connection: Connection,
  protocol: string,
  cause: unknown,
): Promise<PeersError> {
  const error = (code: PeersError['code'], text: string): PeersError =>
    new PeersError(code, `${connection.remoteAddr} ${text}`, { cause });
  if (!(cause instanceof Error) || cause.name !== 'UnsupportedProtocolError') {
    if (connection.status === 'open')
      return error('timeout', `did not agree on ${protocol}: ${reason(cause)}`);
    const why = 'it may refuse this peer for a while, be full, or be shutting down';
    return error('closed', `closed the connection: ${why}; try another node, or later`);
  }
  const foreign = foreignNetwork(names, await protocolsOf(node, connection));
  if (foreign === undefined) {
    return error('unsupported_protocol', `does not speak ${protocol}; give the address of one that does`);
  }
  const cure = 'use the genesis file of that network, or the address of a node of this one';
  return error('wrong_network', `belongs to network ${foreign}, not to ${names.network}; ${cure}`);
}

/** What the peer says that it speaks, once it has said so. */
async function protocolsOf(node: Libp2p, connection: Connection): Promise<readonly string[]> {
  const identified = new Promise<readonly string[]>((resolve) => {
    const done = (protocols: readonly string[]): void => {
      clearTimeout(timer);
      node.removeEventListener('peer:identify', onIdentify);
      resolve(protocols);
    };
    const onIdentify = (event: CustomEvent<IdentifyResult>): void => {
      if (event.detail.peerId.equals(connection.remotePeer)) done(event.detail.protocols);
    };
    const timer = setTimeout(() => done([]), IDENTIFY_WAIT_MS).unref();
    node.addEventListener('peer:identify', onIdentify);
  });
  const known = await node.peerStore.get(connection.remotePeer).catch(() => undefined);
  const spoken = known?.protocols ?? [];
  return spoken.some((protocol) => protocol.startsWith('/ravel/')) ? spoken : identified;
}
