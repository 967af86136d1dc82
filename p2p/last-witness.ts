/**
 * `/ravel/<network>/last-witness/1`: what a validator knows of the last witness of another. {validator, nonce} -> the
 * witness, if there is one, then {statement?}.
 */
import { z } from 'zod';
import { FRAME_BYTES_MAX, LAST_WITNESS_BYTES, NONCE_BYTES, type Refusal } from '../ledger/index.ts';
import { Asker } from './ask.ts';
import { PeersError } from './errors.ts';
import type { Host } from './libp2p-host.ts';
import { type Served, serveRequests } from './serve.ts';
import type { LastWitnessAnswer, LastWitnessRequest, VertexHandlers } from './types.ts';
import { bytes, count, notAnswered } from './wire-shapes.ts';

const Request = z.strictObject({
  validator: count,
  nonce: bytes(NONCE_BYTES).refine((nonce) => nonce.length === NONCE_BYTES),
});

const End = z.union([z.strictObject({ statement: bytes(LAST_WITNESS_BYTES).nullish() }), notAnswered]);

/** Asked seldom: one stream will do. */
const STREAMS_MAX = 2;

/** Answers other nodes. */
export async function serveLastWitness(
  host: Host,
  vertices: Pick<VertexHandlers, 'lastWitness'>,
): Promise<void> {
  await host.handle(host.names.lastWitness, STREAMS_MAX, (stream, peer) =>
    serveRequests(host, stream, peer, async (message): Promise<Served | Refusal> => {
      const request = Request.safeParse(message);
      if (!request.success) return { code: 'malformed', what: 'last witness request' };
      const answer = await vertices.lastWitness(request.data);
      const witness = answer?.witness;
      return {
        vertices: witness === undefined ? [] : [witness],
        end: { statement: answer?.statement },
      };
    }),
  );
}

export class WitnessAsker {
  readonly #host: Host;
  readonly #asker: Asker;

  constructor(host: Host) {
    this.#host = host;
    this.#asker = new Asker(host, host.names.lastWitness);
  }

  /** See Peers.lastWitness. */
  async ask(peer: string, request: LastWitnessRequest): Promise<LastWitnessAnswer | undefined> {
    let witness: Uint8Array | undefined;
    const end = await this.#asker.ask(peer, {
      message: { validator: request.validator, nonce: request.nonce },
      verticesMax: 1,
      bytesMax: FRAME_BYTES_MAX,
      onVertex: (vertex) => {
        witness = vertex;
      },
    });
    const parsed = End.safeParse(end);
    if (!parsed.success) {
      this.#host.penalise(peer, { code: 'malformed', what: 'last witness answer' });
      throw new PeersError('bad_reply', `${peer} answered with what is no answer; ask another peer`);
    }
    if (!('statement' in parsed.data) || parsed.data.statement == null) return undefined;
    const { statement } = parsed.data;
    return witness === undefined ? { statement } : { statement, witness };
  }
}
