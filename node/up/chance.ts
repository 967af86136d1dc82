/**
 * Seeded chance: the same seed gives the same replay on every machine. Not for keys.
 */

export interface Chance {
  /** From 0 (included) to 1 (excluded), 32 bits. */
  uniform(): number;
  /** Standard normal: mean 0, deviation 1. */
  normal(): number;
}

/** mulberry32 (Tommy Ettinger, public domain); its period of 2^32 is far more than a replay draws. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  // Box-Muller; 1 - uniform() is never 0, so that the logarithm is finite.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}
