/** What goes wrong between peers through nobody's fault in this program, and how a caller tells it apart. */
import type { Refusal } from '../ledger/index.ts';

export type PeersErrorCode =
  /** The text is no multiaddr, or no peer id, or the address has no /p2p/ part where one is needed. */
  | 'bad_address'
  /** This participant cannot listen where it was told to. */
  | 'listen_failed'
  /** Nothing answers there, or somebody else does. */
  | 'unreachable'
  /** A node of another network answers there. */
  | 'wrong_network'
  /** A peer of this network answers, but does not speak the protocol. */
  | 'unsupported_protocol'
  /** This side has cut the peer and refuses it for a while. */
  | 'peer_refused'
  /** No answer in time. */
  | 'timeout'
  /** The other side, or this one, ended the connection or the stream. */
  | 'closed'
  /** Too many requests under way on this link; wait for one. */
  | 'too_busy'
  /** The caller's own message breaks a limit of the protocol. */
  | 'message_too_large'
  /** The caller's own message holds what the wire does not carry: a date, a map, a function, a bigint, deep nesting. */
  | 'bad_message'
  /** The peer sent what no correct peer sends. */
  | 'bad_reply'
  /** The peer answered with a refusal, which is in `refusal`. */
  | 'refused';

/** An error with a `code` to switch on; the message says cause and cure. */
export class PeersError extends Error {
  readonly code: PeersErrorCode;
  /** Only with code `refused`. */
  readonly refusal: Refusal | undefined;

  constructor(code: PeersErrorCode, message: string, more: { cause?: unknown; refusal?: Refusal } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'PeersError';
    this.code = code;
    this.refusal = more.refusal;
  }
}
