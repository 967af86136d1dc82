export type { PeersErrorCode } from './errors.ts';
export { PeersError } from './errors.ts';
export type {
  AccountView,
  HistoryEntry,
  LightHandlers,
  LightPush,
  NodeView,
  PaymentStatus,
  ProofReply,
  SubmitReply,
} from './light-messages.ts';
export type {
  FramedStream,
  LightLink,
  LightPeers,
  LightPeersDeps,
  LightPeersOptions,
} from './light-peers.ts';
export type { Log } from './log.ts';
export { silentLog } from './log.ts';
export type {
  FetchedVertex,
  GossipKind,
  Peers,
  PeersDeps,
  PeersOptions,
  PeerView,
  SinceRequest,
  SinceWindow,
  Verdict,
  VertexHandlers,
} from './peers.ts';
