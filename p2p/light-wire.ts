/** Messages of `/ravel/<network>/light/1` on the wire, both directions, checked. */
import { z } from 'zod';
import {
  type Address,
  FRAME_BYTES_MAX,
  type Hash,
  NETWORK_ID_BYTES,
  OUTCOME_PAYMENTS_MAX,
  type Outcome,
  type PaymentId,
  type Slot,
  type Units,
  type VertexId,
  WORK_BYTES,
} from '../ledger/index.ts';
import type {
  AccountView,
  HistoryEntry,
  LightPush,
  NodeView,
  ProofReply,
  SubmitReply,
} from './light-messages.ts';
import { HISTORY_LIMIT_MAX, SUBMIT_PAYMENTS_MAX, SUBSCRIPTION_ADDRESSES_MAX, TIPS_MAX } from './limits.ts';
import { bytes, count, hash, refusal } from './wire-shapes.ts';

const address = hash<Address>();
const payment = hash<PaymentId>();
const units = count as unknown as z.ZodType<Units>;
const encoding = bytes(FRAME_BYTES_MAX);

/** null on the wire (undefined has no place there) is undefined here. */
function optional<T>(shape: z.ZodType<T>) {
  return z.preprocess((value) => value ?? undefined, shape.optional());
}

/** A request: `id` counts up from 1 on each link and comes back with the reply. */
export const LightRequest = z.discriminatedUnion('ask', [
  z.strictObject({
    id: count,
    ask: z.literal('submit'),
    payments: z.array(encoding).min(1).max(SUBMIT_PAYMENTS_MAX),
  }),
  z.strictObject({ id: count, ask: z.literal('tips'), count: z.int().min(1).max(TIPS_MAX) }),
  z.strictObject({ id: count, ask: z.literal('account'), address }),
  z.strictObject({
    id: count,
    ask: z.literal('history'),
    address,
    after: z.int().min(-1),
    limit: z.int().min(1).max(HISTORY_LIMIT_MAX),
  }),
  z.strictObject({ id: count, ask: z.literal('proof'), payment }),
  z.strictObject({ id: count, ask: z.literal('balance'), address }),
  z.strictObject({ id: count, ask: z.literal('outcome'), payment, slot: optional(hash<Slot>()) }),
  z.strictObject({ id: count, ask: z.literal('work'), previous: hash<Slot>(), account: address }),
  z.strictObject({ id: count, ask: z.literal('status') }),
  z.strictObject({
    id: count,
    ask: z.literal('subscribe'),
    addresses: z.array(address).min(1).max(SUBSCRIPTION_ADDRESSES_MAX),
  }),
]);
export type LightRequest = z.infer<typeof LightRequest>;

const status = z.enum(['queued', 'dropped', 'pending', 'contested', 'final', 'dead']);

/** What a node says of a payment. */
const claim = { status, winner: optional(payment) };

const historyEntry: z.ZodType<HistoryEntry> = z.strictObject({
  index: count,
  payment: encoding,
  proof: encoding,
});

const nodeView = z.strictObject({
  network: z.string().regex(new RegExp(`^[0-9a-f]{${2 * NETWORK_ID_BYTES}}$`)),
  validator: optional(count),
  round: count,
  vertices: count,
  finalPayments: count,
  decidedPayments: count,
  supply: units,
  accounts: count,
  root: hash<Hash>(),
  queue: count,
  peers: count,
  rounds: z.array(count).max(256),
  trouble: optional(z.string().max(64)),
  vitals: optional(z.strictObject({ loopDelayMs: z.number().min(0), rssBytes: count, heapBytes: count })),
});

/** The values of the replies, by what was asked. */
export const LIGHT_VALUES = {
  submit: z
    .array(z.union([z.strictObject({ id: payment, ...claim }), z.strictObject({ refusal })]))
    .max(SUBMIT_PAYMENTS_MAX) as z.ZodType<SubmitReply[]>,
  tips: z.array(hash<VertexId>()).max(TIPS_MAX),
  account: z.strictObject({
    address,
    balance: units,
    pending: z.int(),
    sequence: count,
    head: hash<Slot>(),
    finalSequence: count,
    finalHead: hash<Slot>(),
  }) as unknown as z.ZodType<AccountView>,
  history: z.array(historyEntry).max(HISTORY_LIMIT_MAX),
  proof: z.preprocess(
    (value) => value ?? undefined,
    z.union([historyEntry, z.strictObject(claim)]).optional(),
  ) as z.ZodType<ProofReply>,
  balance: optional(encoding),
  outcome: optional(
    z.strictObject({ balance: encoding, chain: z.array(encoding).min(1).max(OUTCOME_PAYMENTS_MAX) }),
  ) as z.ZodType<Outcome | undefined>,
  work: z.union([
    bytes(WORK_BYTES).refine((nonce) => nonce.length === WORK_BYTES),
    z.strictObject({ refusal }),
  ]),
  status: nodeView as unknown as z.ZodType<NodeView>,
  subscribe: z.null(),
} satisfies Record<LightRequest['ask'], z.ZodType>;

const lightPush = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('status'), payment, ...claim, refusal: optional(refusal) }),
  z.strictObject({ type: z.literal('final'), entry: historyEntry }),
]) as unknown as z.ZodType<LightPush>;

/** What a node sends: a reply, a refusal or a failure with the id of the request; a push; or a word before it hangs up. */
export const FromNode = z.union([
  z.strictObject({ id: count, value: z.unknown() }),
  z.strictObject({ id: count, refusal }),
  z.strictObject({ id: count, failed: z.literal(true) }),
  z.strictObject({ push: lightPush }),
  z.strictObject({ end: z.string().max(200) }),
]);
export type FromNode = z.infer<typeof FromNode>;
