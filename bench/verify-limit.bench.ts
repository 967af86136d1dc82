/**
 * What one core can do of the three things that every node does for every payment. No node is faster than its cores times
 * these rates; OpenSSL is the peer that they are compared with.
 */
import { createPublicKey, verify as opensslVerify } from 'node:crypto';
import {
  blake3,
  blake3Hex,
  HASH_BYTES,
  hex,
  publicKeyOf,
  searchWork,
  sign,
  verify,
} from '../ledger/index.ts';
import type { Bench, Run } from './harness.ts';

/** A payment of one transfer is about as long. */
const MESSAGE_BYTES = 200;

/** Of as many owners, taken in turn, as a node meets them. */
const SIGNATURES = 64;

/** Tries in one call, so that its own cost does not count. */
const TRIES = 256;

/** More bits than a hash has: no try succeeds and ends the search early. */
const BITS_NEVER = 257;

const WORK_BITS = 12;

interface Signed {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array;
}

function signed(i: number): Signed {
  const secret = blake3(Uint8Array.of(i));
  const message = new Uint8Array(MESSAGE_BYTES).fill(i);
  return { message, signature: sign(secret, message), publicKey: publicKeyOf(secret) };
}

/** What verify says of the good signatures, and of the same with one bit turned. */
function verdicts(all: readonly Signed[], check: (one: Signed, i: number) => boolean): string {
  const turned = all.map((one) => ({ ...one, signature: one.signature.with(0, one.signature[0]! ^ 1) }));
  const answers = [all, turned].map((list) => list.filter(check).length);
  return `${answers[0]} of ${all.length} good, ${answers[1]} of ${all.length} bad accepted`;
}

function measureSignatures(run: Run): void {
  const all = Array.from({ length: SIGNATURES }, (_, i) => signed(i));
  const next = turning(all.length);
  const native = ({ publicKey, message, signature }: Signed): boolean =>
    verify(0, publicKey, message, signature);
  const keys = all.map(({ publicKey }) =>
    createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') },
      format: 'jwk',
    }),
  );
  const openssl = ({ message, signature }: Signed, i: number): boolean =>
    opensslVerify(null, message, keys[i]!, signature);
  const peer = run.rate({
    operation: 'Ed25519 checks by OpenSSL',
    each: 1,
    call: () => {
      const i = next();
      return openssl(all[i]!, i);
    },
    digest: verdicts(all, openssl),
  });
  run.rate({
    operation: 'Ed25519 checks by libsodium, as nodes do',
    each: 1,
    call: () => native(all[next()]!),
    digest: verdicts(all, native),
    ratioTo: peer,
  });
}

/** 0, 1, ... count - 1, 0, ... */
function turning(count: number): () => number {
  let turn = -1;
  return () => {
    turn = (turn + 1) % count;
    return turn;
  };
}

export const bench: Bench = {
  question: 'How many signatures, hashes and tries at work does one core do in a second?',
  async run(run) {
    measureSignatures(run);
    const message = new Uint8Array(MESSAGE_BYTES).fill(1);
    const hashes = run.rate({
      operation: `BLAKE3 of ${MESSAGE_BYTES} bytes`,
      each: 1,
      call: () => blake3(message),
      digest: blake3Hex(message).slice(0, 16),
    });
    const seed = new Uint8Array(HASH_BYTES).fill(1);
    const found = searchWork(seed, WORK_BITS, 0, 1 << 20);
    run.rate({
      operation: 'tries at work',
      each: TRIES,
      call: () => searchWork(seed, BITS_NEVER, 0, TRIES) ?? 'none',
      digest: found === undefined ? 'none' : hex(found),
      ratioTo: hashes,
    });
  },
};
