/**
 * Witnesses that say what a liar wants and are valid all the same, as nothing else travels far: the liar's own ledger tells
 * what certificates and which checkpoint a valid one has to carry.
 */
import {
  type Core,
  decodeVertex,
  encodeWitness,
  isRefusal,
  type PaymentRecord,
  sign,
  type ValidatorIndex,
  type VertexId,
} from '../../ledger/index.ts';
import { NewPast } from '../../ledger/tangle.ts';
import type { Coverage } from '../../ledger/votes.ts';

/** What the witness is to say. */
export interface Wish {
  readonly round: number;
  /** A witness of its own, or the genesis. */
  readonly self: VertexId;
  readonly witnesses: readonly VertexId[];
  readonly tips: readonly VertexId[];
  readonly timeMs: number;
  /** Asked about each payment that the witness covers. */
  defers(payment: PaymentRecord): boolean;
  /** Asked about each payment that the witness before deferred. */
  accepts(payment: PaymentRecord): boolean;
  /** Asked about each payment that the witness covers: its slot. */
  freezes(payment: PaymentRecord): boolean;
}

/** Of each list: three of them fit a witness. */
const VOTES_PER_LIST_MAX = 300;

/** The witness, attached to the liar's own core, or the code of what makes it invalid. */
export function forgeWitness(
  core: Core,
  liar: { readonly index: ValidatorIndex; readonly seed: Uint8Array },
  wish: Wish,
  nowMs: number,
): { readonly id: VertexId; readonly bytes: Uint8Array } | string {
  const { ledger } = core;
  const { tangle, votes } = ledger;
  const self = tangle.find(wish.self);
  const chain =
    self?.kind === 'witness'
      ? { of: self.branch, round: self.round }
      : { of: tangle.branches.main(liar.index), round: 0 };
  const past = new NewPast(tangle, chain);
  for (const id of [...wish.witnesses, ...wish.tips]) past.add(tangle.row(id)!);
  const coverage = votes.coverage(chain, self?.row ?? 0, wish.round, past);
  const lists = votesOf(core, coverage, self?.kind === 'witness' ? self.deferred : [], wish);
  const vote = votes.vote(coverage, lists);
  if ('code' in vote) return vote.code;
  const certified = votes.certify(coverage, vote);
  const checkpoint = ledger.checkpoints.at(coverage.commit);
  if (checkpoint === undefined) return 'a forgotten commit';
  const header = {
    validator: liar.index,
    round: wish.round,
    timeMs: Math.max(wish.timeMs, self?.kind === 'witness' ? self.timeMs : 0),
    self: wish.self,
    certifiedCount: certified.length,
    certifiedRoot: ledger.certificates(certified).root,
    checkpoint,
  };
  const { network } = ledger.genesis;
  const bytes = encodeWitness(network, header, { ...wish, ...lists }, (message) => sign(liar.seed, message));
  const vertex = decodeVertex(bytes, network);
  if (isRefusal(vertex)) return vertex.code;
  for (const effect of core.step({ type: 'vertex', vertex, from: 'self', requested: true, nowMs })) {
    if (effect.type === 'refused' && effect.id === vertex.id) return effect.refusal.code;
  }
  return tangle.has(vertex.id) ? { id: vertex.id, bytes } : 'the same again';
}

function votesOf(core: Core, coverage: Coverage, before: readonly PaymentRecord[], wish: Wish) {
  const covered = coverage.covered.payments;
  const open = before.filter((one) => core.ledger.votes.deferredOn(coverage.chain, one, coverage.horizon));
  const slots = covered.filter((one) => wish.freezes(one)).map(({ previous }) => previous);
  return {
    defers: idsOf(covered.filter((one) => wish.defers(one))),
    accepts: idsOf(open.filter((one) => wish.accepts(one))),
    freezes: [...new Set(slots)].slice(0, VOTES_PER_LIST_MAX),
  };
}

function idsOf(payments: readonly PaymentRecord[]) {
  return payments.slice(0, VOTES_PER_LIST_MAX).map(({ id }) => id);
}
