import assert from 'node:assert/strict';
import {
  encodeLastWitness,
  type Hash,
  type LastWitness,
  type Refusal,
  sign,
  type VertexId,
} from '../../ledger/index.ts';
import { firstRound, LastRound, requiredAnswers } from '../../node/last-round.ts';
import { type PeerView, silentLog } from '../../p2p/index.ts';
import { keysOf, TestNetwork } from '../dsl/network.ts';
import { until } from '../p2p/network.ts';

const NAMES = 'ABCDEFG';
const FOUR = new TestNetwork({ weights: [1, 1, 1, 1], funds: { alice: 1 }, signed: true }).genesis;

function idOf(round: number): VertexId {
  return (round === 0 ? FOUR.id : (round.toString(16).padStart(64, '0') as Hash)) as VertexId;
}

/** What a peer says; D is asking. */
interface Told {
  readonly round: number;
  readonly quorum: number;
  readonly witness?: Uint8Array;
  /** Whose key signs; the peer's own. */
  readonly signer?: string;
  readonly about?: number;
  readonly nonce?: Uint8Array;
}

/** Validator D without its disk, among peers of whom a test says what they tell. */
class Scene implements AsyncDisposable {
  /** By the validator's name. Missing: it says nothing. */
  readonly told: Record<string, Told> = {};
  readonly penalised: { peer: string; code: Refusal['code'] }[] = [];
  readonly taken: string[] = [];
  readonly votes: number[] = [];
  /** What this node has seen itself. */
  knows = { round: 0, quorum: 0 };
  asked = 0;
  nowMs = 0;
  readonly lastRound: LastRound;

  constructor(genesis = FOUR) {
    this.lastRound = new LastRound(
      { genesis, validator: 3, retryMs: 1, graceMs: 1000, reportMs: 1 },
      {
        log: silentLog,
        peers: {
          list: () =>
            ['A', 'B', 'C', 'x'].map(
              (id): PeerView => ({ id, address: '', direction: 'inbound', points: 0 }),
            ),
          lastWitness: async (peer, { validator, nonce }) => {
            this.asked++;
            const told = this.told[peer];
            if (told === undefined) {
              if (peer === 'x') throw new Error('a node without a key');
              return undefined;
            }
            const said = {
              by: NAMES.indexOf(peer),
              about: told.about ?? validator,
              nonce: told.nonce ?? nonce,
              round: told.round,
              witness: told.round === 0 ? genesis.id : idOf(told.round),
              highestQuorum: told.quorum,
            };
            const { secret } = keysOf(`validator ${told.signer ?? peer}`);
            const statement = encodeLastWitness(genesis.network, said, (message) => sign(secret, message));
            return told.witness === undefined ? { statement } : { statement, witness: told.witness };
          },
          penalise: (peer, { code }) => this.penalised.push({ peer, code }),
        },
        nowMs: () => this.nowMs,
        randomBytes: (length) => new Uint8Array(length).fill(this.asked),
        take: async (_, from) => {
          this.taken.push(from);
          return 'accept';
        },
        holds: async ({ round, highestQuorum }: LastWitness) =>
          round <= this.knows.round && highestQuorum <= this.knows.quorum,
        vote: async (round) => {
          this.votes.push(round);
        },
      },
    );
    void this.lastRound.start();
  }

  /** Everybody has been asked some times more. */
  async turns(): Promise<void> {
    const from = this.asked;
    await until('it has asked again', () => this.asked > from + 20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lastRound.stop();
  }
}

describe('a validator that has lost its disk', () => {
  it('does not vote before q of the others have answered, and then beyond all that it may have signed', async () => {
    await using scene = new Scene();
    scene.knows = { round: 100, quorum: 100 };
    scene.told.A = { round: 7, quorum: 9 };
    scene.told.B = { round: 6, quorum: 12 };
    await scene.turns();
    assert.deepEqual(scene.votes, []);
    scene.told.C = { round: 0, quorum: 0 };
    await until('it votes', () => scene.votes.length === 1);
    assert.deepEqual(scene.votes, [15]);
    const { asked } = scene;
    await scene.lastRound.start();
    assert.equal(scene.asked, asked, 'it asks no more');
  });

  it('first has what they know itself: its witness, and the rounds since', async () => {
    await using scene = new Scene();
    for (const name of ['A', 'B', 'C'])
      scene.told[name] = { round: 7, quorum: 9, witness: new Uint8Array(9) };
    scene.knows = { round: 6, quorum: 9 };
    await scene.turns();
    assert.deepEqual(scene.votes, []);
    assert.deepEqual(new Set(scene.taken), new Set(['A', 'B', 'C']));
    scene.knows = { round: 7, quorum: 8 };
    await scene.turns();
    assert.deepEqual(scene.votes, []);
    scene.knows = { round: 7, quorum: 9 };
    await until('it votes', () => scene.votes.length === 1);
    assert.deepEqual(scene.votes, [12]);
  });

  it('votes though the others are always a step ahead of it when they are asked', async () => {
    await using scene = new Scene();
    scene.knows = { round: 7, quorum: 8 };
    const told = {
      round: 7,
      get quorum(): number {
        const quorum = 9 + Math.floor(scene.asked / 4);
        scene.knows = { round: 7, quorum: quorum - 1 };
        setTimeout(() => {
          scene.knows = { round: 7, quorum };
        }, 0);
        return quorum;
      },
    };
    for (const name of ['A', 'B', 'C']) scene.told[name] = told;
    await until('it votes', () => scene.votes.length === 1);
  });

  it('waits a while for those whose answer is not needed, as they may know of a younger witness', async () => {
    const net = new TestNetwork({ weights: [2, 2, 2, 1], funds: { alice: 1 }, signed: true });
    await using scene = new Scene(net.genesis);
    scene.knows = { round: 100, quorum: 100 };
    scene.told.A = { round: 7, quorum: 9 };
    scene.told.B = { round: 7, quorum: 9 };
    scene.told.C = { round: 7, quorum: 9 };
    await until('everybody has answered', () => scene.votes.length === 1);

    // Weights 3 2 1 1: A and B are enough.
    const other = new TestNetwork({ weights: [3, 2, 1, 1], funds: { alice: 1 }, signed: true });
    await using late = new Scene(other.genesis);
    late.knows = { round: 100, quorum: 100 };
    late.told.A = { round: 7, quorum: 9 };
    late.told.B = { round: 7, quorum: 9 };
    await late.turns();
    assert.deepEqual(late.votes, []);
    late.nowMs = 1000;
    await until('it has waited', () => late.votes.length === 1);
  });

  const LIES: Readonly<Record<string, Partial<Told>>> = {
    'signs with another key': { signer: 'B' },
    'answers about another': { about: 2 },
    'repeats an old answer': { nonce: new Uint8Array(32) },
  };
  for (const [what, lie] of Object.entries(LIES)) {
    it(`takes no answer of one that ${what}, who hears of it`, async () => {
      await using scene = new Scene();
      scene.knows = { round: 100, quorum: 100 };
      scene.told.B = { round: 7, quorum: 9 };
      scene.told.C = { round: 7, quorum: 9 };
      scene.told.A = { round: 1, quorum: 1, ...lie };
      await scene.turns();
      assert.deepEqual(scene.votes, []);
      assert.ok(scene.penalised.length > 0 && scene.penalised.every(({ peer }) => peer === 'A'));
      scene.told.A = { round: 1, quorum: 1 };
      await until('it votes', () => scene.votes.length === 1);
    });
  }

  it('counts one who tells of what nobody has seen like one who says nothing', async () => {
    await using scene = new Scene();
    scene.knows = { round: 100, quorum: 100 };
    for (const name of ['A', 'B', 'C']) scene.told[name] = { round: 7, quorum: 9 };
    scene.told.A = { round: 7, quorum: 2 ** 32 - 1 };
    await scene.turns();
    scene.told.A = { round: 2 ** 32 - 1, quorum: 9 };
    await scene.turns();
    assert.deepEqual(scene.votes, []);
    scene.told.A = { round: 7, quorum: 10 };
    await until('it votes', () => scene.votes.length === 1);
    assert.deepEqual(scene.votes, [13]);
  });

  it('asks no more when it turns out that it has contradicted itself', async () => {
    await using scene = new Scene();
    scene.lastRound.exposed(1);
    await scene.turns();
    scene.lastRound.exposed(3);
    await scene.lastRound.start();
    assert.deepEqual(scene.votes, []);
  });

  /** Weights, who asks, what it takes. */
  const ROWS: readonly (readonly [weights: number[], validator: number, required: unknown])[] = [
    [[1, 1, 1, 1], 3, { weight: 3, all: false }],
    [[1, 1, 1, 1, 1, 1, 1], 0, { weight: 5, all: false }],
    // Less than q is left: everybody has to answer.
    [[1, 1, 1], 0, { weight: 2, all: true }],
    [[1, 1], 0, { weight: 1, all: true }],
    [[5, 1, 1, 1], 0, { weight: 3, all: true }],
    [[5, 1, 1, 1], 1, { weight: 6, all: false }],
    [[1], 0, undefined],
  ];
  for (const [weights, validator, required] of ROWS) {
    it(`needs ${JSON.stringify(required) ?? 'what nobody can give'} for validator ${validator} of ${weights.join(' ')}`, () => {
      const { genesis } = new TestNetwork({ weights, funds: { alice: 1 }, signed: true });
      assert.deepEqual(requiredAnswers(genesis, validator), required);
    });
  }

  it('goes on right after its last witness where the others cannot go on without it', () => {
    const said = [
      { round: 7, highestQuorum: 6 },
      { round: 8, highestQuorum: 7 },
    ] as LastWitness[];
    assert.equal(firstRound(said, { weight: 2, all: true }), 9);
    assert.equal(firstRound(said, { weight: 2, all: false }), 10);
  });
});
