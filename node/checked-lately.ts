/**
 * Payments whose signature was found good a short while ago. Whoever sends one again, as wallets do while there is no room and
 * as a flood does all the time, costs a comparison in place of a check. The bytes have to be the same, the signature among them.
 */
import { equalBytes } from '../ledger/index.ts';
import { DESK_CHECKED_MAX } from './limits.ts';
import type { CheckedPayment } from './verify-task.ts';

interface Known {
  readonly bytes: Uint8Array;
  readonly payment: CheckedPayment;
}

/** Scheme, public key, previous and sequence of an encoded payment (docs/protocol.md, 2.4), as a key for maps; nothing is checked. */
function placeOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1', 17, 90);
}

export class CheckedLately {
  /** Oldest first. */
  readonly #known = new Map<string, Known>();

  /** What its check found, when exactly these bytes were checked. */
  find(bytes: Uint8Array): CheckedPayment | undefined {
    if (this.#known.size === 0) return undefined;
    const known = this.#known.get(placeOf(bytes));
    return known !== undefined && equalBytes(known.bytes, bytes) ? known.payment : undefined;
  }

  /** @param bytes Are copied: they may be part of a large message. */
  add(bytes: Uint8Array, payment: CheckedPayment): void {
    const place = placeOf(bytes);
    if (this.#known.get(place)?.payment === payment) return;
    this.#known.delete(place);
    this.#known.set(place, { bytes: bytes.slice(), payment });
    if (this.#known.size > DESK_CHECKED_MAX) this.#known.delete(this.#known.keys().next().value!);
  }
}
