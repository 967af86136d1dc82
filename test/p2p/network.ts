/** Participants on 127.0.0.1 for the tests of this room: real libp2p, ports of the system's choice. */
import {
  type Address,
  blake3Hex,
  type Hash,
  type NetworkId,
  type PaymentId,
  type Units,
  type VertexId,
} from '../../ledger/index.ts';
import {
  createLightPeers,
  createPeers,
  type LightHandlers,
  type LightPeers,
  type PeerLimits,
  type Peers,
  type PeersOptions,
  silentLog,
  type VertexHandlers,
} from '../../p2p/index.ts';

export const NETWORK = new Uint8Array(16).fill(0xaa) as NetworkId;
export const OTHER_NETWORK = new Uint8Array(16).fill(0xbb) as NetworkId;

export const ADDRESS = 'a1'.repeat(32) as Address;
export const PAYMENT = 'b2'.repeat(32) as PaymentId;

let seeds = 0;

/** A fresh identity, the same ones in every run. */
export function seed(): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, ++seeds);
  return bytes;
}

/** Bytes that stand for a vertex; different numbers make different ones. */
export function vertex(number: number, size = 300): Uint8Array {
  const bytes = new Uint8Array(size).fill(7);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

export function idOf(bytes: Uint8Array): VertexId {
  return blake3Hex<VertexId>(bytes);
}

export const noVertices: VertexHandlers = {
  gossip: () => Promise.resolve('accept'),
  fetch: () => Promise.resolve([]),
  since: () => Promise.resolve({ vertices: [] }),
  lastWitness: () => Promise.resolve(undefined),
  snapshot: () => Promise.resolve(undefined),
  snapshotParts: () => Promise.resolve(undefined),
};

export const noLight: LightHandlers = {
  submit: (payments) => Promise.resolve(payments.map(() => ({ id: PAYMENT, status: 'queued' as const }))),
  tips: () => Promise.resolve([]),
  account: (address) =>
    Promise.resolve({
      address,
      balance: 10 as Units,
      pending: 10 as Units,
      sequence: 0,
      head: address,
      finalSequence: 0,
      finalHead: address,
    }),
  history: () => Promise.resolve([]),
  proof: () => Promise.resolve(undefined),
  balance: () => Promise.resolve(undefined),
  outcome: () => Promise.resolve(undefined),
  work: () => Promise.resolve(new Uint8Array(8)),
  status: () =>
    Promise.resolve({
      network: 'aa'.repeat(16),
      round: 1,
      vertices: 2,
      finalPayments: 3,
      decidedPayments: 2,
      supply: 4 as Units,
      accounts: 5,
      root: 'cc'.repeat(32) as Hash,
      queue: 0,
      peers: 0,
      rounds: [1],
    }),
  subscribe: () => () => {},
};

export interface NodeParts {
  readonly network?: NetworkId;
  readonly peers?: readonly string[];
  readonly listen?: readonly string[];
  readonly identitySeed?: Uint8Array;
  readonly mdns?: boolean;
  readonly connectionsMax?: number;
  readonly limits?: Partial<PeerLimits>;
  readonly vertices?: Partial<VertexHandlers>;
  readonly light?: Partial<LightHandlers>;
}

/** The participants of one test; all end with it. */
export class Scene implements AsyncDisposable {
  readonly #all: AsyncDisposable[] = [];

  async node(parts: NodeParts = {}): Promise<Peers> {
    const options: PeersOptions = {
      network: parts.network ?? NETWORK,
      listen: parts.listen ?? ['/ip4/127.0.0.1/tcp/0'],
      peers: parts.peers ?? [],
      mdns: parts.mdns ?? false,
      identitySeed: parts.identitySeed ?? seed(),
      connectionsMax: parts.connectionsMax ?? 50,
      limits: { redialMinMs: 50, redialMaxMs: 200, ...parts.limits },
    };
    const peers = await createPeers(options, {
      log: silentLog,
      nowMs: () => performance.now(),
      vertices: { ...noVertices, ...parts.vertices },
      light: { ...noLight, ...parts.light },
    });
    return this.add(peers);
  }

  async client(
    parts: {
      network?: NetworkId;
      listen?: readonly string[];
      requestTimeoutMs?: number;
      limits?: Partial<PeerLimits>;
    } = {},
  ): Promise<LightPeers> {
    const client = await createLightPeers(
      {
        network: parts.network ?? NETWORK,
        identitySeed: seed(),
        listen: parts.listen ?? [],
        requestTimeoutMs: parts.requestTimeoutMs ?? 3_000,
        limits: parts.limits,
      },
      { log: silentLog, nowMs: () => performance.now() },
    );
    return this.add(client);
  }

  add<T extends AsyncDisposable>(participant: T): T {
    this.#all.push(participant);
    return participant;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((participant) => participant[Symbol.asyncDispose]()));
  }
}

/** Waits until something real has happened. Throws with the words when it does not. */
export async function until(what: string, holds: () => boolean, timeoutMs = 5_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** The first address of a participant that listens. */
export function addressOf(participant: { readonly addresses: readonly string[] }): string {
  const address = participant.addresses[0];
  if (address === undefined) throw new Error('this participant does not listen');
  return address;
}
