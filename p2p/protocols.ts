/** Names of protocols and topics. Each carries the network id, so that two networks never get past negotiation. */
import { hex, type NetworkId } from '../ledger/index.ts';
import { PeersError } from './errors.ts';

export interface Names {
  /** 32 hex characters. */
  readonly network: string;
  readonly fetch: string;
  readonly since: string;
  readonly lastWitness: string;
  readonly snapshot: string;
  readonly light: string;
  readonly blocks: string;
  readonly witnesses: string;
  readonly headers: string;
  /** The full name of a session protocol given as `name/version`. */
  readonly session: (protocol: string) => string;
}

export function namesOf(network: NetworkId): Names {
  const id = hex(network);
  const own = new Set(['fetch/1', 'since/1', 'last-witness/1', 'snapshot/1', 'light/1']);
  return {
    network: id,
    fetch: `/ravel/${id}/fetch/1`,
    since: `/ravel/${id}/since/1`,
    lastWitness: `/ravel/${id}/last-witness/1`,
    snapshot: `/ravel/${id}/snapshot/1`,
    light: `/ravel/${id}/light/1`,
    blocks: `/ravel/${id}/blocks/1`,
    witnesses: `/ravel/${id}/witnesses/1`,
    headers: `/ravel/${id}/headers/1`,
    session(protocol) {
      if (!/^[a-z][a-z0-9-]{0,31}\/[0-9]{1,3}$/.test(protocol) || own.has(protocol)) {
        throw new PeersError(
          'unsupported_protocol',
          `"${protocol}" is no name for a session protocol; use name/version, such as session/1`,
        );
      }
      return `/ravel/${id}/${protocol}`;
    },
  };
}

/** The Ravel networks that a peer's protocols tell of. */
export function networksOf(protocols: readonly string[]): Set<string> {
  const networks = new Set<string>();
  for (const protocol of protocols) {
    const network = /^\/ravel\/([0-9a-f]{32})\//.exec(protocol)?.[1];
    if (network !== undefined) networks.add(network);
  }
  return networks;
}

/** The other network that a peer belongs to, when it belongs to others and not to this one. */
export function foreignNetwork(names: Names, protocols: readonly string[]): string | undefined {
  const networks = networksOf(protocols);
  if (networks.has(names.network)) return undefined;
  return networks.values().next().value;
}
