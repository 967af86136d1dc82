/** What the parts of a simulation know of each other. */
import type {
  Effect,
  Genesis,
  Payment,
  PaymentId,
  ValidatorIndex,
  Vertex,
  VertexId,
  WaitingOptions,
} from '../../ledger/index.ts';
import type { Verdict } from '../../p2p/index.ts';
import type { TestNetwork } from '../dsl/network.ts';
import type { Chance } from '../generators/chance.ts';
import type { Mix } from './mix.ts';
import type { Invariant, Referee } from './referee.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Window {
  readonly vertices: readonly Uint8Array[];
  readonly next?: number;
}

export interface WindowRequest {
  readonly round: number;
  readonly cursor?: number | undefined;
}

/** A node, correct or not, as the others see it. */
export interface Party {
  readonly index: ValidatorIndex;
  readonly name: string;
  readonly up: boolean;
  take(vertex: Vertex, from: string, requested: boolean): Verdict;
  serve(ids: readonly VertexId[], reply: (vertices: readonly Vertex[]) => void): void;
  window(request: WindowRequest): Promise<Window>;
  submit(payment: Payment): void;
  reconnected(peer: string): void;
}

export interface Peer {
  readonly id: string;
  readonly index: ValidatorIndex;
}

export interface SimWorld {
  readonly mix: Mix;
  readonly genesis: Genesis;
  readonly network: TestNetwork;
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly referee: Referee;
  readonly waiting: WaitingOptions;
  /** Decodes each encoding once, however many nodes get it. */
  vertexOf(bytes: Uint8Array): Vertex;
  vertex(id: VertexId): Vertex | undefined;
  payment(id: PaymentId): Payment;
  peersOf(index: ValidatorIndex): readonly Peer[];
  /** To everybody else. */
  broadcast(from: ValidatorIndex, vertex: Vertex): void;
  send(from: ValidatorIndex, to: ValidatorIndex, vertex: Vertex, requested: boolean): void;
  /** To a few others. */
  passOn(from: ValidatorIndex, vertex: Vertex): void;
  ask(from: ValidatorIndex, to: ValidatorIndex, id: VertexId): void;
  requestWindow(
    from: ValidatorIndex,
    peer: string,
    request: WindowRequest,
    reply: (window: Window) => void,
  ): void;
  /** A correct node has said that a payment is final. */
  told(node: ValidatorIndex, payment: PaymentId): void;
  /** For the digest of the run. */
  note(node: ValidatorIndex, effect: Effect): void;
  /** What is thrown is a violation. */
  guard(node: ValidatorIndex, invariant: Invariant, run: () => void): void;
  broken(node: ValidatorIndex, error: unknown): void;
}
