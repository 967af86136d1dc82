/** What the ledger thread answers to readers: accounts, history with proofs, status, windows of the tangle. */
import {
  type Address,
  type Core,
  encodePaymentProof,
  firstOf,
  hex,
  type Outcome,
  type PaymentId,
  type PaymentRecord,
  type Slot,
  type Units,
  type VertexId,
} from '../ledger/index.ts';
import type {
  AccountView,
  HistoryEntry,
  NodeView,
  ProofReply,
  SinceRequest,
  SinceWindow,
} from '../p2p/index.ts';
import { type Admission, claimOf } from './admission.ts';
import type { Outbox } from './outbox.ts';
import { ProofViews, type Unprovable } from './proof-views.ts';
import type { ReadyParents } from './ready-parents.ts';
import type { VertexStore } from './vertex-store.ts';
import type { Voting } from './voting.ts';

export interface LedgerViewsDeps {
  readonly core: Core;
  readonly admission: Admission;
  readonly outbox: Outbox;
  readonly store: VertexStore;
  readonly ready: ReadyParents;
  /** See OpenedLedger. */
  readonly rowOffset: number;
  readonly voting: Pick<Voting, 'index' | 'trouble'>;
  nowMs(): number;
}

export class LedgerViews {
  readonly #deps: LedgerViewsDeps;
  readonly #proofs: ProofViews;

  constructor(deps: LedgerViewsDeps) {
    this.#deps = deps;
    const { nowMs } = deps;
    this.#proofs = new ProofViews({
      ledger: deps.core.ledger,
      bytesOf: (payment) => this.#bytes(payment),
      nowMs: () => nowMs(),
    });
  }

  /** See ProofViews. */
  get proofs(): ProofViews {
    return this.#proofs;
  }

  get #ledger() {
    return this.#deps.core.ledger;
  }

  /** The last own witness. */
  ownTip(): VertexId | undefined {
    const { index } = this.#deps.voting;
    if (index === undefined) return undefined;
    const { tangle } = this.#ledger;
    const { tipRow } = tangle.branches.main(index);
    return tipRow === 0 || tipRow < tangle.base ? undefined : tangle.record(tipRow).id;
  }

  /** Parents for a new block: those laid ready by the tip worker, or, before it has started, the youngest vertex. */
  parents(): VertexId[] {
    const { tangle } = this.#ledger;
    const rows = this.#deps.ready.read().filter((row) => row < tangle.size);
    if (rows.length === 0) rows.push(tangle.size - 1);
    return rows.map((row) => tangle.record(row).id);
  }

  account(address: Address): AccountView {
    const { accounts } = this.#ledger;
    const account = accounts.peek(address);
    if (account === undefined) {
      const none = 0 as Units;
      return {
        address,
        balance: none,
        pending: none,
        sequence: 0,
        head: address,
        finalSequence: 0,
        finalHead: address,
      };
    }
    // The first known payment of each slot, as far as the chain goes.
    let last = accounts.rivalsFor(account.head)[0];
    for (let next = last; next !== undefined; next = firstOf(next.children)) last = next;
    const queued = this.#deps.admission.lastQueued(last?.id ?? account.head);
    const debits = queued?.branchDebits ?? last?.branchDebits ?? account.debits;
    return {
      address,
      balance: accounts.balanceOf(account),
      pending: Number(account.credits > debits ? account.credits - debits : 0n) as Units,
      sequence: queued?.sequence ?? last?.sequence ?? account.headSequence,
      head: queued?.id ?? last?.id ?? account.head,
      finalSequence: account.headSequence,
      finalHead: account.head,
    };
  }

  /**
   * A final payment as this address sees it: its place in the address's history, its bytes, its proof; or why it cannot be
   * proven now.
   */
  async entry(payment: PaymentRecord, address: Address): Promise<HistoryEntry | Unprovable> {
    // Looked for from the end, as it is nearly always a young one.
    const { history, historyBase } = this.#ledger.accounts.account(address);
    const index = history.lastIndexOf(payment);
    return index < 0 ? 'late' : this.#entryAt(payment, historyBase + index);
  }

  async #entryAt(payment: PaymentRecord, index: number): Promise<HistoryEntry | Unprovable> {
    const [proof, bytes] = await Promise.all([this.#proofs.proofOf(payment), this.#bytes(payment)]);
    if (bytes === undefined) return this.#proofs.isForgotten(payment) ? 'late' : 'early';
    return typeof proof === 'string' ? proof : { index, payment: bytes, proof: encodePaymentProof(proof) };
  }

  /** Undefined when the block that carried it last is forgotten, or not on a full disk. */
  async #bytes(payment: PaymentRecord): Promise<Uint8Array | undefined> {
    if (this.#proofs.isForgotten(payment)) return undefined;
    const { carrierRow: row, carrierStart: start, carrierEnd: end } = payment;
    const [block] = await this.#deps.outbox.get([this.#ledger.tangle.record(row).id]);
    // A copy: a view would travel to another thread with its whole block.
    return block?.slice(start, end);
  }

  async history(address: Address, after: number, limit: number): Promise<readonly HistoryEntry[]> {
    const { history = [], historyBase = 0 } = this.#ledger.accounts.peek(address) ?? {};
    const { outbox } = this.#deps;
    const page: HistoryEntry[] = [];
    const end = historyBase + history.length;
    for (let from = Math.max(after + 1, historyBase); page.length < limit && from < end; from += limit) {
      // While the disk is full nobody hears of what it has not taken.
      const told = history.slice(from - historyBase, from - historyBase + limit);
      const untold = outbox.full ? told.findIndex(({ id }) => !outbox.hasFinal(id)) : -1;
      const tellable = untold < 0 ? told : told.slice(0, untold);
      const entries = await Promise.all(tellable.map((payment, i) => this.#entryAt(payment, from + i)));
      // What cannot be proven yet is told later, with all that follows; what cannot be proven any more is left out.
      const early = entries.indexOf('early');
      const provable = early < 0 ? entries : entries.slice(0, early);
      page.push(...provable.filter((entry) => typeof entry !== 'string'));
      if (early >= 0 || untold >= 0) break;
    }
    return page.slice(0, limit);
  }

  async proof(id: PaymentId): Promise<ProofReply> {
    const payment = this.#ledger.accounts.get(id);
    const { outbox } = this.#deps;
    if (payment?.final && outbox.full && !outbox.hasFinal(id)) return { status: 'pending' };
    if (payment?.final) {
      const now = await this.entry(payment, payment.account.address);
      if (now !== 'early') return now === 'late' ? { status: 'final' } : now;
      await this.#proofs.provable();
      const later = await this.entry(payment, payment.account.address);
      return typeof later === 'string' ? { status: 'final' } : later;
    }
    return payment === undefined ? this.#deps.admission.claim(id) : claimOf(this.#ledger, payment);
  }

  balance(address: Address): Promise<Uint8Array | undefined> {
    return this.#proofs.balance(address);
  }

  outcome(payment: PaymentId, slot: Slot | undefined): Promise<Outcome | undefined> {
    return this.#proofs.outcome(payment, slot);
  }

  async since({
    round,
    cursor,
    bytesMax,
  }: SinceRequest & { readonly bytesMax: number }): Promise<SinceWindow> {
    const { tangle, reading } = this.#ledger;
    if (reading) return { vertices: [] };
    if (cursor === undefined && round < tangle.floor) return { vertices: [], floor: tangle.floor };
    const sequence = cursor ?? Math.max(1, tangle.firstRowOf(round)) + this.#deps.rowOffset;
    await this.#deps.outbox.settled();
    return this.#deps.store.since(sequence, bytesMax);
  }

  status(): NodeView {
    const { core, admission, voting } = this.#deps;
    const { tangle, accounts, genesis, checkpoints } = core.ledger;
    return {
      network: hex(genesis.network),
      validator: voting.index,
      round: core.rounds.highestQuorum,
      vertices: tangle.size,
      finalPayments: accounts.finals,
      decidedPayments: accounts.decided,
      supply: checkpoints.supply,
      accounts: checkpoints.accountsHeld,
      root: checkpoints.last.root,
      queue: admission.size,
      peers: 0,
      rounds: [...core.rounds.latest],
      trouble: voting.trouble,
    };
  }
}
