/** Argon2id in plain JavaScript, for where there is no Node: slower by an order of magnitude, same bytes. */
import { argon2idAsync } from '@noble/hashes/argon2.js';
import { KDF_MEMORY_KIB_MAX, type Kdf } from './kdf.ts';

/** Blocks of 1 KiB, and a little beside them. */
const MEMORY_BYTES_MAX = (KDF_MEMORY_KIB_MAX + 1024) * 1024;

export const argon2id: Kdf = (password, salt, cost, length) =>
  argon2idAsync(password, salt, {
    m: cost.memoryKib,
    t: cost.passes,
    p: cost.lanes,
    dkLen: length,
    maxmem: MEMORY_BYTES_MAX,
  });
