/**
 * What one core can do of the three things that every node does for every payment. No node is faster than its cores times
 * these rates. Of signatures, other libraries are asked the same.
 */
import { createPublicKey, verify as opensslVerify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import sodium from 'sodium-native';
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
import type { Bench, Measurement, Run } from './harness.ts';

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

/** @param i the number of its key. */
type Check = (one: Signed, i: number) => boolean;

function signed(i: number): Signed {
  const secret = blake3(Uint8Array.of(i));
  const message = new Uint8Array(MESSAGE_BYTES).fill(i);
  return { message, signature: sign(secret, message), publicKey: publicKeyOf(secret) };
}

/** What verify says of the good signatures, and of the same with one bit turned. */
function verdicts(all: readonly Signed[], check: Check): string {
  const turned = all.map((one) => ({ ...one, signature: one.signature.with(0, one.signature[0]! ^ 1) }));
  const answers = [all, turned].map((list) => list.filter(check).length);
  return `${answers[0]} of ${all.length} good, ${answers[1]} of ${all.length} bad accepted`;
}

/** The same signatures by each library. What nodes use comes first; the others are told in relation to it. */
function measureSignatures(run: Run): void {
  const all = Array.from({ length: SIGNATURES }, (_, i) => signed(i));
  const keys = all.map(({ publicKey }) =>
    createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') },
      format: 'jwk',
    }),
  );
  const ours: Check = ({ publicKey, message, signature }) => verify(0, publicKey, message, signature);
  const peers: Readonly<Record<string, Check>> = {
    'libsodium alone': ({ publicKey, message, signature }) =>
      sodium.crypto_sign_verify_detached(signature, message, publicKey),
    OpenSSL: ({ message, signature }, i) => opensslVerify(null, message, keys[i]!, signature),
    '@noble/curves': ({ publicKey, message, signature }) => ed25519.verify(signature, message, publicKey),
  };
  const rate = (by: string, check: Check, ratioTo?: Measurement): Measurement => {
    const next = turning(all.length);
    const call = (): boolean => {
      const i = next();
      return check(all[i]!, i);
    };
    const figure = { operation: `Ed25519 checks by ${by}`, each: 1, call, digest: verdicts(all, check) };
    return run.rate(ratioTo === undefined ? figure : { ...figure, ratioTo });
  };
  const limit = rate('libsodium, as nodes do', ours);
  for (const [by, check] of Object.entries(peers)) rate(by, check, limit);
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
  comparable: `The libraries with one another: the same ${SIGNATURES} keys and messages of ${MESSAGE_BYTES} bytes, one thread, keys decoded each time except by OpenSSL, which is given them decoded.`,
  notComparable:
    'Checks of many signatures at once, which other systems quote: they decide by another rule, and a network in which some check so and some do not would fork. @noble/curves decides by that other rule too; on honest signatures the two agree.',
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
