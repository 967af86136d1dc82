/**
 * What the ledger thread can prove to a light client: the state of an account, who has a slot, that a payment is final. A
 * state can be proven while validators of weight >= q say that it is their last one, most of the time between two commits;
 * whoever asks in between waits for a moment.
 */
import {
  type Address,
  type BalanceProof,
  encodeBalanceProof,
  type Ledger,
  makeBalanceProof,
  OUTCOME_PAYMENTS_MAX,
  type Outcome,
  type PaymentId,
  type PaymentProof,
  type PaymentRecord,
  type Slot,
} from '../ledger/index.ts';
import { PROOF_WAIT_MS, PROOF_WAITS_MAX } from './limits.ts';

export interface ProofViewsDeps {
  readonly ledger: Ledger;
  /** The whole encoding of a payment, once it is on disk; undefined when it is forgotten. */
  bytesOf(payment: PaymentRecord): Promise<Uint8Array | undefined>;
  nowMs(): number;
}

/** Why a final payment cannot be proven: `early` - not yet; `late` - no more. */
export type Unprovable = 'early' | 'late';

interface Waiter {
  readonly untilMs: number;
  readonly go: () => void;
}

export class ProofViews {
  readonly #deps: ProofViewsDeps;
  #waiting: Waiter[] = [];

  constructor(deps: ProofViewsDeps) {
    this.#deps = deps;
  }

  /** Called now and then: whoever waits for a state that can be proven goes on when there is one, or when it is late. */
  wake(): void {
    if (this.#waiting.length === 0) return;
    const ready = this.#deps.ledger.checkpoints.headers() !== undefined;
    const nowMs = this.#deps.nowMs();
    const going = this.#waiting.filter(({ untilMs }) => ready || untilMs <= nowMs);
    if (going.length === 0) return;
    this.#waiting = ready ? [] : this.#waiting.filter(({ untilMs }) => untilMs > nowMs);
    for (const { go } of going) go();
  }

  /** Resolves when a state can be proven, or in vain after PROOF_WAIT_MS. */
  async provable(): Promise<void> {
    const { ledger, nowMs } = this.#deps;
    if (ledger.checkpoints.headers() !== undefined || this.#waiting.length >= PROOF_WAITS_MAX) return;
    await new Promise<void>((go) => {
      this.#waiting.push({ untilMs: nowMs() + PROOF_WAIT_MS, go });
    });
  }

  /** The block that carried it last is. */
  isForgotten({ carrierRow }: PaymentRecord): boolean {
    return carrierRow < this.#deps.ledger.tangle.base;
  }

  /** In the state of now. */
  #balance(address: Address): BalanceProof | undefined {
    const { ledger } = this.#deps;
    const headers = ledger.checkpoints.headers();
    if (headers === undefined) return undefined;
    return makeBalanceProof(
      ledger.checkpoints.tree,
      address,
      (account) => ledger.decidedOf(account),
      headers,
    );
  }

  async balance(address: Address): Promise<Uint8Array | undefined> {
    await this.provable();
    const proof = this.#balance(address);
    return proof && encodeBalanceProof(proof);
  }

  async outcome(payment: PaymentId, slot: Slot | undefined): Promise<Outcome | undefined> {
    const { ledger } = this.#deps;
    const asked = slot ?? ledger.accounts.get(payment)?.previous;
    if (asked === undefined || ledger.winnerOf(asked) === undefined) return undefined;
    await this.provable();
    const winner = ledger.winnerOf(asked);
    const record = winner && ledger.accounts.get(winner);
    if (record === undefined) return undefined;
    const outcome = await this.#outcomeOf(record);
    return typeof outcome === 'string' ? undefined : outcome;
  }

  /** The proof of a final payment. */
  async proofOf(payment: PaymentRecord): Promise<PaymentProof | Unprovable> {
    const { ledger } = this.#deps;
    if (payment.certifyWeight >= ledger.committee.quorum) {
      const proof = ledger.proof(payment.id);
      if (proof !== undefined) return proof;
    }
    return this.#outcomeOf(payment);
  }

  /** What commits have decided from this payment on. Everything that may change is looked at before anything is awaited. */
  async #outcomeOf(payment: PaymentRecord): Promise<Outcome | Unprovable> {
    const { ledger, bytesOf } = this.#deps;
    if (payment.decidedAt === 0) return 'early';
    const proof = this.#balance(payment.account.address);
    if (proof === undefined || proof.sequence < payment.sequence) return 'early';
    if (proof.sequence - payment.sequence >= OUTCOME_PAYMENTS_MAX) return 'late';
    const chain: PaymentRecord[] = [];
    for (let at = ledger.accounts.get(proof.head as PaymentId); at !== undefined; at = at.parent) {
      chain.unshift(at);
      if (at === payment) break;
    }
    if (chain[0] !== payment) return 'late';
    const encodings = await Promise.all(chain.map(bytesOf));
    const whole = encodings.filter((bytes) => bytes !== undefined);
    if (whole.length < chain.length) return chain.some((at) => this.isForgotten(at)) ? 'late' : 'early';
    return { balance: encodeBalanceProof(proof), chain: whole };
  }
}
