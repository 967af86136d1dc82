/**
 * What a node has to know to go on without the vertices that are forgotten: the state after the last commit, the payments
 * that still count, and what each remembered witness has said. The vertices themselves stay in the store and are read, or
 * fetched from a peer, after the snapshot, in the order of attachment.
 *
 * From a peer, the accounts are held to the root that headers of weight >= q carry, and what witnesses certify to the root in
 * their own headers. What they accepted and deferred about open payments is taken on trust until it lapses: a lie there
 * makes no payment final, as finality takes certificates; it shows as `certified_root_wrong` of everybody else's witnesses.
 */
import type { PaymentRecord } from './account.ts';
import type { Checkpoints } from './checkpoints.ts';
import { Committee } from './committee.ts';
import { DecodeError, decoding, Reader, Writer } from './encode.ts';
import type { Ledger } from './ledger.ts';
import { COMMITTEE_MAX, TRANSFERS_MAX, WITNESS_HEADER_BYTES } from './limits.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { AccountState, PaymentState, Said, Snapshot } from './snapshot-state.ts';
import { accountLeaf, StateTree } from './state-tree.ts';
import type {
  Address,
  Checkpoint,
  Genesis,
  Hash,
  PaymentId,
  Round,
  Slot,
  Transfer,
  Units,
  ValidatorIndex,
  VertexId,
} from './types.ts';
import { checkHeader, decodeWitnessHeader } from './witness.ts';

/** Bytes of one part: it fits a frame with what stands around it. */
export const SNAPSHOT_PART_BYTES = 48 * 1024;

const VERSION = 1;
/** Of each list; more than any node holds. */
const COUNT_MAX = 100_000_000;

/** Bytes in parts of at most SNAPSHOT_PART_BYTES, whatever they mean. */
class Parts {
  readonly parts: Uint8Array[] = [];
  #part = new Uint8Array(SNAPSHOT_PART_BYTES);
  #at = 0;

  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const piece = bytes.subarray(from, from + SNAPSHOT_PART_BYTES - this.#at);
      this.#part.set(piece, this.#at);
      this.#at += piece.length;
      from += piece.length;
      if (this.#at === SNAPSHOT_PART_BYTES) this.#close();
    }
  }

  #close(): void {
    this.parts.push(this.#part.slice(0, this.#at));
    this.#at = 0;
  }

  done(): readonly Uint8Array[] {
    if (this.#at > 0) this.#close();
    return this.parts;
  }
}

/**
 * The ledger as it is now, whole: nothing may be attached while this runs.
 * @returns undefined while not enough headers carry the last checkpoint.
 */
export function encodeSnapshot(
  ledger: Ledger,
  promises: Snapshot['promises'],
): readonly Uint8Array[] | undefined {
  const headers = ledger.checkpoints.headers();
  if (headers === undefined) return undefined;
  const out = new Parts();
  const { network } = ledger.genesis;
  const head = new Writer().u8(VERSION).bytes(network).u32(ledger.tangle.floor).u8(headers.length);
  for (const header of headers) head.bytes(header);
  head.u53(ledger.accounts.finals).u53(ledger.accounts.decided);
  out.push(writeCommits(head, ledger.checkpoints).done());
  const payments = [...ledger.accounts.payments()];
  const indices = indicesByRow(payments);
  writeAccounts(out, ledger, indices);
  writePayments(out, payments);
  writeVertices(out, ledger, indices);
  const last = new Writer().u16(promises.validator ?? 0xffff).u32(promises.list.length);
  for (const [slot, id] of promises.list) last.hash(slot).hash(id);
  out.push(last.done());
  return out.done();
}

function writeCommits(writer: Writer, checkpoints: Checkpoints): Writer {
  writer.u32(checkpoints.all.length);
  for (const { index, round, leader, root } of checkpoints.all)
    writer.u53(index).u32(round).hash(leader).hash(root);
  return writer;
}

/** A payment's place in the snapshot, by its row: a fraction of what a map of them all would take. */
function indicesByRow(payments: readonly PaymentRecord[]): Uint32Array {
  const indices = new Uint32Array(payments.reduce((rows, { row }) => Math.max(rows, row + 1), 0));
  for (const [index, { row }] of payments.entries()) indices[row] = index;
  return indices;
}

function writeAccounts(out: Parts, ledger: Ledger, indices: Uint32Array): void {
  // Whoever has a leaf in the state tree.
  const accounts = [...ledger.accounts.all()].filter(
    ({ decided }) => decided.balance > 0 || decided.sequence > 0,
  );
  out.push(new Writer(4).u32(accounts.length).done());
  const writer = new Writer(256);
  for (const { address, decided, root, historyBase, history } of accounts) {
    writer.hash(address).u53(decided.balance).u53(decided.sequence).hash(decided.head);
    writer.hash(root.slot).u53(root.sequence).u53(historyBase).u32(history.length);
    for (const { row } of history) writer.u32(indices[row]!);
    out.push(writer.flush());
  }
}

function writePayments(out: Parts, payments: readonly PaymentRecord[]): void {
  out.push(new Writer(4).u32(payments.length).done());
  const writer = new Writer(256);
  for (const payment of payments) {
    const { id, account, previous, sequence, transfers, final, decidedAt } = payment;
    writer.hash(id).hash(account.address).hash(previous).u53(sequence);
    writer.u8(transfers.length);
    for (const { to, amount } of transfers) writer.hash(to).u53(amount);
    out.push(
      writer
        .u8(final ? 1 : 0)
        .u53(decidedAt)
        .flush(),
    );
  }
}

function writeVertices(out: Parts, { tangle }: Ledger, indices: Uint32Array): void {
  const first = Math.max(1, tangle.base);
  out.push(new Writer(4).u32(tangle.size - first).done());
  const writer = new Writer(128);
  for (let row = first; row < tangle.size; row++) {
    const record = tangle.record(row);
    writer.hash(record.id).u8(record.kind === 'witness' ? 1 : 0);
    if (record.kind === 'witness') {
      writer.u53(record.commit);
      for (const list of [record.accepted, record.deferred, record.certified]) {
        writer.u32(list.length);
        for (const { row } of list) writer.u32(indices[row]!);
      }
    }
    out.push(writer.flush());
  }
}

/** What the headers at the beginning of a snapshot prove: which state it is of. Needs the first part only. */
export function snapshotCheckpoint(genesis: Genesis, first: Uint8Array): Checkpoint | Refusal {
  return decoding(() => readHead(new Reader(first), genesis).checkpoint);
}

interface Head {
  readonly floor: Round;
  readonly headers: readonly Uint8Array[];
  readonly checkpoint: Checkpoint;
}

function readHead(reader: Reader, genesis: Genesis): Head {
  const version = reader.u8('snapshot');
  if (version !== VERSION) throw malformed(`snapshot of version ${version}`);
  reader.network(genesis.network, 'snapshot');
  const floor = reader.u32('floor');
  const headers: Uint8Array[] = [];
  const validators = new Set<ValidatorIndex>();
  let checkpoint: Checkpoint | undefined;
  for (let left = reader.count(1, COMMITTEE_MAX, 'headers', reader.u8); left > 0; left--) {
    const bytes = reader.bytes(WITNESS_HEADER_BYTES, 'header').slice();
    const header = decodeWitnessHeader(bytes, genesis.network);
    if (isRefusal(header)) throw new DecodeError(header);
    const refusal = checkHeader(header, bytes, genesis);
    if (refusal !== undefined) throw new DecodeError(refusal);
    checkpoint ??= header.checkpoint;
    const { leader, root } = header.checkpoint;
    if (leader !== checkpoint.leader || root !== checkpoint.root)
      throw malformed('headers of different states');
    validators.add(header.validator);
    headers.push(bytes);
  }
  const committee = new Committee(genesis.committee);
  const weight = committee.weight(validators);
  const required = committee.quorum;
  if (weight < required) throw new DecodeError({ code: 'quorum_missing', weight, required });
  return { floor, headers, checkpoint: checkpoint! };
}

function malformed(what: string): DecodeError {
  return new DecodeError({ code: 'malformed', what });
}

/** Reads a snapshot and holds its state to what its headers prove. */
export function decodeSnapshot(genesis: Genesis, bytes: Uint8Array): Snapshot | Refusal {
  return decoding(() => {
    const reader = new Reader(bytes);
    const { floor, headers, checkpoint } = readHead(reader, genesis);
    const finals = reader.u53('finals');
    const decided = reader.u53('decided');
    const commits = readMany(reader, 'commits', () => ({
      index: reader.u53('commit'),
      round: reader.u32('commit'),
      leader: reader.hash<VertexId>('commit'),
      root: reader.hash('commit'),
    }));
    const last = commits.at(-1);
    if (last?.leader !== checkpoint.leader || last.root !== checkpoint.root)
      throw malformed('commits of another state');
    const accounts = readAccounts(reader);
    checkAccounts(genesis, accounts, checkpoint.root);
    const payments = readPayments(reader);
    const vertices = readVertices(reader, payments.length);
    const validator = reader.u16('promises');
    const list = readMany(reader, 'promises', () => {
      return [reader.hash<PaymentId>('slot') as Slot, reader.hash<PaymentId>('promise')] as const;
    });
    reader.end('snapshot');
    const promises = { validator: validator === 0xffff ? undefined : validator, list };
    return { checkpoint, commits, headers, floor, finals, decided, accounts, payments, vertices, promises };
  });
}

function readMany<T>(reader: Reader, what: string, read: () => T): T[] {
  const list: T[] = [];
  for (let left = reader.count(0, COUNT_MAX, what, reader.u32); left > 0; left--) list.push(read());
  return list;
}

function readAccounts(reader: Reader): AccountState[] {
  return readMany(reader, 'accounts', () => ({
    address: reader.hash<Address>('account'),
    balance: reader.u53('account') as Units,
    sequence: reader.u53('account'),
    head: reader.hash<PaymentId>('account') as Slot,
    root: { slot: reader.hash<PaymentId>('account') as Slot, sequence: reader.u53('account') },
    historyBase: reader.u53('account'),
    history: readMany(reader, 'history', () => reader.u32('history')),
  }));
}

/** "The accounts' root equals the one that headers carry, the supply equals the genesis'." */
function checkAccounts(genesis: Genesis, accounts: readonly AccountState[], root: Hash): void {
  const tree = new StateTree(genesis.network);
  let supply = 0;
  for (const { address, balance, sequence, head } of accounts) {
    tree.set(address, accountLeaf(genesis.network, address, balance, sequence, head));
    supply += balance;
  }
  if (tree.size !== accounts.length) throw malformed('an account twice');
  if (tree.root() !== root) throw malformed('accounts that lead to another root');
  if (supply !== genesis.supply) throw malformed(`a supply of ${supply}`);
}

function readPayments(reader: Reader): PaymentState[] {
  return readMany(reader, 'payments', () => {
    const id = reader.hash<PaymentId>('payment');
    const account = reader.hash<Address>('payment');
    const previous = reader.hash<PaymentId>('payment') as Slot;
    const sequence = reader.u53('payment');
    const transfers: Transfer[] = [];
    for (let left = reader.count(1, TRANSFERS_MAX, 'transfers', reader.u8); left > 0; left--) {
      transfers.push({ to: reader.hash<Address>('transfer'), amount: reader.u53('transfer') as Units });
    }
    const final = reader.u8('payment') === 1;
    const decidedAt = reader.u53('payment');
    return { id, account, previous, sequence, transfers, final, decidedAt };
  });
}

function readVertices(reader: Reader, payments: number): Map<VertexId, Said | undefined> {
  const index = (): number => {
    const at = reader.u32('payment');
    if (at >= payments) throw malformed('a payment that the snapshot does not hold');
    return at;
  };
  const list = (what: string): number[] => readMany(reader, what, index);
  return new Map(
    readMany(reader, 'vertices', () => {
      const id = reader.hash<VertexId>('vertex');
      if (reader.u8('vertex') === 0) return [id, undefined] as const;
      const commit = reader.u53('witness');
      return [
        id,
        { commit, accepted: list('accepted'), deferred: list('deferred'), certified: list('certified') },
      ];
    }),
  );
}
