/**
 * Why something that came from outside was not taken, with the numbers that explain it; and what a refusal does to the
 * peer who caused it. docs/refusals.md lists every code with its cure; a test holds that page to this file.
 */
import type { PaymentId, Slot, Units, VertexId } from './types.ts';

export type Refusal =
  // Bytes
  | { readonly code: 'frame_too_large'; readonly bytes: number; readonly max: number }
  | { readonly code: 'malformed'; readonly what: string }
  | { readonly code: 'wrong_network'; readonly expected: string; readonly received: string }
  | {
      readonly code: 'limit_exceeded';
      readonly what: string;
      readonly received: number;
      readonly max: number;
    }
  // Payloads
  | { readonly code: 'scheme_unsupported'; readonly scheme: number }
  | { readonly code: 'bad_signature'; readonly of: 'payment' | 'witness' }
  | { readonly code: 'too_little_work'; readonly bits: number; readonly required: number }
  | { readonly code: 'amount_out_of_range'; readonly amount: number }
  | { readonly code: 'sequence_gap'; readonly expected: number; readonly received: number }
  | { readonly code: 'previous_unknown'; readonly previous: Slot }
  | { readonly code: 'slot_taken'; readonly by: PaymentId }
  | { readonly code: 'unfunded'; readonly available: Units; readonly needed: Units }
  // Vertices
  | { readonly code: 'too_deep'; readonly parent: VertexId; readonly rounds: number; readonly max: number }
  /** It brings in something so old that others may have forgotten what it stands on. */
  | {
      readonly code: 'past_too_old';
      readonly vertex: VertexId;
      readonly round: number;
      readonly horizon: number;
    }
  | { readonly code: 'parent_invalid'; readonly parent: VertexId }
  | { readonly code: 'parent_kind'; readonly parent: VertexId }
  | { readonly code: 'not_a_validator'; readonly validator: number }
  | { readonly code: 'self_parent'; readonly self: VertexId }
  | { readonly code: 'round_order'; readonly round: number; readonly parentRound: number }
  | { readonly code: 'quorum_missing'; readonly weight: number; readonly required: number }
  | { readonly code: 'time_order'; readonly timeMs: number; readonly selfTimeMs: number }
  | {
      readonly code: 'vote_unfounded';
      readonly payment: Slot;
      readonly list: 'defers' | 'accepts' | 'freezes';
    }
  | { readonly code: 'certified_root_wrong'; readonly expected: string; readonly received: string }
  | { readonly code: 'checkpoint_wrong'; readonly round: number }
  // Capacity
  | { readonly code: 'stale'; readonly round: number; readonly current: number }
  | { readonly code: 'queue_full'; readonly waiting: number; readonly max: number }
  | { readonly code: 'account_busy'; readonly pending: number; readonly max: number }
  | { readonly code: 'budget_spent'; readonly what: string; readonly retryAfterMs: number }
  | { readonly code: 'tangle_full'; readonly vertices: number; readonly max: number };

export type RefusalCode = Refusal['code'];

/**
 * What a refusal does to the peer who sent the thing:
 * `cut` - no correct implementation makes this, the connection ends; `penalise` - points, cut at a threshold;
 * `ignore` - can happen to an honest peer.
 */
export type Reaction = 'cut' | 'penalise' | 'ignore';

export const REACTION = {
  frame_too_large: 'cut',
  malformed: 'cut',
  wrong_network: 'cut',
  limit_exceeded: 'cut',
  scheme_unsupported: 'penalise',
  bad_signature: 'cut',
  too_little_work: 'penalise',
  amount_out_of_range: 'cut',
  sequence_gap: 'ignore',
  previous_unknown: 'ignore',
  slot_taken: 'ignore',
  unfunded: 'ignore',
  too_deep: 'penalise',
  past_too_old: 'penalise',
  parent_invalid: 'penalise',
  parent_kind: 'penalise',
  not_a_validator: 'cut',
  self_parent: 'penalise',
  round_order: 'penalise',
  quorum_missing: 'penalise',
  time_order: 'penalise',
  vote_unfounded: 'penalise',
  certified_root_wrong: 'penalise',
  checkpoint_wrong: 'penalise',
  stale: 'ignore',
  queue_full: 'ignore',
  account_busy: 'ignore',
  budget_spent: 'penalise',
  tangle_full: 'ignore',
} as const satisfies Record<RefusalCode, Reaction>;

/** True when a value is a refusal rather than what was asked for. */
export function isRefusal(value: unknown): value is Refusal {
  return (
    typeof value === 'object' && value !== null && 'code' in value && (value as Refusal).code in REACTION
  );
}
