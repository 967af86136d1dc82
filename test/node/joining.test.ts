import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  Core,
  decodeVertex,
  isRefusal,
  type Refusal,
  snapshotCheckpoint,
  type VertexId,
} from '../../ledger/index.ts';
import { Joining } from '../../node/joining.ts';
import { partsIn } from '../../node/snapshot-file.ts';
import type { PeerView, SnapshotOffer, Verdict } from '../../p2p/index.ts';
import { keysOf } from '../dsl/network.ts';
import { CORE, EPOCH_ROUNDS, genesis, history, type Made, PART_BYTES } from './made-snapshots.ts';

/** What a peer has, and what goes wrong with it. */
interface Holder {
  made: Made;
  offer?: Partial<SnapshotOffer>;
  /** It ends after so many windows. */
  windows?: number;
  /** Instead of part i. */
  part?: (part: Uint8Array, index: number) => Uint8Array;
  vertices?: readonly Uint8Array[];
}

/** An empty node that joins from peers of whom a test says what they have. */
class Scene implements AsyncDisposable {
  readonly holders: Record<string, Holder> = {};
  readonly asked: string[] = [];
  readonly lines: string[] = [];
  readonly penalised: string[] = [];
  readonly file: string;
  core = new Core(CORE);
  round = 0;
  #adopted: Core | undefined;
  readonly joining: Joining;
  readonly #dir: string;

  static async create(): Promise<Scene> {
    return new Scene(await mkdtemp(path.join(tmpdir(), 'ravel-joining-')));
  }

  private constructor(dir: string) {
    this.#dir = dir;
    this.file = path.join(dir, 'snapshot.part');
    this.joining = this.again();
  }

  /** The node after a restart. */
  again(): Joining {
    const line = (data: object, message: string): void => {
      this.lines.push(`${message} ${JSON.stringify(data)}`);
    };
    return new Joining(
      { genesis, file: this.file, staleRounds: EPOCH_ROUNDS, reportMs: 0 },
      {
        log: { debug: () => {}, info: line, warn: line, error: line },
        nowMs: () => 0,
        round: async () => this.round,
        peers: {
          list: () =>
            Object.keys(this.holders).map(
              (id): PeerView => ({ id, address: '', direction: 'inbound', points: 0 }),
            ),
          snapshot: async (peer) => this.#offer(this.holders[peer]!),
          snapshotParts: async (peer, { from }) => this.#window(peer, from),
          since: async (peer, { cursor = 0 }) => this.#vertices(this.holders[peer]!, cursor),
          penalise: (peer, { code }) => this.penalised.push(`${peer}: ${code}`),
        },
        adopt: async (file) => {
          const core = Core.fromSnapshot(CORE, [...partsIn(file)]);
          if (isRefusal(core)) return core;
          this.#adopted = core;
          return undefined;
        },
        restart: async () => {
          this.core = this.#adopted!;
        },
        take: async (vertices) => vertices.map((bytes) => this.#take(bytes)),
        awaited: async () => this.core.awaited,
      },
    );
  }

  #offer({ made, offer }: Holder): SnapshotOffer {
    const bytes = made.parts.reduce((sum, part) => sum + part.length, 0);
    return {
      leader: made.leader,
      count: made.parts.length,
      bytes,
      cursor: 10,
      first: made.parts[0]!,
      ...offer,
    };
  }

  #window(peer: string, from: number) {
    const holder = this.holders[peer]!;
    this.asked.push(`${peer} ${from}`);
    if (holder.windows !== undefined && holder.windows-- <= 0) throw new Error('the line is cut');
    const all = holder.made.parts.map((part, i) => holder.part?.(part, i) ?? part);
    const to = from + 2;
    return { parts: all.slice(from, to), next: to < all.length ? to : undefined };
  }

  /** In windows of 50, from 10 on. */
  #vertices({ made, vertices = made.vertices }: Holder, cursor: number) {
    const from = cursor - 10;
    const next = from + 50 < vertices.length ? cursor + 50 : undefined;
    return { vertices: vertices.slice(from, from + 50), next };
  }

  #take(bytes: Uint8Array): Verdict {
    const vertex = decodeVertex(bytes, genesis.network);
    if (isRefusal(vertex)) return vertex;
    const effects = this.core.step({ type: 'vertex', vertex, from: 'a', requested: true, nowMs: 0 });
    const refused = effects.find((effect) => effect.type === 'refused');
    return (refused as { refusal: Refusal } | undefined)?.refusal ?? 'accept';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.joining.stop();
    await rm(this.#dir, { recursive: true });
  }
}

function flipped(part: Uint8Array, at: number): Uint8Array {
  const bytes = part.slice();
  bytes[at]! ^= 1;
  return bytes;
}

describe('joining from a snapshot', function () {
  this.timeout(20_000);
  let older: Made;
  let younger: Made;

  before(() => {
    [older, younger] = history() as [Made, Made];
    assert.ok(younger.round > older.round + EPOCH_ROUNDS && younger.parts.length > 4);
  });

  it('takes the youngest, with progress, and then the vertices that belong to it', async () => {
    await using scene = await Scene.create();
    scene.holders.a = { made: older };
    scene.holders.b = { made: younger };
    assert.equal(await scene.joining.start(), true);
    assert.equal(scene.core.ledger.lastCommit.round, younger.round);
    assert.equal(scene.core.awaited, 0);
    assert.ok(scene.asked.every((one) => one.startsWith('b ')));
    const percents = scene.lines
      .flatMap((line) => /^Fetching .*"percent":(\d+)/.exec(line)?.[1] ?? [])
      .map(Number);
    assert.ok(
      percents.length > 3 && percents.filter((percent) => percent === 100).length === 2,
      `${percents}`,
    );
    assert.match(scene.lines.join('\n'), /"bar":"█{20}"/);
    assert.ok(scene.lines.some((line) => /^A snapshot is stale.*"peer":"a"/.test(line)));
    assert.deepEqual(scene.penalised, []);
    await assert.rejects(access(scene.file), 'nothing is left of the file');
  });

  it('goes on where it was interrupted, also after a restart', async () => {
    await using scene = await Scene.create();
    scene.holders.b = { made: younger, windows: 2 };
    assert.equal(await scene.joining.start(), false);
    // The last part was cut short by the crash.
    const whole = await readFile(scene.file);
    assert.ok(whole.length > 4 * PART_BYTES);
    delete scene.holders.b.windows;
    scene.asked.length = 0;
    const later = scene.again();
    assert.equal(await later.start(), true);
    assert.equal(scene.asked[0], 'b 4');
  });

  it('begins anew with another peer, or another snapshot', async () => {
    await using scene = await Scene.create();
    scene.holders.b = { made: younger, windows: 2 };
    assert.equal(await scene.joining.start(), false);
    delete scene.holders.b;
    scene.holders.c = { made: younger };
    scene.asked.length = 0;
    assert.equal(await scene.joining.start(), true);
    assert.equal(scene.asked[0], 'c 0');
  });

  /** A peer that lies, and what it is told. */
  const LIES: Readonly<Record<string, [holder: (made: Made) => Partial<Holder>, code: string]>> = {
    'headers that nobody has signed': [
      ({ parts }) => ({ offer: { first: flipped(parts[0]!, 1 + 16 + 4 + 1 + 200) } }),
      'bad_signature',
    ],
    'too few headers': [
      // The first header four times over.
      ({ parts }) => {
        const first = parts[0]!.slice();
        const at = 1 + 16 + 4 + 1;
        for (let i = 1; i < first[at - 1]!; i++) first.copyWithin(at + 261 * i, at, at + 261);
        return { offer: { first } };
      },
      'quorum_missing',
    ],
    'a state that is not the one that its headers prove': [
      ({ parts }) => {
        // The last byte of a balance.
        const at = Buffer.concat(parts).indexOf(Buffer.from(keysOf('alice').address, 'hex')) + 39;
        const index = Math.floor(at / PART_BYTES);
        return { part: (part, i) => (i === index ? flipped(part, at % PART_BYTES) : part) };
      },
      'malformed',
    ],
    'another leader than its headers name': [
      () => ({ offer: { leader: 'ab'.repeat(32) as VertexId } }),
      'malformed',
    ],
    'fewer parts than it offered': [({ parts }) => ({ offer: { count: parts.length + 1 } }), 'malformed'],
    'more parts than it offered': [({ parts }) => ({ offer: { count: parts.length - 1 } }), 'malformed'],
    'more bytes than it offered': [() => ({ offer: { bytes: 2 * PART_BYTES } }), 'malformed'],
    'parts without end that hold nothing': [() => ({ part: () => new Uint8Array() }), 'malformed'],
  };
  for (const [what, [lie, code]] of Object.entries(LIES)) {
    it(`refuses ${what}, says so, and takes the next one`, async () => {
      await using scene = await Scene.create();
      scene.holders.liar = { made: younger, ...lie(younger) };
      scene.holders.b = { made: younger };
      assert.equal(await scene.joining.start(), true);
      assert.deepEqual(scene.penalised, [`liar: ${code}`]);
      assert.ok(scene.lines.some((line) => /^A snapshot was refused.*"peer":"liar"/.test(line)));
      assert.equal(scene.core.ledger.lastCommit.root, rootOf(younger));
    });
  }

  it('does not join on a snapshot whose vertices do not come, and takes the next one', async () => {
    await using scene = await Scene.create();
    scene.holders.a = { made: younger, vertices: older.vertices };
    assert.equal(await scene.joining.start(), false);
    assert.ok(scene.core.awaited > 0);
    scene.holders.b = { made: younger };
    assert.equal(await scene.joining.start(), true);
    assert.equal(scene.core.awaited, 0);
  });

  it('fetches none that is not ahead of it, whoever says that it is behind', async () => {
    await using scene = await Scene.create();
    scene.holders.a = { made: younger };
    scene.round = younger.round;
    assert.equal(await scene.joining.start(), false);
    assert.deepEqual(scene.asked, []);
    scene.round -= 1;
    assert.equal(await scene.joining.start(), true);
  });

  it('does nothing where nobody has one', async () => {
    await using scene = await Scene.create();
    assert.equal(await scene.joining.start(), false);
    await scene.joining.stop();
    scene.holders.a = { made: younger };
    assert.equal(await scene.joining.start(), false);
  });
});

function rootOf({ parts }: Made): string {
  const checkpoint = snapshotCheckpoint(genesis, parts[0]!);
  assert.ok(!isRefusal(checkpoint));
  return checkpoint.root;
}
