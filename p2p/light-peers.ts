/** A light client's side of the network: links to nodes, gossip headers, blocks of its own, and session streams. */
import type { Address, NetworkId, PaymentId, Refusal, Slot, VertexId } from '../ledger/index.ts';
import type {
  AccountView,
  HistoryEntry,
  LightPush,
  NodeView,
  ProofReply,
  SubmitReply,
} from './light-messages.ts';
import type { Log } from './log.ts';

export interface LightPeersOptions {
  readonly network: NetworkId;
  /** 32 bytes, the Ed25519 seed of the libp2p identity; random for a client that nobody dials. */
  readonly identitySeed: Uint8Array;
  /** Multiaddrs; empty for a client that nobody dials. Chargers listen for sessions. */
  readonly listen: readonly string[];
  /** Longest wait for a reply or for a dial. */
  readonly requestTimeoutMs: number;
}

export interface LightPeersDeps {
  readonly log: Log;
  nowMs(): number;
}

export interface LightPeers extends AsyncDisposable {
  readonly id: string;
  /** Full multiaddrs with /p2p/; empty when not listening. */
  readonly addresses: readonly string[];
  /** Dial a node's light protocol. Rejects with a PeersError: bad_address, unreachable, wrong_network, timeout ... */
  connect(address: string): Promise<LightLink>;
  /** Witness headers as they come by gossip: exactly WITNESS_HEADER_BYTES of this network, nothing else checked. */
  onHeader(listener: (header: Uint8Array) => void): void;
  /** Gossips a block of this client's own to all nodes it knows, so that no single node can shut it out; how many got it. */
  publishBlock(bytes: Uint8Array): Promise<number>;
  /** A stream to another client (charger, car). `protocol` is a name and version such as `session/1`. */
  openStream(address: string, protocol: string): Promise<FramedStream>;
  /** Take streams of a protocol; those beyond the bound are refused before the handler hears of them. */
  handleStream(protocol: string, handler: (stream: FramedStream, from: string) => void): Promise<void>;
  readonly counters: Readonly<Record<string, number>>;
}

/** One long-lived stream to one node. All requests reject with a PeersError (timeout, closed, too_busy, refused ...). */
export interface LightLink extends AsyncDisposable {
  /** As it was given to `connect`. */
  readonly address: string;
  /** Peer id of the node. */
  readonly remote: string;
  /** Resolves when the link has ended, whoever ended it. Never rejects. */
  readonly closed: Promise<void>;
  /** At most SUBMIT_PAYMENTS_MAX and one frame; one reply for each, in order. */
  submit(payments: readonly Uint8Array[]): Promise<readonly SubmitReply[]>;
  tips(count: number): Promise<readonly VertexId[]>;
  account(address: Address): Promise<AccountView>;
  /** A page may be shorter than `limit` for want of room in a frame; only an empty one means that there is no more. */
  history(address: Address, after: number, limit: number): Promise<readonly HistoryEntry[]>;
  proof(payment: PaymentId): Promise<ProofReply>;
  /** Nonce search by the node: 8 bytes, unverified. */
  work(previous: Slot, account: Address): Promise<Uint8Array | Refusal>;
  status(): Promise<NodeView>;
  /** Adds addresses, at most SUBSCRIPTION_ADDRESSES_MAX on a link; push events follow. */
  subscribe(addresses: readonly Address[]): Promise<void>;
  /** When the node ends the subscription (this client did not drain), the link ends too: see `closed`. */
  onPush(listener: (event: LightPush) => void): void;
}

/** A stream of messages (anything that msgpack carries and that fits a frame) between two clients. */
export interface FramedStream {
  /** Peer id of the other side, proven by the handshake. */
  readonly remote: string;
  /** Resolves when the stream can take more. Rejects with a PeersError: message_too_large, closed. */
  send(message: unknown): Promise<void>;
  /** Ends when the other side closes; throws a PeersError when the stream breaks. One reader only. */
  receive(): AsyncIterable<unknown>;
  /** Ends this side in order; what was sent arrives. */
  close(): Promise<void>;
  abort(reason: Error): void;
}
