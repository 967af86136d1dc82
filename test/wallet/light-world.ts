import assert from 'node:assert/strict';
import { type Address, searchWork, type Transfer, type Units } from '../../ledger/index.ts';
import { type Log, silentLog } from '../../p2p/index.ts';
import { createLightClient } from '../../wallet/light-client.ts';
import type { LightClient, LightClientOptions, LightTuning } from '../../wallet/light-options.ts';
import type { Signer } from '../../wallet/signer.ts';
import { WalletError } from '../../wallet/wallet-error.ts';
import { FakeNetwork, signerOf } from './fake-network.ts';
import { FakeNode, FakePeers } from './fake-peers.ts';
import { MemoryStore } from './memory-store.ts';
import { VirtualTime } from './virtual-time.ts';

/** The car whose wallet is tried, a charger, and somebody else. */
export const CAR = 1;
export const CHARGER = 2;
export const STRANGER = 3;
export const car: Address = signerOf(CAR).address;
export const charger: Address = signerOf(CHARGER).address;
export const stranger: Address = signerOf(STRANGER).address;

export function to(address: Address, amount: number): Transfer[] {
  return [{ to: address, amount: amount as Units }];
}

export interface Start {
  readonly store?: MemoryStore;
  readonly owner?: number;
  readonly signer?: Signer;
  readonly tuning?: Partial<LightTuning>;
  readonly limits?: LightClientOptions['limits'];
  readonly nodes?: readonly FakeNode[];
  readonly log?: Log;
  /** Called before anything can happen. */
  readonly watch?: (client: LightClient) => void;
}

/** A network of three honest nodes, one wallet, and time that stands still. */
export class LightWorld {
  readonly network = new FakeNetwork([
    [car, 1000],
    [stranger, 1000],
  ]);
  readonly time = new VirtualTime();
  readonly nodes = ['a', 'b', 'c'].map((name) => new FakeNode(this.network, name));
  readonly peers = new FakePeers(this.nodes);
  readonly store = new MemoryStore();
  readonly #clients: LightClient[] = [];
  /** Nonce searches that were asked for. */
  searches = 0;
  /** How long a search takes. */
  work: () => Promise<void> = async () => {};

  get a(): FakeNode {
    return this.nodes[0]!;
  }

  get b(): FakeNode {
    return this.nodes[1]!;
  }

  get c(): FakeNode {
    return this.nodes[2]!;
  }

  async start({ store, owner, signer, tuning, limits, nodes, log, watch }: Start = {}): Promise<LightClient> {
    const client = await createLightClient(
      {
        genesis: this.network.genesis,
        nodes: (nodes ?? this.nodes).map(({ address }) => address),
        ...(limits && { limits }),
        ...(tuning && { tuning }),
      },
      {
        signer: signer ?? signerOf(owner ?? CAR),
        peers: this.peers,
        store: store ?? this.store,
        log: log ?? silentLog,
        nowMs: this.time.nowMs,
        timers: this.time,
        findWork: async (seed, bits) => {
          this.searches++;
          await this.work();
          return searchWork(seed, bits, 0, 1_000_000)!;
        },
      },
    );
    this.#clients.push(client);
    watch?.(client);
    await this.time.settle();
    return client;
  }

  /** The machine stops: nothing that the client does from now on counts, and nobody waits for it. */
  crash(client: LightClient): void {
    this.#clients.splice(this.#clients.indexOf(client), 1);
    void client[Symbol.asyncDispose]();
  }

  /** The error with which something fails. */
  async failure(promise: Promise<unknown>): Promise<WalletError> {
    const error = await this.time.result(
      promise.then(
        () => new Error('it did not fail'),
        (error: unknown) => error,
      ),
    );
    assert.ok(error instanceof WalletError, String(error));
    return error;
  }

  /** Everything that was ever submitted anywhere or gossiped by wallets, as distinct payments. */
  get distinctSubmitted(): Set<string> {
    return new Set(
      this.nodes.flatMap(({ submitted }) => submitted.map((bytes) => Buffer.from(bytes).toString('hex'))),
    );
  }

  /** Makes final whatever nodes have accepted, lowest sequence first. */
  finalizeAccepted(): void {
    const accepted = new Map(this.nodes.flatMap((node) => [...node.accepted]));
    for (const payment of [...accepted.values()].sort((x, y) => x.sequence - y.sequence)) {
      this.network.finalize(payment);
    }
  }

  /** Ends all clients; none may leave a timer behind. */
  async end(): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.time.settle();
    assert.equal(this.time.pending, 0, 'timers are left');
  }
}
