/** What must always hold (docs/protocol.md, section 8), by plain comparison of all with all. */
import type { Payment, PaymentId, ValidatorIndex, Witness } from '../../ledger/index.ts';
import { violations } from './correct.ts';
import { certifiedAfterFreeze } from './freezing.ts';
import { areRivals, type Oracle, sum } from './oracle.ts';

/** What is wrong with the known vertices if all but `byzantine` are correct: one sentence each, none when all holds. */
export function brokenInvariants(oracle: Oracle, byzantine: ReadonlySet<ValidatorIndex>): readonly string[] {
  const correct = oracle.witnesses().filter((w) => !byzantine.has(w.validator));
  return [
    ...brokenFinality(oracle, correct),
    ...brokenBalances(oracle),
    ...brokenCommits(oracle),
    ...brokenByCorrect(oracle, correct),
  ];
}

/** "Two rivals are never both final", nor one final and the other decided; and nothing before its predecessor. */
function brokenFinality(oracle: Oracle, correct: readonly Witness[]): readonly string[] {
  const broken: string[] = [];
  const payments = oracle.payments();
  const final = oracle.finals();
  const certified = oracle.votes.certifiedBy(correct);
  for (const [name, ids] of [['final', final] as const, ['certified', certified] as const]) {
    const list = [...ids].map((id) => payments.get(id)!);
    for (const [a, b] of pairs(list)) {
      if (areRivals(a, b, payments)) broken.push(`${a.id} and ${b.id} both ${name}`);
    }
  }
  for (const id of final) {
    const { previous, account } = payments.get(id)!;
    if (previous !== account && !final.has(previous as PaymentId))
      broken.push(`${id} final before its previous`);
  }
  return broken;
}

function pairs(list: readonly Payment[]): readonly (readonly [Payment, Payment])[] {
  return list.flatMap((a, i) => list.slice(i + 1).map((b) => [a, b] as const));
}

/** "The supply never changes, and no balance is negative": of what is final, and after each commit. */
function brokenBalances(oracle: Oracle): readonly string[] {
  const broken: string[] = [];
  const payments = oracle.payments();
  const final = oracle.finals();
  const accounts = new Set([
    ...oracle.genesis.allocations.map(({ address }) => address),
    ...[...payments.values()].flatMap((payment) => [
      payment.account,
      ...payment.transfers.map(({ to }) => to),
    ]),
  ]);
  const balances = [...accounts].map((address) => oracle.balanceOf(address, final, payments));
  if (balances.some((balance) => balance < 0)) broken.push('a final balance is negative');
  if (sum(balances) !== oracle.genesis.supply) broken.push(`the supply is ${sum(balances)}`);
  for (const { index, state } of oracle.commitsAmong(oracle.witnesses())) {
    const decided = [...state.accounts.values()].map(({ balance }) => balance);
    if (decided.some((balance) => balance < 0)) broken.push(`a balance is negative after commit ${index}`);
    if (state.supply() !== oracle.genesis.supply) broken.push(`the supply changed by commit ${index}`);
    const wrong = [...accounts].filter(
      (address) => oracle.balanceOf(address, state.decided, payments) !== state.account(address).balance,
    );
    if (wrong.length > 0) broken.push(`balances after commit ${index} are not what was decided`);
  }
  return broken;
}

/**
 * "Committed sequences of correct nodes are prefixes of one another": every past is the view of some node that can be, and
 * each is compared with that of a node that knows all.
 */
function brokenCommits(oracle: Oracle): readonly string[] {
  const broken: string[] = [];
  const all = new Set(oracle.commitsAmong(oracle.witnesses()).map(({ leader }) => leader));
  for (const w of oracle.witnesses()) {
    const own = oracle.leaders.highestIn(oracle.ballotsIn(w));
    for (const leader of [own, oracle.leaders.committedAt(w)]) {
      if (leader !== undefined && !all.has(leader))
        broken.push(`${leader.id} of round ${leader.round} is committed in the past of ${w.id} alone`);
    }
  }
  return broken;
}

/** "A correct validator never makes two witnesses for one round", breaks no rule of voting, certifies nothing that it froze. */
function brokenByCorrect(oracle: Oracle, correct: readonly Witness[]): readonly string[] {
  const broken: string[] = [];
  const seen = new Set<string>();
  for (const w of correct) {
    const place = `${w.validator}/${w.round}`;
    if (seen.has(place))
      broken.push(`correct validator ${w.validator} has two witnesses of round ${w.round}`);
    seen.add(place);
    const at = `witness ${w.id} of validator ${w.validator} in round ${w.round}`;
    for (const { about, why } of violations(oracle, w)) broken.push(`${at}: ${about} ${why}`);
    for (const id of certifiedAfterFreeze(oracle, w)) broken.push(`${at}: ${id} certified after its freeze`);
    if (w.checkpoint.root !== oracle.checkpoint(w).root) broken.push(`${at}: another state root`);
  }
  return broken;
}
