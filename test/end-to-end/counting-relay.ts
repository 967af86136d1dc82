/** A TCP port that passes everything on to another one, and counts: what a node takes from its peers, seen from outside. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

export class CountingRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** From the port behind to whoever has connected, and the other way. */
  down = 0;
  up = 0;

  private constructor(target: number) {
    this.#server = createServer((near) => {
      const far = connect(target, HOST);
      near.on('data', (bytes) => {
        this.up += bytes.length;
      });
      far.on('data', (bytes) => {
        this.down += bytes.length;
      });
      near.pipe(far).pipe(near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  static async to(target: number): Promise<CountingRelay> {
    const relay = new CountingRelay(target);
    relay.#server.listen(0, HOST);
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
