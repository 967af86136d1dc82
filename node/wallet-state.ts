/** The small state of a wallet as JSON text with a sum over it. Binary things are hex, so that people can read the file. */
import { crc32 } from 'node:zlib';
import { type Address, hex, type PaymentId, type Slot, unhex } from '../ledger/index.ts';
import { WalletError, type WalletState } from '../wallet/index.ts';

const VERSION = 1;

/** The state, and how long the history was when it was saved. */
export interface SavedState {
  readonly state: WalletState;
  readonly historyBytes: number;
}

interface StateFile {
  readonly version: number;
  readonly network: string;
  readonly address: Address;
  readonly sequence: number;
  readonly head: Slot;
  readonly outgoing: readonly { readonly bytes: string; readonly signedAtMs: number }[];
  readonly work: { readonly slot: Slot; readonly nonce: string } | null;
  readonly cursors: Readonly<Record<string, number>>;
  readonly spent: { readonly day: number; readonly units: number };
  readonly historyBytes: number;
  /** Missing in files of earlier versions. */
  readonly base?: string | null;
  readonly lost?: readonly {
    readonly bytes: string;
    readonly reason: 'dead' | 'forgotten';
    readonly winner: PaymentId | null;
  }[];
}

function sumOf(content: unknown): number {
  return crc32(JSON.stringify(content));
}

export function formatState({ state, historyBytes }: SavedState): string {
  const { network, address, sequence, head, outgoing, work, cursors, spent, base, lost } = state;
  const file: StateFile = {
    version: VERSION,
    network,
    address,
    sequence,
    head,
    outgoing: outgoing.map(({ bytes, signedAtMs }) => ({ bytes: hex(bytes), signedAtMs })),
    work: work === undefined ? null : { slot: work.slot, nonce: hex(work.nonce) },
    cursors,
    spent,
    historyBytes,
    base: base === undefined ? null : hex(base),
    lost: lost.map(({ bytes, reason, winner = null }) => ({ bytes: hex(bytes), reason, winner })),
  };
  return `${JSON.stringify({ ...file, crc32: sumOf(file) }, undefined, 1)}\n`;
}

/** Throws `wallet_corrupted`, with `name` for people. */
export function parseState(text: string, name: string): SavedState {
  let file: StateFile;
  try {
    const { crc32: sum, ...content } = JSON.parse(text) as StateFile & { crc32: number };
    if (content.version !== VERSION && content.version > VERSION) throw newer(name, content.version);
    if (sumOf(content) !== sum) throw new Error('it does not fit its sum');
    file = content;
  } catch (error) {
    if (error instanceof WalletError) throw error;
    throw damaged(name, error);
  }
  const { outgoing, work, historyBytes, base = null, lost = [], version: _, ...rest } = file;
  const state: WalletState = {
    ...rest,
    outgoing: outgoing.map(({ bytes, signedAtMs }) => ({ bytes: unhex(bytes), signedAtMs })),
    work: work === null ? undefined : { slot: work.slot, nonce: unhex(work.nonce) },
    base: base === null ? undefined : unhex(base),
    lost: lost.map(({ bytes, reason, winner }) => ({
      bytes: unhex(bytes),
      reason,
      winner: winner ?? undefined,
    })),
  };
  return { state, historyBytes };
}

function damaged(name: string, cause: unknown): WalletError {
  return new WalletError(
    'wallet_corrupted',
    `${name} is damaged (${cause instanceof Error ? cause.message : cause}). It holds payments that may not have been ` +
      'sent yet: take a backup of it. Without one, move it away once every payment of this wallet is final; the wallet ' +
      'then asks the nodes what this account has paid.',
    { cause },
  );
}

function newer(name: string, version: number): WalletError {
  const text = `${name} has version ${version}, and this software reads version ${VERSION}: use the version that wrote it.`;
  return new WalletError('wallet_corrupted', text);
}
