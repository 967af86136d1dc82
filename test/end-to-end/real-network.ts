/**
 * A network of real processes on 127.0.0.1, made as `ravel init` makes it: validators that are started, killed and started
 * again, owners with money, and clients. Keys and ports come from a name, so that no two networks of a run are the same.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  blake3,
  Core,
  decodeWitness,
  type Genesis,
  isRefusal,
  KIND,
  type Units,
  type Witness,
} from '../../ledger/index.ts';
import { initNetwork } from '../../node/network-files.ts';
import { Store } from '../../node/store.ts';
import type { NodeView } from '../../p2p/index.ts';
import { keysOf } from '../dsl/network.ts';
import { Client } from './client.ts';
import { eventually } from './deadline.ts';
import { Owner } from './owner.ts';
import { type Ended, RavelProcess } from './ravel-process.ts';

export const WORK_BITS = 8;

export interface RealNetworkOptions {
  readonly name: string;
  readonly validators: number;
  /** What each owner has at the start. */
  readonly funds: Readonly<Record<string, number>>;
  /** More flags of one node. */
  readonly flags?: Readonly<Record<number, readonly string[]>>;
}

export class RealNetwork implements AsyncDisposable {
  readonly genesis: Genesis;
  /** The network's folder. */
  readonly dir: string;
  readonly #ports: readonly number[];
  readonly #options: RealNetworkOptions;
  readonly #processes = new Map<number, RavelProcess>();
  readonly #owned: AsyncDisposable[] = [];
  #client: Client | undefined;

  private constructor(options: RealNetworkOptions, genesis: Genesis, dir: string, ports: readonly number[]) {
    this.#options = options;
    this.genesis = genesis;
    this.dir = dir;
    this.#ports = ports;
  }

  /** Files only; see `start`. */
  static async create(options: RealNetworkOptions): Promise<RealNetwork> {
    const dir = await mkdtemp(path.join(tmpdir(), 'ravel-network-'));
    const ports = await freePorts(options.validators);
    let drawn = 0;
    const genesis = await initNetwork(
      {
        dir,
        validators: options.validators,
        prefix: 'test',
        workBits: WORK_BITS,
        allocations: Object.entries(options.funds).map(([name, amount]) => ({
          address: keysOf(name).address,
          amount: amount as Units,
        })),
        addresses: ports.map((port) => `/ip4/127.0.0.1/tcp/${port}`),
      },
      { randomBytes: () => blake3(new TextEncoder().encode(`${options.name} ${drawn++}`)) },
    );
    return new RealNetwork(options, genesis, dir, ports);
  }

  /** Numbers of all validators. */
  get nodes(): readonly number[] {
    return this.#ports.map((_, node) => node);
  }

  get running(): readonly number[] {
    return this.nodes.filter((node) => this.#processes.get(node)?.running === true);
  }

  port(node: number): number {
    return this.#ports[node]!;
  }

  address(node: number): string {
    return `/ip4/127.0.0.1/tcp/${this.port(node)}`;
  }

  folder(node: number): string {
    return path.join(this.dir, 'validators', String(node));
  }

  owner(name: string): Owner {
    return new Owner(name, this.genesis);
  }

  /** Starts those that do not run, and waits until they can be reached. */
  async start(...nodes: readonly number[]): Promise<void> {
    const wanted = nodes.length > 0 ? nodes : this.nodes;
    const started = wanted
      .filter((node) => !this.running.includes(node))
      .map((node) => {
        const flags = this.#options.flags?.[node] ?? [];
        const child = new RavelProcess(['node', '--dir', this.folder(node), '--json', ...flags]);
        this.#processes.set(node, child);
        return child;
      });
    await Promise.all(started.map((child) => child.ready()));
  }

  process(node: number): RavelProcess {
    const child = this.#processes.get(node);
    assert.ok(child !== undefined, `node ${node} was never started`);
    return child;
  }

  /** SIGKILL to all of them at once; waits until they are gone. */
  async kill(...nodes: readonly number[]): Promise<void> {
    for (const node of nodes) this.process(node).signal('SIGKILL');
    for (const node of nodes) assert.equal((await this.process(node).ended).signal, 'SIGKILL');
  }

  /** SIGTERM to all of them; how each has ended. */
  stop(...nodes: readonly number[]): Promise<Ended[]> {
    return Promise.all(nodes.map((node) => this.process(node).stop()));
  }

  /** A client of its own identity, to be cut by nodes that it offends. */
  async client(): Promise<Client> {
    const { genesis } = this;
    const client = await Client.create({ genesis, address: (node) => this.address(node) });
    this.#owned.push(client);
    return client;
  }

  /** How a node is now. Rejects when it cannot be reached. */
  async status(node: number): Promise<NodeView> {
    this.#client ??= await this.client();
    return (await this.#client.link(node)).status();
  }

  /** The same, or undefined while the node cannot be reached. */
  async glance(node: number): Promise<NodeView | undefined> {
    return this.status(node).catch(() => undefined);
  }

  /** Waits until all that run have decided all that is final, and have the same state; the supply must be the genesis' own. */
  async agreement(): Promise<NodeView> {
    let views: readonly (NodeView | undefined)[] = [];
    await eventually(
      () => `all nodes agree: ${JSON.stringify(views.map((view) => view && told(view)))}`,
      async () => {
        views = await Promise.all(this.running.map((node) => this.glance(node)));
        const [first] = views;
        return first !== undefined && views.every((view) => view !== undefined && agree(view, first));
      },
    );
    assert.equal(views.length, this.running.length);
    for (const view of views) assert.equal(view?.supply, this.genesis.supply);
    return views[0]!;
  }

  /** Waits until every running node is connected to so many other nodes. */
  async connected(peers = this.running.length - 1): Promise<void> {
    await eventually('all nodes are connected', async () => {
      const views = await Promise.all(this.running.map((node) => this.glance(node)));
      return views.every((view) => view !== undefined && view.peers >= peers);
    });
  }

  /** The database of a node that does not run. */
  async *#stored(node: number): AsyncGenerator<Uint8Array> {
    await using store = await Store.open(path.join(this.folder(node), 'db'), { genesisId: this.genesis.id });
    for await (const { bytes } of store.load()) yield bytes;
  }

  /** What a node that does not run will know when it starts, from its own disk alone. */
  async restored(node: number): Promise<Core> {
    const core = new Core({ genesis: this.genesis });
    for await (const bytes of this.#stored(node)) core.restore(bytes);
    return core;
  }

  /** All witnesses in the database of a node that does not run. */
  async storedWitnesses(node: number): Promise<Witness[]> {
    const witnesses: Witness[] = [];
    for await (const bytes of this.#stored(node)) {
      if (bytes[0] !== KIND.witness) continue;
      const witness = decodeWitness(bytes, this.genesis.network);
      if (isRefusal(witness)) throw new Error(`node ${node} stores ${JSON.stringify(witness)}`);
      witnesses.push(witness);
    }
    return witnesses;
  }

  /** Ends every process by its id and removes the folder, whatever happened. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.values()].map((child) => child[Symbol.asyncDispose]()));
    await Promise.all(this.#owned.map((part) => part[Symbol.asyncDispose]()));
    await rm(this.dir, { recursive: true, force: true });
  }
}

function agree(a: NodeView, b: NodeView): boolean {
  return a.root === b.root && a.finalPayments === b.finalPayments && a.decidedPayments === b.finalPayments;
}

function told({ round, finalPayments, root, queue, peers, rounds }: NodeView): object {
  return { round, finalPayments, root: root.slice(0, 8), queue, peers, rounds };
}

/**
 * Ports below those that the system gives to outgoing connections: a node that is down for a while must find its own free
 * when it comes back.
 */
async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  const first = 12_000 + (process.pid % 1_000) * 16;
  for (let port = first; found.length < count && port < 32_000; port++) {
    if (!taken.has(port) && (await isFree(port))) found.push(port);
  }
  assert.equal(found.length, count, 'there are free ports');
  for (const port of found) taken.add(port);
  return found;
}

const taken = new Set<number>();

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
