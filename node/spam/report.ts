/** What came of a run of `ravel spam`, as numbers and as text. */
import type { Bar, Percentiles } from '../load/latency.ts';
import type { LoadTotals } from '../load/load.ts';
import { counted, fitLine, grouped, plainPainter } from '../up/terminal-text.ts';
import { histogram, ms, type Times } from './view.ts';

/** What the run was. */
export interface SpamFacts {
  readonly nodes: readonly string[];
  readonly rate: number;
  readonly accounts: number;
  readonly seconds: number;
  readonly interrupted: boolean;
}

export interface SpamResult {
  readonly totals: LoadTotals;
  /** Why accounts could not go on, one entry each. */
  readonly stuck: readonly string[];
  /** Due, and taken by no node. */
  readonly unsent: number;
  /** While payments fell due. */
  readonly finalPerSecond: number;
  readonly latency: Times & { readonly count: number };
  readonly lag: Times;
  readonly disagreements: number;
  readonly lies: readonly string[];
}

export interface SpamReport extends SpamFacts {
  /** Nothing is lost, and every node has the same. */
  readonly ok: boolean;
  readonly sent: number;
  readonly final: number;
  /** Taken by a node, and not proven final in time. */
  readonly lost: number;
  /** Due, and taken by no node: it was too much, or accounts could not go on. */
  readonly unsent: number;
  /** Accounts of which a node says another last payment. */
  readonly disagreements: number;
  /** Proofs that do not hold. */
  readonly falseProofs: number;
  /** Accounts that could not go on, by reason. */
  readonly stuck: Readonly<Record<string, number>>;
  /** Payments whose proof was checked one by one; each speaks for those before it. */
  readonly proofs: number;
  readonly finalPerSecond: number;
  /** From when a payment was due to its checked proof, in milliseconds. */
  readonly finalityMs: Percentiles;
  /** From when a payment was due to when it left this program: what the figures above hold of the generator's own delay. */
  readonly lagMs: Percentiles;
  readonly histogram: readonly Bar[];
  readonly refusals: Readonly<Record<string, number>>;
}

export function makeReport(facts: SpamFacts, result: SpamResult): SpamReport {
  const { totals, stuck, latency, lag, disagreements, lies, unsent } = result;
  const { sent, final, refusals } = totals;
  const byReason: Record<string, number> = {};
  for (const reason of stuck) byReason[reason] = (byReason[reason] ?? 0) + 1;
  return {
    ok: sent > 0 && sent === final && disagreements === 0 && lies.length === 0 && stuck.length === 0,
    ...facts,
    sent,
    final,
    lost: sent - final,
    unsent,
    disagreements,
    falseProofs: lies.length,
    stuck: byReason,
    proofs: latency.count,
    finalPerSecond: Math.round(result.finalPerSecond * 10) / 10,
    finalityMs: latency.percentiles,
    lagMs: lag.percentiles,
    histogram: latency.bars,
    refusals,
  };
}

/** Cause and cure of what nodes, or links to them, said. */
const CURES: Readonly<Record<string, string>> = {
  queue_full: 'a node had no room for more. Lower --rate, or give more nodes',
  account_busy: 'too many payments of one account were under way. Raise --accounts, or lower --rate',
  budget_spent: 'a node answers one client only so often. Give more nodes, or lower --rate',
  previous_unknown: 'a node had not heard of the payment before. It was offered again',
  tangle_full: 'a node had no room for more vertices. Lower --rate',
  stale: 'a node was behind. It was offered again',
  unfunded: 'a node had not heard yet that the account has money. It was offered again',
  slot_taken: 'a node knows another payment of the same account. Its key must be in use elsewhere',
  dead: 'a node says that the payment can never become final. Look at the logs of the nodes',
  timeout: 'a node did not answer in time. It is overloaded or gone: lower --rate, or look at its log',
  closed: 'a node ended the link. It was restarted, or this program could not keep up: look at its log',
  unreachable: 'nothing answered there. Start the node, or leave it out',
  too_busy: 'too many requests were under way to one node. Lower --rate, or give more nodes',
};

export function describeSpam(report: SpamReport): string[] {
  const { finalityMs: finality, lagMs: lag } = report;
  const lines = histogram(report.histogram, 80, 24).map((line) => fitLine(line, 80, plainPainter));
  lines.push('');
  if (report.interrupted) lines.push('Ended early.');
  lines.push(
    `${grouped(report.sent)} payments of ${counted(report.accounts, 'account')} to ${counted(report.nodes.length, 'node')}: ` +
      `${grouped(report.final)} final, ${grouped(report.finalPerSecond)} a second.`,
  );
  lines.push(
    `Finality: p50 ${ms(finality.p50)}, p90 ${ms(finality.p90)}, p95 ${ms(finality.p95)}, p99 ${ms(finality.p99)}, ` +
      `at most ${ms(finality.max)}; of ${counted(report.proofs, 'payment')} whose proofs were checked.`,
  );
  lines.push(`Of that, before they left this program: p50 ${ms(lag.p50)}, p99 ${ms(lag.p99)}.`);
  if (report.unsent > 0)
    lines.push(`${counted(report.unsent, 'payment')} that fell due found no node to take them.`);
  if (report.lost > 0)
    lines.push(`LOST: ${counted(report.lost, 'payment')} that a node took did not become final in time.`);
  if (report.disagreements > 0)
    lines.push(
      `DISAGREEMENT: nodes have another last payment of ${counted(report.disagreements, 'account')}.`,
    );
  if (report.falseProofs > 0)
    lines.push(`FALSE: ${counted(report.falseProofs, 'proof')} did not hold. A node lies.`);
  for (const [code, count] of [...Object.entries(report.refusals), ...Object.entries(report.stuck)])
    lines.push(`${code}, ${grouped(count)} times: ${CURES[code] ?? 'see docs/refusals.md'}.`);
  return lines;
}
