/**
 * A recovery phrase under a password, as JSON text: Argon2id makes 64 bytes of the password, the first half is the
 * AES-256-GCM key, the second half is kept in the file as a check. So a wrong password (the check differs) is told apart
 * from a changed file (the check is right and GCM refuses), and no second key opens the same file. Everything else in the
 * file is authenticated with the secret. What an attacker may change before that, the cost, is bounded before use.
 */
import { argon2id } from '#kdf';
import { type Address, equalBytes, hex, unhex } from '../ledger/index.ts';
import { checkCost, KDF_COST_DEFAULT, type Kdf, type KdfCost } from './kdf.ts';
import { deriveKey, phraseEntropy, phraseOf } from './keys.ts';
import { createSeedSigner } from './signer.ts';
import { WalletError } from './wallet-error.ts';

/** What anyone may read without the password. */
export interface KeystoreHeader {
  readonly kind: 'ravel-keystore';
  readonly version: 1;
  /** Of account 0 without a passphrase: enough to look at a balance. Proven only when the file is opened. */
  readonly address: Address;
  readonly kdf: KdfCost & { readonly name: 'argon2id'; readonly salt: string };
  readonly cipher: { readonly name: 'aes-256-gcm'; readonly nonce: string };
  /** Hex of 32 bytes that only the right password gives. */
  readonly check: string;
}

interface KeystoreFile extends KeystoreHeader {
  /** Hex of the 32 bytes of entropy and the 16 bytes of the tag, encrypted. */
  readonly secret: string;
}

export interface KeystoreOptions {
  readonly cost?: KdfCost;
  /** Another Argon2id than the platform's, for tests. */
  readonly kdf?: Kdf;
}

const VERSION = 1;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const SECRET_BYTES = 32 + 16;

/** A keystore has about 600 characters; nothing longer is even parsed. */
const TEXT_LENGTH_MAX = 16 * 1024;

/**
 * The header in one fixed order of fields, however the file had them: what GCM authenticates beside the secret.
 */
function authenticated(header: KeystoreHeader): Uint8Array<ArrayBuffer> {
  const { kind, version, address, kdf, cipher, check } = header;
  const fields = [kind, version, address, kdf.name, kdf.memoryKib, kdf.passes, kdf.lanes, kdf.salt];
  return new TextEncoder().encode(JSON.stringify([...fields, cipher.name, cipher.nonce, check]));
}

async function deriveKeys(password: string, header: Pick<KeystoreHeader, 'kdf'>, kdf: Kdf) {
  // The same password typed on another keyboard may come in another Unicode form.
  const bytes = new TextEncoder().encode(password.normalize('NFKC'));
  const both = await kdf(bytes, unhex(header.kdf.salt), header.kdf, 2 * KEY_BYTES);
  const key = both.slice(0, KEY_BYTES);
  const check = both.slice(KEY_BYTES);
  both.fill(0);
  return { key, check };
}

async function aes(key: Uint8Array<ArrayBuffer>, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, [usage]);
  key.fill(0);
  return imported;
}

function gcm(header: KeystoreHeader): AesGcmParams {
  const iv = new Uint8Array(unhex(header.cipher.nonce));
  return { name: 'AES-GCM', iv, additionalData: authenticated(header), tagLength: 128 };
}

function randomHex(bytes: number): string {
  return hex(crypto.getRandomValues(new Uint8Array(bytes)));
}

/**
 * JSON text with the phrase under the password. Throws `bad_phrase`, `keystore_cost`, `keystore_password` (empty).
 * Takes as long as the cost says: a tenth of a second by default where Argon2id is native.
 */
export async function sealKeystore(
  phrase: string,
  password: string,
  options: KeystoreOptions = {},
): Promise<string> {
  if (password === '') {
    throw new WalletError('keystore_password', 'An empty password protects nothing: choose one.');
  }
  const entropy = new Uint8Array(phraseEntropy(phrase));
  const cost = options.cost ?? KDF_COST_DEFAULT;
  checkCost(cost);
  const { memoryKib, passes, lanes } = cost;
  const kdf = { name: 'argon2id', memoryKib, passes, lanes, salt: randomHex(SALT_BYTES) } as const;
  const { key, check } = await deriveKeys(password, { kdf }, options.kdf ?? argon2id);
  const header: KeystoreHeader = {
    kind: 'ravel-keystore',
    version: VERSION,
    address: createSeedSigner(deriveKey(phrase, 0)).address,
    kdf,
    cipher: { name: 'aes-256-gcm', nonce: randomHex(NONCE_BYTES) },
    check: hex(check),
  };
  const sealed = await crypto.subtle.encrypt(gcm(header), await aes(key, 'encrypt'), entropy);
  entropy.fill(0);
  const file: KeystoreFile = { ...header, secret: hex(new Uint8Array(sealed)) };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/**
 * The phrase. Throws `keystore_format`, `keystore_version`, `keystore_cost` before anything is computed, then
 * `keystore_password` or `keystore_tampered`.
 */
export async function openKeystore(
  text: string,
  password: string,
  options: Pick<KeystoreOptions, 'kdf'> = {},
): Promise<string> {
  const file = parse(text);
  checkCost(file.kdf);
  const { key, check } = await deriveKeys(password, file, options.kdf ?? argon2id);
  if (!equalBytes(check, unhex(file.check))) {
    throw new WalletError(
      'keystore_password',
      'The password does not open this wallet. Check capitals and keyboard layout; if it is lost, restore the wallet ' +
        'from its recovery phrase.',
    );
  }
  const secret = new Uint8Array(unhex(file.secret));
  let entropy: Uint8Array;
  try {
    entropy = new Uint8Array(await crypto.subtle.decrypt(gcm(file), await aes(key, 'decrypt'), secret));
  } catch (cause) {
    throw new WalletError(
      'keystore_tampered',
      'The password is right, but the wallet file was changed since it was written. Do not use it: take a backup of ' +
        'the file, or restore the wallet from its recovery phrase.',
      { cause },
    );
  }
  const phrase = phraseOf(entropy);
  entropy.fill(0);
  return phrase;
}

/** What a keystore says without its password. Throws `keystore_format` or `keystore_version`. */
export function readKeystoreHeader(text: string): KeystoreHeader {
  const { secret: _, ...header } = parse(text);
  return header;
}

function malformed(what: string): WalletError {
  return new WalletError(
    'keystore_format',
    `This is not a wallet file of this software: ${what}. Check the path, take a backup of the file, or restore the ` +
      'wallet from its recovery phrase.',
  );
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${what} is missing`);
  return value as Record<string, unknown>;
}

function hexField(from: Record<string, unknown>, name: string, bytes: number): string {
  const value = from[name];
  if (typeof value !== 'string' || value.length !== 2 * bytes || !/^[0-9a-f]*$/.test(value)) {
    throw malformed(`"${name}" is not ${bytes} bytes of hex`);
  }
  return value;
}

function numberField(from: Record<string, unknown>, name: string): number {
  const value = from[name];
  if (typeof value !== 'number') throw malformed(`"${name}" is not a number`);
  return value;
}

function parse(text: string): KeystoreFile {
  if (text.length > TEXT_LENGTH_MAX) throw malformed(`it has ${text.length} characters`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed('it is not JSON');
  }
  const file = record(json, 'the outer object');
  if (file.kind !== 'ravel-keystore') throw malformed('"kind" is not "ravel-keystore"');
  const version = numberField(file, 'version');
  if (version !== VERSION) {
    throw new WalletError(
      'keystore_version',
      `The wallet file has version ${version}, and this software reads version ${VERSION}: use the version that wrote it.`,
    );
  }
  const kdf = record(file.kdf, '"kdf"');
  const cipher = record(file.cipher, '"cipher"');
  if (kdf.name !== 'argon2id') throw malformed('"kdf" is not "argon2id"');
  if (cipher.name !== 'aes-256-gcm') throw malformed('"cipher" is not "aes-256-gcm"');
  return {
    kind: 'ravel-keystore',
    version: VERSION,
    address: hexField(file, 'address', KEY_BYTES) as Address,
    kdf: {
      name: 'argon2id',
      memoryKib: numberField(kdf, 'memoryKib'),
      passes: numberField(kdf, 'passes'),
      lanes: numberField(kdf, 'lanes'),
      salt: hexField(kdf, 'salt', SALT_BYTES),
    },
    cipher: { name: 'aes-256-gcm', nonce: hexField(cipher, 'nonce', NONCE_BYTES) },
    check: hexField(file, 'check', KEY_BYTES),
    secret: hexField(file, 'secret', SECRET_BYTES),
  };
}
