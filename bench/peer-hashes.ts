/** BLAKE3 by others, and how contenders of one thread are set against one another. Owner of @noble/hashes in bench/. */
import { blake3 } from '@noble/hashes/blake3.js';
import type { Measurement, Run } from './harness.ts';

export type HashFunction = (message: Uint8Array) => Uint8Array;

/** noble as its documentation says to call it. */
export const nobleHash: HashFunction = blake3;

/** No dependency: its packages for other platforms would have to stand in the lock file. */
const NATIVE = '@napi-rs/blake-hash';

/** The best native one without a download at installation; undefined where it is not installed. */
export async function nativeHash(): Promise<HashFunction | undefined> {
  try {
    const { blake3: native } = (await import(NATIVE)) as { blake3: HashFunction };
    return native;
  } catch {
    return undefined;
  }
}

export const NATIVE_MISSING = `not installed: npm install --no-save ${NATIVE}@1.3.6`;

export interface Contender {
  readonly operation: string;
  readonly digest: string;
  /** Does some milliseconds of work, on this thread, and says how many operations that were. */
  call(): number | Promise<number>;
}

/**
 * Operations in a second of CPU time, one sample of each contender in turn, so that what disturbs one disturbs all. CPU
 * time, as somebody else on the machine takes none of it.
 * @param rounds At least SAMPLES_MIN.
 * @returns one for each, in order; the first one is what the others are shown in relation to.
 */
export async function inTurns(
  run: Run,
  rounds: number,
  contenders: readonly Contender[],
): Promise<readonly Measurement[]> {
  const samples = contenders.map((): number[] => []);
  // Compilers finish with the code in the first rounds.
  for (let round = -3; round < rounds; round++) {
    for (const [i, { operation, call }] of contenders.entries()) {
      run.progress(operation);
      const before = process.cpuUsage();
      const operations = await call();
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) samples[i]!.push((operations * 1e6) / (user + system));
    }
  }
  let first: Measurement | undefined;
  return contenders.map(({ operation, digest }, i) => {
    const figure = { operation, digest, unit: 'a second', samples: samples[i]! } as const;
    const measurement = run.record(first === undefined ? figure : { ...figure, ratioTo: first });
    first ??= measurement;
    return measurement;
  });
}
