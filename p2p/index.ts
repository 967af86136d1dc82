export { PeersError, type PeersErrorCode } from './errors.ts';
export type {
  AccountView,
  HistoryEntry,
  LightHandlers,
  LightPush,
  NodeView,
  PaymentStatus,
  ProofReply,
  StatusClaim,
  SubmitReply,
  Vitals,
} from './light-messages.ts';
export { createLightPeers } from './light-peers.ts';
export {
  FETCH_IDS_MAX,
  HISTORY_LIMIT_MAX,
  LINK_REQUESTS_MAX,
  PEER_LIMITS,
  type PeerLimits,
  SINCE_BYTES_MAX,
  SNAPSHOT_BYTES_MAX,
  SUBMIT_PAYMENTS_MAX,
  SUBSCRIPTION_ADDRESSES_MAX,
} from './limits.ts';
export { type Log, silentLog } from './log.ts';
export { createPeers } from './peers.ts';
export type {
  FetchedVertex,
  FramedStream,
  GossipKind,
  LastWitnessAnswer,
  LastWitnessRequest,
  LightLink,
  LightPeers,
  LightPeersDeps,
  LightPeersOptions,
  Peers,
  PeersDeps,
  PeersOptions,
  PeerView,
  SinceRequest,
  SinceWindow,
  SnapshotOffer,
  SnapshotRequest,
  SnapshotWindow,
  Verdict,
  VertexHandlers,
} from './types.ts';
