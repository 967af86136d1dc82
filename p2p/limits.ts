/**
 * Limits of the wire. Those in capitals are part of the protocols (changing one makes peers disagree, not fork);
 * PEER_LIMITS are this participant's own patience and generosity, which an operator may set.
 */
import { FRAME_BYTES_MAX, PARENTS_MAX, WITNESS_HEADER_BYTES } from '../ledger/index.ts';

/** Kind byte and 24-bit length in front of every frame of our own protocols. */
export const FRAME_HEADER_BYTES = 4;

/** Vertices asked for in one request: a full answer is 4 MiB, under a second on a 50 Mbit/s line. */
export const FETCH_IDS_MAX = 64;

/** Vertices of one since window: 16 full frames. Enough to hide a round trip of 100 ms at 80 Mbit/s. */
export const SINCE_BYTES_MAX = 1024 * 1024;

/** A snapshot that is fetched: ten million accounts, and more than a node has the memory to look at. */
export const SNAPSHOT_BYTES_MAX = 1024 * 1024 * 1024;

/** Payments of one submit: a frame holds about 300 of the smallest; also the unit in which a node verifies. */
export const SUBMIT_PAYMENTS_MAX = 256;

/** A block has no more parents than this, so nobody needs more tips. */
export const TIPS_MAX = PARENTS_MAX;

/** Entries of one history page; the frame usually fills first. */
export const HISTORY_LIMIT_MAX = 256;

/** Addresses that one link may watch: a fleet operator opens more links. */
export const SUBSCRIPTION_ADDRESSES_MAX = 256;

/** Requests without a reply on one light link: hides 100 ms of round trip at 320 requests a second. */
export const LINK_REQUESTS_MAX = 32;

/** Nesting of a message: request, list, entry, refusal and two to spare. */
export const MESSAGE_DEPTH_MAX = 6;

/** Values in one message, so that a frame of one-byte values cannot become 65,536 objects. */
export const MESSAGE_VALUES_MAX = 16 * 1024;

/** Topic name, field tags, and the grafts and prunes that may ride with a message. */
export const GOSSIP_OVERHEAD_BYTES_MAX = 4 * 1024;

/** Penalty points at which a peer is cut. */
export const PENALTY_CUT_POINTS = 100;

/** `penalise`: the fifth within a short time cuts. */
export const PENALTY_POINTS = 20;

/** Half a frame and then silence: the fourth cuts; a car in a tunnel does it once. */
export const STALL_POINTS = 30;

/** Asking for more than the budget: happens to the honest too, so a hundred in a row cut. */
export const OVERDRAFT_POINTS = 1;

/** What one participant grants its peers. Rates are per peer and second; a bucket holds `…Burst` at most. */
export interface PeerLimits {
  /** A cut peer is refused for this long. */
  readonly cutMs: number;
  /** Penalty points that decay in a second. */
  readonly decayPointsPerSecond: number;
  /** Cut peers remembered; beyond it the oldest is forgiven. */
  readonly cutPeersMax: number;
  /** Wait for a dial, and for the protocol to be agreed on. */
  readonly dialTimeoutMs: number;
  /** For a peer to say what it speaks, after which its connection ends. */
  readonly identifyTimeoutMs: number;
  /** Between two bytes of one frame. */
  readonly stallTimeoutMs: number;
  /** For a peer to take what was sent to it. */
  readonly drainTimeoutMs: number;
  /** For the answer to a fetch or since request. */
  readonly requestTimeoutMs: number;
  /** Without a full answer after this long the next peer is asked for the same vertices. */
  readonly fetchHedgeMs: number;
  /** Peers asked for one batch of vertices. */
  readonly fetchPeersMax: number;
  /** Batches under way; what comes on top is answered with nothing. */
  readonly fetchesMax: number;
  /** For the node to judge a gossip frame. */
  readonly verdictTimeoutMs: number;
  /** Gossip frames of one peer being judged; then its stream is not read on. */
  readonly verdictsPending: number;
  /** Gossip bytes that wait for one peer to take them; then frames for it are dropped. */
  readonly gossipUnsentBytes: number;
  readonly gossipFramesPerSecond: number;
  readonly gossipFramesBurst: number;
  readonly gossipBytesPerSecond: number;
  readonly gossipBytesBurst: number;
  /** fetch, since and light requests together. */
  readonly requestsPerSecond: number;
  readonly requestsBurst: number;
  /** Vertices and replies sent to one peer. */
  readonly bytesOutPerSecond: number;
  readonly bytesOutBurst: number;
  /** Payments in submits. */
  readonly submitsPerSecond: number;
  readonly submitsBurst: number;
  /** Nonce searches: each costs a core for seconds. */
  readonly worksPerSecond: number;
  readonly worksBurst: number;
  /** Streams that a peer opens, of any protocol. */
  readonly streamsPerSecond: number;
  readonly streamsBurst: number;
  /** Streams of one peer that are open at once, of all protocols. */
  readonly streamsOpen: number;
  /** Bytes of pushes and replies that wait for a light client to take them; then its link ends. */
  readonly pushUnsentBytes: number;
  /** Redialling a configured peer waits from the least to the most, doubling. */
  readonly redialMinMs: number;
  readonly redialMaxMs: number;
  /** Peers found by mDNS that are dialled; beyond it only configured ones are. */
  readonly discoveredMax: number;
}

export const PEER_LIMITS: PeerLimits = {
  // Long enough that a cut attacker gains nothing by coming back, short enough that a repaired node need not wait.
  cutMs: 2 * 60_000,
  // A fault every 20 seconds for ever is lived with.
  decayPointsPerSecond: 1,
  // About 100 bytes each; making a new identity is cheaper for an attacker than overflowing this.
  cutPeersMax: 4096,
  dialTimeoutMs: 5_000,
  // libp2p's own patience for identify is 5 s.
  identifyTimeoutMs: 8_000,
  // Mobile networks hang for seconds; ten is where TCP has usually given up hope.
  stallTimeoutMs: 10_000,
  drainTimeoutMs: 10_000,
  requestTimeoutMs: 5_000,
  // Twice the round trip within a continent; asking twice costs little, waiting for a silent peer delays finality.
  fetchHedgeMs: 200,
  fetchPeersMax: 4,
  fetchesMax: 256,
  // Missing parents take a fetch or two.
  verdictTimeoutMs: 10_000,
  verdictsPending: 256,
  gossipUnsentBytes: 4 * 1024 * 1024,
  // js-libp2p handles about 14,000 small messages a second on one core: one peer gets at most a fifth of them.
  gossipFramesPerSecond: 3_000,
  gossipFramesBurst: 6_000,
  // About a third of what one core takes in (56 MB/s measured).
  gossipBytesPerSecond: 16 * 1024 * 1024,
  gossipBytesBurst: 32 * 1024 * 1024,
  requestsPerSecond: 200,
  requestsBurst: 400,
  // 64 Mbit/s: catching up at that rate takes 15 s for 100 MB.
  bytesOutPerSecond: 8 * 1024 * 1024,
  bytesOutBurst: 32 * 1024 * 1024,
  // A gateway for a big site; one car makes one a minute. The node's own queue is fair per account beyond this.
  submitsPerSecond: 2_000,
  submitsBurst: 8_000,
  worksPerSecond: 0.2,
  worksBurst: 8,
  // libp2p opens some for identify and ping, gossip two, we a handful; all but the ping live as long as the connection.
  streamsPerSecond: 20,
  streamsBurst: 100,
  streamsOpen: 32,
  pushUnsentBytes: 512 * 1024,
  redialMinMs: 250,
  redialMaxMs: 15_000,
  discoveredMax: 32,
};

/** Deduplicated names for relations that must hold, so that nobody changes one side alone. */
export function limitsProblem(limits: PeerLimits): string | undefined {
  if (limits.gossipUnsentBytes < FRAME_BYTES_MAX) return 'gossipUnsentBytes must hold at least one frame';
  if (limits.pushUnsentBytes < 2 * FRAME_BYTES_MAX) return 'pushUnsentBytes must hold at least two frames';
  if (limits.bytesOutBurst < FRAME_BYTES_MAX) return 'bytesOutBurst must hold at least one frame';
  if (limits.gossipBytesBurst < FRAME_BYTES_MAX) return 'gossipBytesBurst must hold at least one frame';
  if (limits.redialMinMs > limits.redialMaxMs) return 'redialMinMs must not be above redialMaxMs';
  if (WITNESS_HEADER_BYTES > FRAME_BYTES_MAX) return 'a header must fit a frame';
  return undefined;
}
