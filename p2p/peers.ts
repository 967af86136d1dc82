/** A full node's side of the network: gossip, fetching what is missing, catching up, and serving light clients. */
import type { NetworkId, Refusal, Round, VertexId } from '../ledger/index.ts';
import type { LightHandlers } from './light-messages.ts';
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
  /** Look for peers on the local network too. */
  readonly mdns: boolean;
  /** 32 bytes, the Ed25519 seed of this node's libp2p identity (not of its validator key). */
  readonly identitySeed: Uint8Array;
  /** Connections of all kinds, light clients too. */
  readonly connectionsMax: number;
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
}

/** What the node does with what comes, and for those who ask. May reject: that is logged and counted, no more. */
export interface VertexHandlers {
  /**
   * A frame came by gossip, at most FRAME_BYTES_MAX bytes (a header exactly WITNESS_HEADER_BYTES); answered when it has
   * been checked. Whoever answers late delays nobody else's frames, but past GOSSIP_VERDICT_TIMEOUT_MS it is `ignore`.
   */
  gossip(kind: GossipKind, bytes: Uint8Array, from: string): Promise<Verdict>;
  /** Whole encodings of those of at most FETCH_IDS_MAX ids that are known, in any order. */
  fetch(ids: readonly VertexId[]): Promise<readonly Uint8Array[]>;
  /** Starting at the first vertex of `round`, or at `cursor`; at most `bytesMax` bytes in all, but at least one vertex. */
  since(request: SinceRequest & { readonly bytesMax: number }): Promise<SinceWindow>;
}

export interface PeersDeps {
  readonly log: Log;
  nowMs(): number;
  readonly vertices: VertexHandlers;
  readonly light: LightHandlers;
}

/** A vertex that was asked for, unverified, and the peer that sent it (who answers for it, see `penalise`). */
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

export interface Peers extends AsyncDisposable {
  /** This node's peer id. */
  readonly id: string;
  /** Full multiaddrs with /p2p/. */
  readonly addresses: readonly string[];
  /** Fire and forget; what exceeds the bound of unsent frames is dropped and counted. Throws when over FRAME_BYTES_MAX. */
  publish(kind: GossipKind, bytes: Uint8Array): void;
  /**
   * Ask for missing vertices: at most FETCH_IDS_MAX ids a request, from the peers of `from` first, then from others.
   * Resolves with what came whose hash is one of the ids, each once; ids that nobody had are simply missing. Never rejects.
   */
  fetch(ids: readonly VertexId[], from: readonly string[]): Promise<readonly FetchedVertex[]>;
  /** One window of catching up from one peer. Rejects with a PeersError. */
  since(peer: string, request: SinceRequest): Promise<SinceWindow>;
  /** Does to the peer what REACTION says of something that it sent. */
  penalise(peer: string, refusal: Refusal): void;
  /** Connected full nodes of this network. */
  list(): readonly PeerView[];
  /** Called for each full node of this network once it is connected and can be asked, those already there included. */
  onPeer(listener: (peer: string) => void): void;
  /** What happened since the start, by name; only grows. */
  readonly counters: Readonly<Record<string, number>>;
}
