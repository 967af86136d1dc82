/**
 * Keeps asking every validator how it is, over the light protocol as any client could: for the live view, and at the end
 * to see whether all of them have the same balances.
 */
import type { NodeView } from '../../p2p/index.ts';
import type { Agreement } from './report.ts';

/** Twice a second is enough for people, and costs a node nothing. */
const ASK_INTERVAL_MS = 500;

/** A validator that has said nothing for this long is shown as silent. */
const SILENT_AFTER_MS = 3_000;

/** Two validators differ while a payment is final for one and not yet for the other: give them time to meet. */
const AGREE_WITHIN_MS = 30_000;

/** Of a LightLink. */
export interface StatusLink extends AsyncDisposable {
  status(): Promise<NodeView>;
}

export interface StatusWatchDeps {
  connect(address: string): Promise<StatusLink>;
  nowMs(): number;
  /** Resolves after so long, or when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface WatchedNode {
  /** The latest answer, undefined before the first one. */
  readonly view: NodeView | undefined;
  readonly silent: boolean;
}

export interface StatusWatch extends AsyncDisposable {
  /** In the order of the addresses. */
  nodes(): readonly WatchedNode[];
  /**
   * Waits until all validators answer the same, or AGREE_WITHIN_MS, or the signal. One that is `gone` is not waited for,
   * but missing in the agreement.
   */
  agreement(
    supplyExpected: number,
    isGone: (index: number) => boolean,
    signal: AbortSignal,
  ): Promise<Agreement>;
}

interface Watched {
  view: NodeView | undefined;
  askedMs: number;
  answeredMs: number;
}

export function watchStatus(addresses: readonly string[], deps: StatusWatchDeps): StatusWatch {
  const ending = new AbortController();
  const watched = addresses.map((): Watched => ({ view: undefined, askedMs: 0, answeredMs: -Infinity }));
  const loops = addresses.map((address, index) => watchOne(address, watched[index]!, deps, ending.signal));
  const silent = (node: Watched): boolean => node.answeredMs < deps.nowMs() - SILENT_AFTER_MS;

  return {
    nodes: () => watched.map((node) => ({ view: node.view, silent: silent(node) })),
    async agreement(supplyExpected, isGone, signal) {
      const beginMs = deps.nowMs();
      const untilMs = beginMs + AGREE_WITHIN_MS;
      for (;;) {
        // Only answers to questions asked from now on count.
        const views = watched.map((node) => (node.askedMs >= beginMs ? node.view : undefined));
        const present = views.filter((_, index) => !isGone(index));
        const over = present.length === 0 || compare(present, supplyExpected).agree;
        if (over || deps.nowMs() >= untilMs || signal.aborted) return compare(views, supplyExpected);
        await deps.sleep(ASK_INTERVAL_MS / 5, signal);
      }
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await Promise.all(loops);
    },
  };
}

async function watchOne(
  address: string,
  node: Watched,
  deps: StatusWatchDeps,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await using link = await deps.connect(address);
      while (!signal.aborted) {
        const askedMs = deps.nowMs();
        const view = await link.status();
        Object.assign(node, { view, askedMs, answeredMs: deps.nowMs() });
        await deps.sleep(ASK_INTERVAL_MS, signal);
      }
    } catch {
      // It starts, it stops, or it is too busy to answer; the view shows that it is silent.
      await deps.sleep(ASK_INTERVAL_MS, signal);
    }
  }
}

/** Whether all have answered, and with one state. */
export function compare(views: readonly (NodeView | undefined)[], supplyExpected: number): Agreement {
  const answered = views.filter((view) => view !== undefined);
  const supply = answered.find((view) => view.supply !== supplyExpected)?.supply ?? answered[0]?.supply;
  const differences = views.flatMap((view, index) =>
    view === undefined ? [`Validator ${index} did not answer.`] : [],
  );
  const states = new Map<string, number[]>();
  for (const [index, view] of views.entries()) {
    if (view === undefined) continue;
    const state = `state ${view.root.slice(0, 16)} with supply ${view.supply} and ${view.finalPayments} final payments`;
    states.set(state, [...(states.get(state) ?? []), index]);
  }
  if (states.size > 1) {
    for (const [state, indexes] of states) differences.push(`Validator ${indexes.join(', ')}: ${state}.`);
  }
  return { supply, supplyExpected, agree: differences.length === 0 && answered.length > 0, differences };
}
