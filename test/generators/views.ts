/** What a validator's view of the DAG tells about rounds, tips and equivocators: small set questions, answered slowly. */
import type { Genesis, ValidatorIndex, Vertex, Witness } from '../../ledger/index.ts';
import { authorsOf } from '../oracle/dag.ts';
import type { Oracle } from '../oracle/oracle.ts';

export function isQuorum(genesis: Genesis, witnesses: readonly Witness[]): boolean {
  const weights = genesis.committee.map(({ weight }) => weight);
  const authors = new Set(witnesses.map(({ validator }) => validator));
  const weight = [...authors].reduce((sum, author) => sum + weights[author]!, 0);
  return 3 * weight > 2 * weights.reduce((sum, each) => sum + each, 0);
}

/** The last round in which these witnesses are a quorum; 0, that of the genesis, when there is none. */
export function quorumRound(genesis: Genesis, witnesses: readonly Witness[]): number {
  const rounds = witnesses.map(({ round }) => round).sort((a, b) => b - a);
  const full = (round: number) =>
    isQuorum(
      genesis,
      witnesses.filter((w) => w.round === round),
    );
  return rounds.find(full) ?? 0;
}

/** Vertices of the list that lie in the past of no other one of it, nor of one of `below`. */
export function tipsOf<V extends Vertex>(oracle: Oracle, list: readonly V[], below: readonly Vertex[]): V[] {
  const covered = new Set<unknown>();
  for (const vertex of below) for (const x of oracle.past(vertex)) covered.add(x);
  for (const vertex of list) for (const x of oracle.past(vertex)) if (x !== vertex) covered.add(x);
  return list.filter((vertex) => !covered.has(vertex));
}

/** Authors of two witnesses of one round. */
export function equivocators(known: readonly Vertex[]): ReadonlySet<ValidatorIndex> {
  const places = new Set<string>();
  const found = new Set<ValidatorIndex>();
  for (const x of known) {
    if (x.kind !== 'witness') continue;
    const place = `${x.validator}/${x.round}`;
    if (places.has(place)) found.add(x.validator);
    places.add(place);
  }
  return found;
}

export function witnessesIn(vertices: readonly Vertex[]): Witness[] {
  return vertices.filter((x) => x.kind === 'witness');
}

/**
 * Whether these witnesses hold, for the step from this round to the next, what a validator waits for: in a leader's round a
 * witness of the leader, in the next one a quorum that supports it, then a quorum that ratifies it; or all have spoken.
 */
export function hasWhatCommitsWant(oracle: Oracle, witnesses: readonly Witness[], round: number): boolean {
  const { leaders, dag } = oracle;
  const here = witnesses.filter((w) => w.round === round);
  const authors = new Set(here.map(({ validator }) => validator));
  if (round === 0 || authors.size === oracle.genesis.committee.length) return true;
  if (round < 3) return true;
  if (round % 3 === 0) return here.some((w) => leaders.isLeader(w));
  const says = authorsOf(here, (w) => (round % 3 === 1 ? leaders.supports(w) : leaders.ratifies(w)));
  return [...says.values()].some((some) => dag.isQuorum(some));
}
