/**
 * How sure a change is. Samples of times are skewed and few, so nothing is assumed about their distribution: the interval
 * is the one that belongs to the Mann-Whitney U test, of the ratio instead of the difference (Hodges and Lehmann, 1963).
 */
/** How often a change may be told that is none: once in a hundred figures. Five samples on each side can just show that. */
const ALPHA = 0.01;

/** Up to so many pairs the distribution is counted out; above, it is as good as normal. */
const EXACT_PAIRS_MAX = 2_500;

/** Of each side; more would take seconds and show nothing more. Every second, third ... is taken. */
const SAMPLES_MAX = 1_000;

/** Standard normal quantile of 1 - ALPHA / 2. */
const NORMAL_QUANTILE = 2.5758;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * By which factor samples have changed, with 99 % confidence. Undefined when that cannot be told: samples not above 0, or
 * fewer than five on one side.
 */
export function factorInterval(before: readonly number[], after: readonly number[]): Interval | undefined {
  if (![...before, ...after].every((sample) => sample > 0)) return undefined;
  return intervalOf(before, after, (one, other) => other / one);
}

/** By how much samples have changed, with 99 % confidence, whatever their signs. Undefined of fewer than five on one side. */
export function differenceInterval(
  before: readonly number[],
  after: readonly number[],
): Interval | undefined {
  return intervalOf(before, after, (one, other) => other - one);
}

function intervalOf(
  before: readonly number[],
  after: readonly number[],
  change: (one: number, other: number) => number,
): Interval | undefined {
  const [a, b] = [thinned(before), thinned(after)];
  const outside = pairsOutside(a.length, b.length);
  if (outside === 0) return undefined;
  const changes = a.flatMap((one) => b.map((other) => change(one, other))).toSorted((x, y) => x - y);
  return { low: changes[outside - 1]!, high: changes[changes.length - outside]! };
}

function thinned(samples: readonly number[]): readonly number[] {
  const step = Math.ceil(samples.length / SAMPLES_MAX);
  return samples.filter((_, i) => i % step === 0);
}

/** The greatest k such that U is below k by chance in no more than ALPHA / 2 of all cases; 0 when there is none. */
function pairsOutside(n: number, m: number): number {
  if (n * m > EXACT_PAIRS_MAX) {
    const deviation = Math.sqrt((n * m * (n + m + 1)) / 12);
    return Math.max(0, Math.floor((n * m) / 2 - NORMAL_QUANTILE * deviation));
  }
  const ways = waysOfU(n, m);
  const all = ways.reduce((sum, one) => sum + one, 0);
  let below = 0;
  let k = 0;
  while (k < ways.length && below + ways[k]! <= (ALPHA / 2) * all) below += ways[k++]!;
  return k;
}

/** In how many orders of n and m samples U is 0, 1 ... n m: the coefficients of the Gaussian binomial of n + m over n. */
export function waysOfU(n: number, m: number): readonly number[] {
  const ways = new Array<number>(n * m + 1).fill(0);
  ways[0] = 1;
  for (let i = 1; i <= n; i++) {
    // Times 1 - q^(m + i), then divided by 1 - q^i.
    for (let u = ways.length - 1; u >= m + i; u--) ways[u]! -= ways[u - m - i]!;
    for (let u = i; u < ways.length; u++) ways[u]! += ways[u - i]!;
  }
  return ways;
}
