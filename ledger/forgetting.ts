/**
 * Forgetting (docs/protocol.md, section 7.5): what is older than three and a half epochs counts for nobody any more, so it leaves memory. The
 * accounts, and slots that are still open, remain.
 */
import type { Account, PaymentRecord } from './account.ts';
import type { Accounts } from './accounts.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { CommitRule } from './commit-rule.ts';
import type { Tangle } from './tangle.ts';
import type { DataId } from './types.ts';
import type { Votes } from './votes.ts';

export interface ForgettingDeps {
  readonly tangle: Tangle;
  readonly accounts: Accounts;
  readonly votes: Votes;
  readonly commitRule: CommitRule;
  readonly checkpoints: Checkpoints;
  /** Data payloads of remembered blocks. */
  readonly data: Set<DataId>;
  /** E. */
  readonly epochRounds: number;
}

export class Forgetting {
  readonly #deps: ForgettingDeps;
  /** Payments whose block is forgotten, and which may not be yet. */
  readonly #aging = new Set<PaymentRecord>();
  /** Rounds forgotten at a time: often enough to keep memory flat, seldom enough to cost nothing. */
  readonly stepRounds: number;

  constructor(deps: ForgettingDeps) {
    this.#deps = deps;
    this.stepRounds = Math.ceil(deps.epochRounds / 16);
  }

  /** A payment of which no block is remembered. */
  watch(payment: PaymentRecord): void {
    this.#aging.add(payment);
  }

  /** "A node drops vertices of rounds < round(last commit) - 3.5E, and what of payments only such vertices spoke of." False when it is not time. */
  run(): boolean {
    const { tangle, votes, commitRule, checkpoints, data, epochRounds } = this.#deps;
    const round = checkpoints.last.round - 3.5 * epochRounds;
    if (round < tangle.floor + this.stepRounds) return false;
    for (const record of tangle.forget(round)) {
      if (record.kind !== 'block') continue;
      for (const id of record.data) data.delete(id);
      for (const payment of record.payments) this.#aging.add(payment);
    }
    this.#payments();
    votes.forgetFreezes(round);
    commitRule.forget(round);
    checkpoints.forget(round);
    return true;
  }

  #payments(): void {
    const { tangle, accounts, votes, checkpoints } = this.#deps;
    const sides = new Set<Account>();
    // In the order of the accounts' chains, which forget their oldest payment first.
    for (const payment of [...this.#aging].sort((a, b) => a.sequence - b.sequence)) {
      if (payment.carrierRow >= tangle.base) this.#aging.delete(payment);
      if (payment.lastRow >= tangle.base || checkpoints.decidedRecently(payment) || !accounts.forget(payment))
        continue;
      votes.forget(payment);
      this.#aging.delete(payment);
      sides.add(payment.account);
      payment.eachTransfer((to) => {
        const account = accounts.peek(to);
        if (account !== undefined) sides.add(account);
      });
    }
    for (const side of sides) accounts.trimHistory(side);
  }
}
