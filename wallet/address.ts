/**
 * Addresses as people see them: bech32m (BIP-350) with the network's prefix over the 32 bytes of the account's address.
 * The checksum finds any four wrong characters, so money is not sent to a typing error. The only owner of @scure/base.
 */
import { bech32m } from '@scure/base';
import { type Address, HASH_BYTES, hex, unhex } from '../ledger/index.ts';
import { WalletError } from './wallet-error.ts';

/** Prefix of 16, separator, 52 characters of 5 bits for 32 bytes, checksum of 6; beyond it nothing is parsed. */
const ADDRESS_LENGTH_MAX = 16 + 1 + 52 + 6;

/** @param prefix The genesis' prefix, a-z. */
export function formatAddress(prefix: string, address: Address): string {
  return bech32m.encode(prefix, bech32m.toWords(unhex(address)), ADDRESS_LENGTH_MAX);
}

/**
 * The address that `text` shows. Spaces around it do not matter.
 * Throws `address_format`, `address_prefix`, `address_checksum` or `address_length`.
 */
export function parseAddress(prefix: string, text: string): Address {
  const trimmed = text.trim();
  if (trimmed.length > ADDRESS_LENGTH_MAX || !/^[!-~]+$/.test(trimmed) || mixesCase(trimmed)) {
    throw new WalletError(
      'address_format',
      `This is not an address: addresses look like ${prefix}1…, at most ${ADDRESS_LENGTH_MAX} letters and digits, ` +
        'all lower or all upper case. Copy the whole address again.',
    );
  }
  const lower = trimmed.toLowerCase();
  const separator = lower.lastIndexOf('1');
  if (separator < 1) {
    throw new WalletError(
      'address_format',
      `This is not an address: it has no "1" after a prefix. Addresses of this network start with ${prefix}1.`,
    );
  }
  const found = lower.slice(0, separator);
  if (found !== prefix) {
    throw new WalletError(
      'address_prefix',
      `The address starts with ${found}1, and addresses of this network with ${prefix}1. It belongs to another ` +
        'network, or its beginning is mistyped: ask the receiver for an address of this one.',
    );
  }
  const decoded = bech32m.decodeUnsafe(lower, ADDRESS_LENGTH_MAX);
  if (!decoded) {
    throw new WalletError(
      'address_checksum',
      'The checksum of the address is wrong: at least one character is mistyped or missing. Copy it again.',
    );
  }
  const bytes = bech32m.fromWordsUnsafe(decoded.words);
  if (!bytes || bytes.length !== HASH_BYTES) {
    throw new WalletError(
      'address_length',
      `The address holds ${bytes ? `${bytes.length} bytes` : 'no whole bytes'} instead of ${HASH_BYTES}. It was made for ` +
        'something else: ask the receiver for an account address.',
    );
  }
  return hex(bytes) as Address;
}

function mixesCase(text: string): boolean {
  return text !== text.toLowerCase() && text !== text.toUpperCase();
}
