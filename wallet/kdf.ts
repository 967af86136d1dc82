/**
 * Argon2id (RFC 9106) behind the `#kdf` door: kdf-node.ts where Node's own is there, kdf-noble.ts elsewhere. Both give the
 * same bytes; one suite runs over both.
 */
import { WalletError } from './wallet-error.ts';

export interface KdfCost {
  /** Memory in KiB. */
  readonly memoryKib: number;
  /** Passes over it. */
  readonly passes: number;
  /** Lanes that may be filled at the same time. */
  readonly lanes: number;
}

/**
 * @param salt At least 8 bytes.
 * @param length Bytes wanted.
 */
export type Kdf = (
  password: Uint8Array,
  salt: Uint8Array,
  cost: KdfCost,
  length: number,
) => Promise<Uint8Array>;

/** RFC 9106, section 4, second recommended option: for where 2 GiB is too much, as in a vehicle. */
export const KDF_COST_DEFAULT: KdfCost = { memoryKib: 64 * 1024, passes: 3, lanes: 4 };

/** Below this a stolen file is cheap to guess at. OWASP's least is 7 MiB with five passes. */
export const KDF_MEMORY_KIB_MIN = 8 * 1024;

/** A keystore comes from a disk or a backup that somebody may have changed: it must not make us allocate 100 GB. */
export const KDF_MEMORY_KIB_MAX = 1024 * 1024;
export const KDF_PASSES_MAX = 16;
export const KDF_LANES_MAX = 16;

/** Memory times passes: about half a minute of one core at the most, whatever the mixture. */
export const KDF_WORK_KIB_MAX = 4 * 1024 * 1024;

function within(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

/** Throws `keystore_cost` unless the cost is one that we would ask for ourselves. Run before anything is allocated. */
export function checkCost(cost: KdfCost): void {
  const { memoryKib, passes, lanes } = cost;
  const fits =
    within(memoryKib, KDF_MEMORY_KIB_MIN, KDF_MEMORY_KIB_MAX) &&
    within(passes, 1, KDF_PASSES_MAX) &&
    within(lanes, 1, KDF_LANES_MAX) &&
    memoryKib * passes <= KDF_WORK_KIB_MAX;
  if (fits) return;
  throw new WalletError(
    'keystore_cost',
    `Argon2id with ${memoryKib} KiB, ${passes} passes and ${lanes} lanes is outside of what this wallet computes ` +
      `(${KDF_MEMORY_KIB_MIN} to ${KDF_MEMORY_KIB_MAX} KiB, 1 to ${KDF_PASSES_MAX} passes, 1 to ${KDF_LANES_MAX} lanes, ` +
      `memory times passes at most ${KDF_WORK_KIB_MAX} KiB). The file was changed or made by other software: restore the ` +
      'wallet from its recovery phrase.',
  );
}
