import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { type Address, type Block, makeGenesis, type Refusal, type Units } from '../../ledger/index.ts';
import type { Submission } from '../../node/admission.ts';
import { BlockAssembly } from '../../node/block-assembly.ts';
import { FLIGHT_BLOCKS, FULL_BLOCK_PAYMENTS } from '../../node/limits.ts';
import { RawAccount } from '../../node/load/raw-account.ts';

const LINGER_MS = 5;

const genesis = makeGenesis({
  prefix: 'test',
  workBits: 0,
  committee: [{ scheme: 0, publicKey: new Uint8Array(32).fill(1), weight: 1 }],
  allocations: [{ address: 'a'.repeat(64) as Address, amount: 1 as Units }],
});
const account = new RawAccount(genesis, new Uint8Array(32).fill(7));
const payments = Array.from({ length: FULL_BLOCK_PAYMENTS + 11 }, (): Submission => {
  const payment = account.pay([{ to: account.address, amount: 1 as Units }], new Uint8Array(8));
  return { ...payment, workBits: 0 };
});

/** An assembly with a clock of its own, and what it has attached. */
class Scene {
  nowMs = 1000;
  usualMs = 0;
  held = false;
  refusal: Refusal | undefined;
  /** When each block left, and how many payments it carried. */
  readonly blocks: { readonly atMs: number; readonly payments: number }[] = [];
  readonly dropped: Submission[] = [];
  readonly returned: Submission[] = [];
  readonly #waiting: Submission[] = [];
  #come = 0;
  readonly #assembly: BlockAssembly;

  constructor() {
    const scene = this;
    this.#assembly = new BlockAssembly(
      { network: genesis.network, lingerMs: LINGER_MS },
      {
        admission: {
          get ready() {
            return scene.#waiting.length;
          },
          get usualMs() {
            return scene.usualMs;
          },
          take: () => scene.#waiting.splice(0, FULL_BLOCK_PAYMENTS),
          returned: (list) => void scene.returned.push(...(list as Submission[])),
        },
        nowMs: () => this.nowMs,
        parents: () => [genesis.id],
        held: () => this.held,
        attach: (block) => this.#attach(block),
        dropped: (payment) => void this.dropped.push(payment),
        onTimer: (work) => work(),
      },
    );
  }

  #attach(block: Block): 'accept' | Refusal {
    if (this.refusal !== undefined) return this.refusal;
    this.blocks.push({ atMs: this.nowMs, payments: block.payloads.length });
    return 'accept';
  }

  come(count: number): void {
    this.#waiting.push(...payments.slice(this.#come, this.#come + count));
    this.#come += count;
    this.#assembly.soon();
  }

  /** Lets time pass. */
  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.nowMs++;
      mock.timers.tick(1);
    }
  }
}

describe('the assembly of blocks', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('lets a lone payment leave at once', () => {
    const scene = new Scene();
    scene.come(1);
    mock.timers.tick(0);
    assert.deepEqual(scene.blocks, [{ atMs: 1000, payments: 1 }]);
    scene.pass(LINGER_MS);
    scene.come(1);
    mock.timers.tick(0);
    assert.deepEqual(scene.blocks.at(-1), { atMs: 1000 + LINGER_MS, payments: 1 });
  });

  it('gathers what follows closely, for longer when finality takes longer', () => {
    for (const usualMs of [0, 20 * FLIGHT_BLOCKS]) {
      const scene = new Scene();
      scene.usualMs = usualMs;
      const gapMs = Math.max(LINGER_MS, usualMs / FLIGHT_BLOCKS);
      scene.come(1);
      mock.timers.tick(0);
      for (let ms = 0; ms < gapMs; ms++) {
        scene.come(2);
        assert.equal(scene.blocks.length, 1);
        scene.pass(1);
      }
      mock.timers.tick(1);
      assert.deepEqual(scene.blocks.at(-1), { atMs: 1000 + gapMs, payments: 2 * gapMs });
    }
  });

  it('lets a full block leave at once, and the rest after it', () => {
    const scene = new Scene();
    scene.come(1);
    mock.timers.tick(0);
    scene.come(FULL_BLOCK_PAYMENTS + 10);
    mock.timers.tick(0);
    assert.deepEqual(scene.blocks.at(-1), { atMs: 1000, payments: FULL_BLOCK_PAYMENTS });
    scene.pass(2 * LINGER_MS);
    assert.deepEqual(
      scene.blocks.map((block) => block.payments),
      [1, FULL_BLOCK_PAYMENTS, 10],
    );
  });

  it('waits no longer than a gap when the clock is set back', () => {
    const scene = new Scene();
    scene.come(1);
    mock.timers.tick(0);
    scene.nowMs -= 900;
    scene.come(1);
    scene.pass(LINGER_MS + 1);
    assert.equal(scene.blocks.length, 2);
  });

  it('sends nothing while nothing can be attached, and returns what was refused', () => {
    const scene = new Scene();
    scene.held = true;
    scene.come(1);
    scene.pass(LINGER_MS);
    assert.deepEqual(scene.blocks, []);
    scene.held = false;
    scene.refusal = { code: 'tangle_full', vertices: 1, max: 1 };
    scene.come(1);
    scene.pass(LINGER_MS);
    assert.equal(scene.returned.length, 2);
    assert.equal(scene.dropped.length, 2);
  });
});
