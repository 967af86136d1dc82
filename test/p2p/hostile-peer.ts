/** A peer that speaks libp2p and none of our manners: bytes of its own choice on any protocol. */
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';

export class HostilePeer implements AsyncDisposable {
  readonly #node: Libp2p;

  private constructor(node: Libp2p) {
    this.#node = node;
  }

  static async create(options = { identify: true }): Promise<HostilePeer> {
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux({ maxOutboundStreams: 10_000 })],
      connectionMonitor: { enabled: false },
      ...(options.identify ? { services: { identify: identify() } } : {}),
    });
    return new HostilePeer(node);
  }

  get id(): string {
    return this.#node.peerId.toString();
  }

  get addresses(): readonly string[] {
    return this.#node.getMultiaddrs().map((address) => address.toString());
  }

  /** Takes streams of a protocol and answers the first bytes of each with `answer`. */
  async serve(protocol: string, answer: (stream: Stream) => void): Promise<void> {
    await this.#node.handle(
      protocol,
      (stream) => {
        stream.addEventListener('message', () => answer(stream), { once: true });
      },
      { force: true },
    );
  }

  get connections(): number {
    return this.#node.getConnections().length;
  }

  async dial(address: string): Promise<Connection> {
    return this.#node.dial(multiaddr(address), { signal: AbortSignal.timeout(3_000) });
  }

  /** A stream of a protocol, opened however often the connection must be made anew. */
  async open(address: string, protocol: string): Promise<Stream> {
    const connection = await this.dial(address);
    return connection.newStream(protocol, { signal: AbortSignal.timeout(3_000), maxOutboundStreams: 10_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#node.getConnections()) connection.abort(new Error('done'));
    await this.#node.stop();
  }
}

/** A frame of our own protocols, header included; the length may lie. */
export function frame(kind: number, bytes: Uint8Array, length = bytes.length): Uint8Array {
  return Uint8Array.of(kind, (length >> 16) & 255, (length >> 8) & 255, length & 255, ...bytes);
}

/** An unsigned varint, as gossipsub puts it in front of an RPC. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.of(...bytes, rest);
}

/** Bytes that look like chance and are the same in every run. */
export function noiseBytes(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
