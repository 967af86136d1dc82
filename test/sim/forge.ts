/**
 * Makes witnesses that say what a liar wants and are valid all the same. The liar's own ledger tells what a valid one would
 * have to say: it refuses with the reason, and the next try takes it into account.
 */
import {
  type Core,
  decodeWitness,
  encodeWitness,
  isRefusal,
  type PaymentId,
  type Refusal,
  type Slot,
  sign,
  type ValidatorIndex,
  type VertexId,
  type Witness,
  ZERO_HASH,
} from '../../ledger/index.ts';
import { keysOf, letterOf } from '../dsl/network.ts';

export interface Lie {
  readonly validator: ValidatorIndex;
  readonly round: number;
  readonly self: VertexId;
  readonly witnesses: readonly VertexId[];
  readonly tips: readonly VertexId[];
  readonly defers: readonly PaymentId[];
  readonly accepts: readonly PaymentId[];
  readonly freezes: readonly Slot[];
  /** Makes twins different. */
  readonly timeMs: number;
  /** Names another state root than the right one. */
  readonly wrongRoot: boolean;
}

const TRIES = 24;

/** @param exact True: no correction, whatever the ledger says of it. */
export function encodeLie(
  core: Core,
  lie: Lie,
  claims: {
    checkpoint: Witness['checkpoint'];
    certifiedCount: number;
    certifiedRoot: Witness['certifiedRoot'];
  },
): Witness {
  const { network } = core.ledger.genesis;
  const { secret } = keysOf(`validator ${letterOf(lie.validator)}`);
  const { round, leader, root } = claims.checkpoint;
  const flipped = (root[0] === '0' ? '1' : '0') + root.slice(1);
  const checkpoint = { round, leader, root: (lie.wrongRoot ? flipped : root) as typeof root };
  const bytes = encodeWitness(network, { ...lie, ...claims, checkpoint }, lie, (message) =>
    sign(secret, message),
  );
  const witness = decodeWitness(bytes, network);
  if (isRefusal(witness)) throw new Error(`a lie that does not decode: ${JSON.stringify(witness)}`);
  return witness;
}

/** A valid witness, attached to the liar's own core; undefined when there is none in a few tries. */
export function forge(core: Core, lie: Lie, nowMs: number): Witness | undefined {
  let { defers, accepts, freezes } = lie;
  let tips = lie.tips;
  const genesis = core.ledger.genesis.checkpoint;
  const checkpoints = [...[...core.ledger.commits].reverse().slice(0, 12), genesis];
  let certified: { certifiedCount: number; certifiedRoot: Witness['certifiedRoot'] } = {
    certifiedCount: 0,
    certifiedRoot: ZERO_HASH,
  };
  for (let tries = 0; tries < TRIES; tries++) {
    const checkpoint = checkpoints[0];
    if (checkpoint === undefined) return undefined;
    const { round, leader, root } = checkpoint;
    const claims = { checkpoint: { round, leader, root }, ...certified };
    const witness = encodeLie(core, { ...lie, defers, accepts, freezes, tips }, claims);
    const refusal = attach(core, witness, nowMs);
    if (refusal === undefined) return witness;
    if (refusal === 'known') return undefined;
    if (refusal.code === 'checkpoint_wrong') checkpoints.shift();
    else if (refusal.code === 'certified_root_wrong') {
      const [count, certifiedRoot] = refusal.expected.split(':');
      certified = { certifiedCount: Number(count), certifiedRoot: certifiedRoot as Witness['certifiedRoot'] };
    } else if (refusal.code === 'vote_unfounded') {
      const { payment } = refusal;
      const list = refusal.list as string;
      if (list === 'defers') defers = defers.filter((id) => id !== payment);
      else if (list === 'accepts') accepts = accepts.filter((id) => id !== payment);
      else freezes = freezes.filter((slot) => slot !== payment);
    } else if (refusal.code === 'round_order' || refusal.code === 'too_deep') {
      if (tips.length === 0) return undefined;
      tips = tips.slice(1);
    } else return undefined;
  }
  return undefined;
}

function attach(core: Core, witness: Witness, nowMs: number): Refusal | 'known' | undefined {
  let attached: Refusal | 'known' | undefined = 'known';
  const event = { type: 'vertex', vertex: witness, from: 'self', requested: true, nowMs } as const;
  for (const effect of core.step(event)) {
    if (effect.type === 'attached' && effect.vertex.id === witness.id) attached = undefined;
    else if (effect.type === 'refused' && effect.id === witness.id) attached = effect.refusal;
  }
  return attached;
}
