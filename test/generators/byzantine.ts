/**
 * What a Byzantine validator may say: any valid round above some earlier witness of its own, some of the witnesses below,
 * some blocks, and votes and freezes at random.
 */
import { DEFERS_ALL, type ValidatorIndex, type Vertex, type Witness } from '../../ledger/index.ts';
import type { Ballot, Oracle } from '../oracle/oracle.ts';
import type { Chance } from './chance.ts';
import { isQuorum, quorumRound, witnessesIn } from './views.ts';

/** Undefined when chance has led to no valid place. */
export function wildBallot(
  oracle: Oracle,
  chance: Chance,
  validator: ValidatorIndex,
  known: readonly Vertex[],
  freezeShare: number,
): Ballot | undefined {
  const all = witnessesIn(known);
  const own = all.filter((x) => x.validator === validator);
  const others = all.filter((x) => x.validator !== validator);
  const self = chance.flip(0.6) ? own.at(-1) : chance.pick([undefined, ...own]);
  const highest = quorumRound(oracle.genesis, others) + 1;
  const lowest = (self?.round ?? 0) + 1;
  if (highest < lowest) return undefined;
  // Where it leads it has the most to say to different others.
  const leads = oracle.leaders.leaderOf(highest) === validator && chance.flip(0.8);
  const round = leads || chance.flip(0.5) ? highest : lowest + chance.below(highest - lowest + 1);
  const witnesses = wildReferences(oracle, chance, self, others, round);
  if (witnesses === undefined) return undefined;
  const blocks = known.filter((x) => x.kind === 'block').filter((x) => oracle.roundOf(x) <= round);
  const tips = chance.some(blocks.slice(-6), 0.5);
  const bare: Ballot = {
    kind: 'witness',
    validator,
    round,
    self: self?.id ?? oracle.genesis.id,
    witnesses: witnesses.map(({ id }) => id).sort(),
    tips: tips.map(({ id }) => id).sort(),
    defers: [],
    accepts: [],
    freezes: [],
  };
  return oracle.votes.bringsTooOld(bare) ? undefined : wildVotes(oracle, chance, freezeShare, bare);
}

/** As few as make a quorum of the round before, or some more, and now and then an old one. */
function wildReferences(
  oracle: Oracle,
  chance: Chance,
  self: Witness | undefined,
  others: readonly Witness[],
  round: number,
): Witness[] | undefined {
  const chosen = self?.round === round - 1 ? [self] : [];
  for (const witness of chance.shuffled(others.filter((x) => x.round === round - 1))) {
    if (!isQuorum(oracle.genesis, chosen) || chance.flip(0.3)) chosen.push(witness);
  }
  if (round > 1 && !isQuorum(oracle.genesis, chosen)) return undefined;
  const old = others.filter((x) => x.round < round - 1);
  return [...chosen.filter((x) => x !== self), ...chance.some(old, 0.1)];
}

function wildVotes(oracle: Oracle, chance: Chance, freezeShare: number, bare: Ballot): Ballot {
  const covers = [...oracle.covers(bare)];
  const all = chance.flip(0.1);
  const defers = all ? [DEFERS_ALL] : chance.some(covers, chance.pick([0, 0.4, 0.4, 1])).sort();
  const may = [...oracle.votes.deferredBefore(bare), ...(all ? covers : [])];
  const accepts = chance.some(may, 0.5).sort();
  const voted = { ...bare, defers, accepts };
  const open = [...oracle.votes.freezable(voted)];
  return { ...voted, freezes: chance.some(open, freezeShare).sort() };
}
