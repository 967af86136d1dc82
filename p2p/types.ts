/** What the rooms above see of the network. Peers, addresses and protocols are strings here; libp2p stays inside. */
import type {
  Address,
  NetworkId,
  Outcome,
  PaymentId,
  Refusal,
  Round,
  Slot,
  ValidatorIndex,
  VertexId,
} from '../ledger/index.ts';
import type {
  AccountView,
  HistoryEntry,
  LightHandlers,
  LightPush,
  NodeView,
  ProofReply,
  SubmitReply,
} from './light-messages.ts';
import type { PeerLimits } from './limits.ts';
import type { Log } from './log.ts';

export type GossipKind = 'block' | 'witness' | 'header';

/** accept: forward it; ignore: keep quiet about it; a refusal: drop it, and REACTION decides what its sender gets. */
export type Verdict = 'accept' | 'ignore' | Refusal;

export interface PeersOptions {
  readonly network: NetworkId;
  /** Multiaddrs to listen on, such as `/ip4/0.0.0.0/tcp/4600`. */
  readonly listen: readonly string[];
  /** Multiaddrs to tell others instead, for a node behind address translation. */
  readonly announce?: readonly string[] | undefined;
  /** Multiaddrs of configured peers, redialled for ever; with /p2p/<id> where the id is to be held to. */
  readonly peers: readonly string[];
  /** Look for peers of this network on the local network too. */
  readonly mdns: boolean;
  /** 32 bytes, the Ed25519 seed of this node's libp2p identity (not of its validator key). */
  readonly identitySeed: Uint8Array;
  /** Connections of all kinds, light clients too. */
  readonly connectionsMax: number;
  /** What differs from PEER_LIMITS. */
  readonly limits?: Partial<PeerLimits> | undefined;
}

export interface SinceRequest {
  readonly round: Round;
  /** Where the window before ended; then `round` is not looked at. */
  readonly cursor?: number | undefined;
}

export interface SinceWindow {
  /** Whole encodings, parents before children. */
  readonly vertices: readonly Uint8Array[];
  /** The cursor to go on with; missing when there is no more. */
  readonly next?: number | undefined;
  /** The first round that the peer still has, where it is above the one asked for: only a snapshot helps then. */
  readonly floor?: Round | undefined;
}

/** A snapshot that a peer has. */
export interface SnapshotOffer {
  /** The committed leader after which the state is; names the snapshot of this peer. */
  readonly leader: VertexId;
  /** Number of parts, and their bytes together. */
  readonly count: number;
  readonly bytes: number;
  /** Where in this peer's order (see SinceRequest) the vertices begin that belong to it. */
  readonly cursor: number;
  /** The first part: headers that prove which state it is of. */
  readonly first: Uint8Array;
}

export interface SnapshotRequest {
  readonly leader: VertexId;
  /** Number of the first part that is wanted. */
  readonly from: number;
}

export interface SnapshotWindow {
  readonly parts: readonly Uint8Array[];
  /** The part to go on with; missing when there is no more. */
  readonly next?: number | undefined;
}

export interface LastWitnessRequest {
  /** Whose last witness is asked for. */
  readonly validator: ValidatorIndex;
  /** NONCE_BYTES that nobody could know before. */
  readonly nonce: Uint8Array;
}

export interface LastWitnessAnswer {
  /** `encodeLastWitness` of what the peer's validator says; unverified. */
  readonly statement: Uint8Array;
  /** The whole encoding of the witness that the statement names, where the peer has it; unverified. */
  readonly witness?: Uint8Array;
}

/** What the node does with what comes, and for those who ask. May reject: that is logged and counted, no more. */
export interface VertexHandlers {
  /**
   * A frame came by gossip, at most FRAME_BYTES_MAX bytes, the handler's to keep; answered when it has been checked.
   * Whoever answers late delays nobody else's frames, but after `verdictTimeoutMs` it counts as `ignore`.
   * Headers never come here: nodes send them and do not listen for them.
   */
  gossip(kind: 'block' | 'witness', bytes: Uint8Array, from: string): Promise<Verdict>;
  /** Whole encodings of those of at most FETCH_IDS_MAX ids that are known, in any order. */
  fetch(ids: readonly VertexId[]): Promise<readonly Uint8Array[]>;
  /** Starting at the first vertex of `round`, or at `cursor`; at most `bytesMax` in all, but at least one vertex. */
  since(request: SinceRequest & { readonly bytesMax: number }): Promise<SinceWindow>;
  /** The snapshot that is to be had here. */
  snapshot(): Promise<SnapshotOffer | undefined>;
  /** Parts of it, at most `bytesMax` in all, but at least one; undefined when it is to be had no more. */
  snapshotParts(
    request: SnapshotRequest & { readonly bytesMax: number },
  ): Promise<SnapshotWindow | undefined>;
  /** What this node's validator knows of the last witness of another; undefined when it has nothing to say. */
  lastWitness(request: LastWitnessRequest): Promise<LastWitnessAnswer | undefined>;
}

export interface PeersDeps {
  readonly log: Log;
  /** Milliseconds; for budgets only, so any clock that does not go back will do. */
  nowMs(): number;
  readonly vertices: VertexHandlers;
  readonly light: LightHandlers;
}

/** A vertex that was asked for, unverified but for its id, and the peer that sent it (see `penalise`). */
export interface FetchedVertex {
  readonly bytes: Uint8Array;
  readonly from: string;
}

export interface PeerView {
  readonly id: string;
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  /** Penalty points now, 0 to PENALTY_CUT_POINTS. */
  readonly points: number;
}

/** A full node's side of the network: gossip, fetching what is missing, catching up, and serving light clients. */
export interface Peers extends AsyncDisposable {
  /** This node's peer id. */
  readonly id: string;
  /** Full multiaddrs with /p2p/. */
  readonly addresses: readonly string[];
  /**
   * Fire and forget: what a slow peer cannot take is dropped for that peer and counted. A block or witness may be
   * published again, for those who came since. A witness published or accepted
   * here also sends its header to the light clients; publish a `header` only for witnesses that came another way.
   * Throws a PeersError `message_too_large` for what nobody may send.
   */
  publish(kind: GossipKind, bytes: Uint8Array): void;
  /**
   * Ask for missing vertices: at most FETCH_IDS_MAX ids a request, from the peers of `from` first, then from others.
   * Resolves with what came whose hash is one of the ids, each once; ids that nobody had are simply missing. Never rejects.
   */
  fetch(ids: readonly VertexId[], from: readonly string[]): Promise<readonly FetchedVertex[]>;
  /** One window of catching up from one peer. Rejects with a PeersError. */
  since(peer: string, request: SinceRequest): Promise<SinceWindow>;
  /** The snapshot that a peer offers, unverified; undefined when it has none. Rejects with a PeersError. */
  snapshot(peer: string): Promise<SnapshotOffer | undefined>;
  /** One window of its parts; undefined when the peer has it no more. Rejects with a PeersError. */
  snapshotParts(peer: string, request: SnapshotRequest): Promise<SnapshotWindow | undefined>;
  /** What one peer's validator says of another's last witness; undefined when it says nothing. Rejects with a PeersError. */
  lastWitness(peer: string, request: LastWitnessRequest): Promise<LastWitnessAnswer | undefined>;
  /** Does to the peer what REACTION says of something that it sent. */
  penalise(peer: string, refusal: Refusal): void;
  /** Connected full nodes of this network. */
  list(): readonly PeerView[];
  /** Called for each full node of this network once it is connected and can be asked, those already there included. */
  onPeer(listener: (peer: string) => void): void;
  /** What happened since the start, by name; only grows. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface LightPeersOptions {
  readonly network: NetworkId;
  /** 32 bytes, the Ed25519 seed of the libp2p identity; random for a client that nobody dials. */
  readonly identitySeed: Uint8Array;
  /** Multiaddrs; empty for a client that nobody dials. Chargers listen for sessions. */
  readonly listen: readonly string[];
  /** Longest wait for a reply or for a dial. */
  readonly requestTimeoutMs: number;
  /** What differs from PEER_LIMITS. */
  readonly limits?: Partial<PeerLimits> | undefined;
}

export interface LightPeersDeps {
  readonly log: Log;
  /** Milliseconds; for budgets only. */
  nowMs(): number;
}

/** A light client's side of the network: links to nodes, gossip headers, blocks of its own, and session streams. */
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
  /** `encodeBalanceProof`, unverified. */
  balance(address: Address): Promise<Uint8Array | undefined>;
  /** Who has the slot of a payment, unverified. @param slot Its `previous`, for nodes that do not know the payment. */
  outcome(payment: PaymentId, slot?: Slot): Promise<Outcome | undefined>;
  /** Nonce search by the node: 8 bytes, unverified. */
  work(previous: Slot, account: Address): Promise<Uint8Array | Refusal>;
  status(): Promise<NodeView>;
  /** Adds addresses, at most SUBSCRIPTION_ADDRESSES_MAX on a link; push events follow. */
  subscribe(addresses: readonly Address[]): Promise<void>;
  /** When the node ends the subscription because this client did not drain, the link ends too: see `closed`. */
  onPush(listener: (event: LightPush) => void): void;
}

/** A stream of messages (null, booleans, numbers, text, bytes, arrays, plain objects) that fit a frame, between clients. */
export interface FramedStream {
  /** Peer id of the other side, proven by the handshake. */
  readonly remote: string;
  /** Resolves when the stream can take more. Rejects with a PeersError: message_too_large, bad_message, closed. */
  send(message: unknown): Promise<void>;
  /** Ends when the other side closes; throws a PeersError when the stream breaks. One reader only. */
  receive(): AsyncIterable<unknown>;
  /** Ends this side in order; what was sent arrives. */
  close(): Promise<void>;
  abort(reason: Error): void;
}
