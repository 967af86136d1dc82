/**
 * From 24 words to keys: BIP-39 (phrase and seed), then SLIP-0010 for Ed25519, all steps hardened.
 *
 *   m / 44' / 1380013644' / account' / 0' / 0'
 *
 * The coin type is the ASCII text "RAVL" read as a number (0x5241564c). It is not registered in SLIP-0044, where nothing
 * stood at that number when it was chosen; a number of our own keeps one phrase from giving the same key to two ledgers.
 * It must never change: every restored wallet depends on it. The only owner of @scure/bip39 and micro-key-producer.
 */
import { entropyToMnemonic, generateMnemonic, mnemonicToEntropy, mnemonicToSeedSync } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { HDKey } from 'micro-key-producer/slip10.js';
import { WalletError } from './wallet-error.ts';

/** "RAVL"; see above. */
export const COIN_TYPE = 0x5241564c;

/** 256 bits: as strong as nothing else here needs to be, and the length that hardware wallets use. */
export const PHRASE_WORDS = 24;

const ENTROPY_BITS = 256;

/** SLIP-0010 keeps the highest bit of an index for "hardened". */
const ACCOUNT_MAX = 2 ** 31 - 1;

/** 24 new words from the platform's random generator. Whoever has them has the money. */
export function newPhrase(): string {
  return generateMnemonic(wordlist, ENTROPY_BITS);
}

/** One space between lower-case words, as BIP-39 hashes them. */
function normalise(phrase: string): string {
  return phrase.normalize('NFKD').trim().toLowerCase().split(/\s+/u).join(' ');
}

/** What is wrong with a phrase as a person typed it (case and spaces do not matter), or undefined. Never quotes the phrase. */
export function phraseProblem(phrase: string): string | undefined {
  const words = normalise(phrase).split(' ');
  if (words.length !== PHRASE_WORDS) {
    const found = words[0] === '' ? 0 : words.length;
    return `A recovery phrase has ${PHRASE_WORDS} words; this one has ${found}. Check for words left out or joined.`;
  }
  const unknown = words.flatMap((word, index) => (wordlist.includes(word) ? [] : [index + 1]));
  if (unknown.length > 0) {
    const which = unknown.length === 1 ? `Word ${unknown[0]} is` : `Words ${unknown.join(', ')} are`;
    return `${which} not on the English BIP-39 list. Check the spelling; four letters tell every word apart.`;
  }
  try {
    mnemonicToEntropy(words.join(' '), wordlist);
  } catch {
    return 'The checksum of the phrase is wrong: all words exist, but one is not the right one, or two are swapped.';
  }
  return undefined;
}

function checked(phrase: string): string {
  const problem = phraseProblem(phrase);
  if (problem !== undefined) throw new WalletError('bad_phrase', problem);
  return normalise(phrase);
}

/** The 32 bytes behind a phrase. Throws `bad_phrase`. */
export function phraseEntropy(phrase: string): Uint8Array {
  return mnemonicToEntropy(checked(phrase), wordlist);
}

/** The phrase of 32 bytes. */
export function phraseOf(entropy: Uint8Array): string {
  return entropyToMnemonic(entropy, wordlist);
}

/**
 * The 32-byte Ed25519 seed of an account. Takes tens of milliseconds (PBKDF2, 2048 rounds).
 * @param account 0 to 2^31 - 1.
 * @param passphrase BIP-39's "25th word"; another one is another wallet, and none is the empty one.
 */
export function deriveKey(phrase: string, account: number, passphrase = ''): Uint8Array {
  if (!Number.isInteger(account) || account < 0 || account > ACCOUNT_MAX) {
    throw new WalletError('bad_account', `Account ${account} does not exist: use 0 to ${ACCOUNT_MAX}.`);
  }
  const seed = mnemonicToSeedSync(checked(phrase), passphrase);
  return deriveFromSeed(seed, `m/44'/${COIN_TYPE}'/${account}'/0'/0'`);
}

/** SLIP-0010 for Ed25519. @param seed 16 to 64 bytes. @param path `m/0'/1'`: every step hardened. */
export function deriveFromSeed(seed: Uint8Array, path: string): Uint8Array {
  return HDKey.fromMasterSeed(seed).derive(path).privateKey;
}
