/** The rules of docs/protocol.md broken one by one: what the simulator must find. */
import type { Mutation } from './mutation.ts';

export interface Mutant {
  /** What is done wrong. */
  readonly name: string;
  /** The section of docs/protocol.md whose rule it breaks. */
  readonly section: string;
  readonly mutations: readonly Mutation[];
}

const one = (name: string, section: string, file: string, before: string, after: string): Mutant => ({
  name,
  section,
  mutations: [{ file, before, after }],
});

const ACCEPTANCE = 'ledger/acceptance.ts';
const VOTES = 'ledger/votes.ts';
const RULE = 'ledger/commit-rule.ts';
const RESOLUTION = 'ledger/resolution.ts';
const FREEZING = 'ledger/freezing.ts';
const VALIDATOR = 'ledger/validator.ts';

export const MUTANTS: readonly Mutant[] = [
  one(
    'accept two rivals',
    '6.2',
    ACCEPTANCE,
    '        !this.#rivalled(coverage, accepted, payment) &&\n',
    '',
  ),
  {
    name: 'take back an acceptance',
    section: '6.2',
    mutations: [
      {
        file: ACCEPTANCE,
        before: 'this.#votes.acceptedOn(coverage.chain, rival, 0) ||',
        after: 'this.#votes.acceptedOn(coverage.chain, rival, coverage.round - 1) ||',
      },
      {
        file: ACCEPTANCE,
        before: 'if (promised !== undefined && promised !== payment.id) return true;',
        after: '',
      },
    ],
  },
  {
    name: 'forget a vote in a crash',
    section: '6.2',
    mutations: [
      {
        file: ACCEPTANCE,
        before: '            this.#votes.acceptedOn(coverage.chain, rival, 0) ||\n',
        after: '',
      },
      {
        file: ACCEPTANCE,
        before: 'if (!settled && !this.#promised.has(slot)) this.#promised.set(slot, id);',
        after: 'void settled; void id;',
      },
      {
        file: VALIDATOR,
        before: '        this.#acceptance.onOwn(record.accepted, record.deferred);\n        this.#freezing',
        after: '        this.#acceptance.onOwn([], record.deferred);\n        this.#freezing',
      },
      {
        file: VALIDATOR,
        before: 'this.#decided = undefined;\n    this.#acceptance.onOwn(record.accepted, record.deferred);',
        after:
          'this.#acceptance.onOwn(this.#decided === undefined ? [] : record.accepted, record.deferred);\n    this.#decided = undefined;',
      },
    ],
  },
  one('accept what the account cannot pay', '6.2', ACCEPTANCE, '>= payment.branchDebits;', '>= 0n;'),
  one(
    'certify with fewer acceptances',
    '6.3',
    VOTES,
    'return this.#weightWithin(this.#accepted, coverage, payment, self) >= committee.quorum;',
    'return this.#weightWithin(this.#accepted, coverage, payment, self) > committee.total - committee.quorum;',
  ),
  {
    name: 'certify a descendant by another’s certificate',
    section: '6.3',
    mutations: [
      {
        file: VOTES,
        before: '    { chain, horizon, commit }: Coverage,\n    now: PaymentSet,',
        after: '    coverage: Coverage,\n    now: PaymentSet,',
      },
      {
        file: VOTES,
        before: '      decidedIn(parent, commit) ||\n      this.#certified.on(chain, parent.row, horizon)',
        after: '      decidedIn(parent, coverage.commit) ||\n      this.certifiedWithin(coverage, parent)',
      },
    ],
  },
  one('certify after freezing', '6.3', VOTES, '      !this.#blocked(coverage, frozen, payment) &&\n', ''),
  {
    name: 'count witnesses that accept instead of authors',
    section: '6.3',
    mutations: [
      {
        file: VOTES,
        before: 'if (author === also || this.#reaches(said, view, author, payment.row)) {',
        after:
          'const branches = [this.#branches.main(author), ...this.#branches.forksOf(author)].filter((one) => said.said(one, payment.row, view.horizon, view.clock.get(one))); for (let i = 0; i < Math.max(branches.length, author === also ? 1 : 0); i++) {',
      },
      { file: VOTES, before: 'payment.acceptWeight + own >= committee.quorum &&', after: '' },
    ],
  },
  one(
    'count witnesses that certify instead of authors',
    '6.4',
    VOTES,
    'if (!this.#saidBefore(this.#certified, author, payment.row)) {',
    '{',
  ),
  one(
    'final with fewer certificates',
    '6.4',
    VOTES,
    'if (payment.final || payment.certifyWeight < committee.quorum) continue;',
    'if (payment.final || payment.certifyWeight <= committee.total - committee.quorum) continue;',
  ),
  one(
    'a horizon by what the node has committed, not by the past',
    '7.1',
    VOTES,
    'const commit = commits.lastWithin(clock);',
    'const commit = commits.lastIndex;',
  ),
  one(
    'skip the self-parent rule',
    '4.2',
    'ledger/place-rules.ts',
    "if (self?.kind !== 'witness' || self.validator !== witness.validator) return undefined;",
    "if (self?.kind !== 'witness') return undefined;",
  ),
  one(
    'support a leader without denying its twin',
    '7.1',
    RULE,
    'if (seen?.length === 1) seen[0]!.supporters.push(branch);',
    'for (const leader of seen ?? []) leader.supporters.push(branch);',
  ),
  one(
    'ratify by supporters that are not in the past',
    '7.1',
    RULE,
    '(one) => clock.get(one) >= of + 1)',
    '() => true)',
  ),
  one(
    'commit with fewer ratifiers',
    '7.1',
    RULE,
    'if (this.#weight(leader.ratifiers, () => true) >= this.#committee.quorum) return this.#commit(leader);',
    'if (this.#weight(leader.ratifiers, () => true) >= 1) return this.#commit(leader);',
  ),
  one(
    'count ratifying witnesses instead of authors',
    '7.1',
    RULE,
    'if (before === i) weight +=',
    'weight +=',
  ),
  one(
    'walk back to leaders that somebody ratified somewhere',
    '7.1',
    RULE,
    '({ ratifiers }) => ratifiers.some((branch) => clock.get(branch) >= before + 2)',
    '({ ratifiers }) => ratifiers.length > 0',
  ),
  one(
    'commit by visibility',
    '7.2',
    'ledger/checkpoints.ts',
    'const view: View = { clock: witness.clock,',
    'const view: View = { clock: { get: () => Number.POSITIVE_INFINITY } as never,',
  ),
  one('freeze quorum of one', '7.2', RESOLUTION, 'this.#view, head) < quorum)', 'this.#view, head) < 1)'),
  one(
    'wrong tie break: who came first here',
    '7.2',
    RESOLUTION,
    '(weight === most && rival.id > winner!.id)',
    'weight === most',
  ),
  {
    name: 'pay what the state cannot',
    section: '7.2',
    mutations: [
      { file: RESOLUTION, before: 'if (rival.total > balance || ', after: 'if (' },
      {
        file: RESOLUTION,
        before: ' || payment.total > decided.balance) left.push(payment);',
        after: ') left.push(payment);',
      },
      { file: 'ledger/accounts.ts', before: ' && decided.balance >= record.total,', after: ',' },
    ],
  },
  {
    name: 'freeze what one has certified',
    section: '7.3',
    mutations: [
      {
        file: FREEZING,
        before: 'if (this.#certified.has(slot) || ',
        after: 'if (',
      },
      {
        file: FREEZING,
        before: '    if (rivals.some((rival) => votes.certifiedWithin(coverage, rival))) return false;\n',
        after: '',
      },
    ],
  },
  one(
    'never freeze',
    '7.3',
    FREEZING,
    'if (!fresh && !now.has(slot) && this.#mayFreeze(coverage, slot)) freezes.add(slot);',
    '',
  ),
  one(
    'skip the sync before sending',
    '5',
    'node/outbox.ts',
    'if (vertices.length > 0) await this.#deps.store.append(vertices);',
    'if (vertices.length > 0) void this.#deps.store.append(vertices);',
  ),
  {
    name: 'hand out what is not on disk',
    section: '5',
    mutations: [
      {
        file: 'node/outbox.ts',
        before: 'if (ids.some((id) => this.#unsynced.has(id))) await this.settled();',
        after: '',
      },
      { file: 'node/outbox.ts', before: '      if (this.#unsynced.has(id)) continue;\n', after: '' },
    ],
  },
];
