/**
 * A network of real processes on 127.0.0.1 whose disk, memory and traffic are looked at from outside: validators as `ravel
 * init` makes them, and a node without a key that comes later.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Address, type Genesis, isRefusal } from '../../ledger/index.ts';
import { openLedger } from '../../node/ledger-opening.ts';
import { LEDGER_VERTICES_MAX } from '../../node/limits.ts';
import { initNetwork } from '../../node/network-files.ts';
import { Store } from '../../node/store.ts';
import { freePorts } from '../../node/up/ports.ts';
import type { NodeView } from '../../p2p/index.ts';
import { Client } from './client.ts';
import { eventually } from './deadline.ts';
import { RavelProcess } from './ravel-process.ts';

const HOST = '127.0.0.1';
const BLOCK_BYTES = 512;
const START_MS_MAX = 300_000;

export interface MeasuredOptions {
  readonly validators: number;
  readonly workBits: number;
  readonly owners: readonly Address[];
  readonly unitsEach: number;
  /** Of every node; see shortEpoch. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What one node takes at a time; NaN where /proc does not tell. */
export interface Sample {
  /** Of the database's folder, as the file system counts. */
  readonly diskBytes: number;
  readonly rssBytes: number;
  /** Given to the disk since the start, what has been deleted since included. */
  readonly writtenBytes: number;
}

/** A snapshot that a node has made, as its log tells. */
export interface MadeSnapshot {
  readonly round: number;
  readonly bytes: number;
  readonly ms: number;
}

export class MeasuredNetwork implements AsyncDisposable {
  readonly genesis: Genesis;
  readonly dir: string;
  readonly #ports: readonly number[];
  readonly #options: MeasuredOptions;
  readonly #processes = new Map<number, RavelProcess>();
  #client: Promise<Client> | undefined;

  private constructor(options: MeasuredOptions, genesis: Genesis, dir: string, ports: readonly number[]) {
    this.#options = options;
    this.genesis = genesis;
    this.dir = dir;
    this.#ports = ports;
  }

  /** Files only; see `start`. */
  static async create(options: MeasuredOptions): Promise<MeasuredNetwork> {
    const dir = await mkdtemp(path.join(tmpdir(), 'ravel-measured-'));
    const ports = await freePorts(options.validators + 1, HOST);
    const amount = options.unitsEach as Genesis['supply'];
    const genesis = await initNetwork(
      {
        dir,
        validators: options.validators,
        prefix: 'test',
        workBits: options.workBits,
        allocations: options.owners.map((address) => ({ address, amount })),
        addresses: ports.slice(0, -1).map((port) => `/ip4/${HOST}/tcp/${port}`),
      },
      { randomBytes },
    );
    return new MeasuredNetwork(options, genesis, dir, ports);
  }

  /** Numbers of the validators. The node that comes later has the next one. */
  get nodes(): readonly number[] {
    return this.#ports.slice(0, -1).map((_, node) => node);
  }

  port(node: number): number {
    return this.#ports[node]!;
  }

  folder(node: number): string {
    const reader = node === this.#options.validators;
    return reader ? path.join(this.dir, 'reader') : path.join(this.dir, 'validators', String(node));
  }

  /** Starts these, or all validators, and waits until they can be reached. */
  async start(...nodes: readonly number[]): Promise<void> {
    const wanted = nodes.length > 0 ? nodes : this.nodes;
    for (const node of wanted) this.#run(node, ['--dir', this.folder(node)]);
    await Promise.all(wanted.map((node) => this.ready(node)));
  }

  /** Waits until a node can be reached; with very many accounts that takes a while. */
  async ready(node: number): Promise<void> {
    await eventually(
      () => `node ${node} can be reached: ${this.process(node).stderr.slice(-1_000)}`,
      () => {
        if (!this.process(node).running) throw new Error(`node ${node} ended: ${this.process(node).stderr}`);
        return this.glance(node);
      },
      START_MS_MAX,
    );
  }

  /** Starts a node without a key and with an empty folder, and does not wait. @param peers Ports that it dials. */
  startReader(peers: readonly number[]): RavelProcess {
    const node = this.#options.validators;
    return this.#run(node, [
      ...['--data-dir', this.folder(node), '--genesis', path.join(this.dir, 'genesis.json')],
      ...['--listen', `/ip4/${HOST}/tcp/${this.port(node)}`],
      ...['--peers', peers.map((port) => `/ip4/${HOST}/tcp/${port}`).join(',')],
    ]);
  }

  #run(node: number, args: readonly string[]): RavelProcess {
    const { environment = {} } = this.#options;
    const child = new RavelProcess(['node', '--json', ...args], { channel: true, environment });
    this.#processes.set(node, child);
    return child;
  }

  process(node: number): RavelProcess {
    return this.#processes.get(node)!;
  }

  client(): Promise<Client> {
    const address = (node: number): string => `/ip4/${HOST}/tcp/${this.port(node)}`;
    this.#client ??= Client.create({ genesis: this.genesis, address });
    return this.#client;
  }

  async status(node: number): Promise<NodeView> {
    return (await (await this.client()).link(node)).status();
  }

  /** The same, or undefined when it does not answer in time. */
  glance(node: number): Promise<NodeView | undefined> {
    return this.status(node).catch(() => undefined);
  }

  /** Waits until each validator is connected to all others. */
  async connected(): Promise<void> {
    await eventually('all validators are connected', async () => {
      const views = await Promise.all(this.nodes.map((node) => this.glance(node)));
      return views.every((view) => view !== undefined && view.peers >= this.nodes.length - 1);
    });
  }

  /** Waits until all validators have decided all that is final, and have the same accounts; the supply must be the genesis' own. */
  async agreement(): Promise<NodeView> {
    return eventually(
      'all validators agree',
      async () => {
        const views = await Promise.all(this.nodes.map((node) => this.glance(node)));
        const [first] = views;
        const same = views.every(
          (view) =>
            view?.root === first?.root &&
            view?.supply === this.genesis.supply &&
            view.decidedPayments === view.finalPayments &&
            view.queue === 0,
        );
        return same ? first : undefined;
      },
      120_000,
    );
  }

  async sample(node: number): Promise<Sample> {
    const { pid } = this.process(node);
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const io = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
    return {
      diskBytes: await bytesIn(path.join(this.folder(node), 'db')),
      rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024,
      writtenBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? Number.NaN),
    };
  }

  /** All that a node has told of its snapshots, oldest first. */
  snapshots(node: number): readonly MadeSnapshot[] {
    const lines = this.process(node).stderr.split('\n');
    return lines
      .filter((line) => line.startsWith('{') && line.includes('Made a snapshot'))
      .map((line) => JSON.parse(line) as MadeSnapshot);
  }

  /** What a node that does not run has on its disk: numbers of the first vertex and of the next one, and its ledger. */
  async stored(node: number) {
    const { genesis } = this;
    const folder = path.join(this.folder(node), 'db');
    await using store = await Store.open(folder, { genesisId: genesis.id });
    const { first, length } = store;
    const epochRounds = Number(this.#options.environment?.SHORT_EPOCH_ROUNDS ?? 1000);
    const { core } = await openLedger(
      { genesis, folder, verticesMax: LEDGER_VERTICES_MAX, epochRounds },
      store,
    );
    if (isRefusal(core)) throw new Error(`node ${node}: ${JSON.stringify(core)}`);
    return { first, length, ledger: core.ledger };
  }

  /** SIGKILL to all validators at once. */
  async kill(): Promise<void> {
    for (const node of this.nodes) this.process(node).signal('SIGKILL');
    await Promise.all(this.nodes.map((node) => this.process(node).ended));
  }

  /** Ends every process by its id and removes the folder, whatever happened. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.values()].map((child) => child[Symbol.asyncDispose]()));
    await (await this.#client)?.[Symbol.asyncDispose]();
    await rm(this.dir, { recursive: true, force: true });
  }
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  // LevelDB deletes files at any time.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(path.join(folder, name)).then(
        ({ blocks }) => blocks * BLOCK_BYTES,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
