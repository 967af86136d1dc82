import assert from 'node:assert/strict';
import { LAST_WITNESS_BYTES } from '../../ledger/index.ts';
import type { LastWitnessAnswer, LastWitnessRequest, Peers } from '../../p2p/index.ts';
import { addressOf, type NodeParts, Scene, until, vertex } from './network.ts';

const NONCE = new Uint8Array(32).fill(5);
const STATEMENT = new Uint8Array(LAST_WITNESS_BYTES).fill(6);

async function pair(
  scene: Scene,
  answer: (request: LastWitnessRequest) => Promise<LastWitnessAnswer | undefined>,
  limits: NodeParts['limits'] = {},
): Promise<{ asker: Peers; answerer: Peers }> {
  const answerer = await scene.node({ vertices: { lastWitness: answer } });
  const asker = await scene.node({ peers: [addressOf(answerer)], limits });
  await until('they are connected', () => asker.list().length === 1);
  return { asker, answerer };
}

describe('asking for the last witness of a validator', () => {
  it('brings the statement, and the witness that it names', async () => {
    await using scene = new Scene();
    const asked: LastWitnessRequest[] = [];
    const { asker, answerer } = await pair(scene, async (request) => {
      asked.push(request);
      return { statement: STATEMENT, witness: vertex(1) };
    });
    const answer = await asker.lastWitness(answerer.id, { validator: 3, nonce: NONCE });
    assert.deepEqual(answer, { statement: STATEMENT, witness: vertex(1) });
    assert.deepEqual(asked, [{ validator: 3, nonce: NONCE }]);
  });

  it('brings the statement alone, or nothing, where there is no more', async () => {
    await using scene = new Scene();
    let answer: LastWitnessAnswer | undefined = { statement: STATEMENT };
    const { asker, answerer } = await pair(scene, async () => answer);
    assert.deepEqual(await asker.lastWitness(answerer.id, { validator: 3, nonce: NONCE }), answer);
    answer = undefined;
    assert.equal(await asker.lastWitness(answerer.id, { validator: 3, nonce: NONCE }), undefined);
  });

  it('takes no statement that is too long, and cuts whoever sent it', async () => {
    await using scene = new Scene();
    const { asker, answerer } = await pair(scene, async () => ({
      statement: vertex(1, LAST_WITNESS_BYTES + 1),
    }));
    const asking = asker.lastWitness(answerer.id, { validator: 3, nonce: NONCE });
    await assert.rejects(asking, { code: 'bad_reply' });
    await until('it is cut', () => asker.list().length === 0);
  });

  it('cuts whoever asks with another nonce than one of 32 bytes', async () => {
    await using scene = new Scene();
    const { asker, answerer } = await pair(scene, async () => undefined);
    const asking = asker.lastWitness(answerer.id, { validator: 3, nonce: NONCE.subarray(1) });
    await assert.rejects(asking, { code: 'closed' });
    await until('it is cut', () => answerer.list().length === 0);
  });

  it('fails for a peer that is not there, does not answer, or cannot', async () => {
    await using scene = new Scene();
    const silent = await pair(scene, () => new Promise(() => {}), { requestTimeoutMs: 100 });
    const request = { validator: 3, nonce: NONCE };
    await assert.rejects(silent.asker.lastWitness(silent.answerer.id, request), { code: 'timeout' });
    await assert.rejects(silent.asker.lastWitness('12D3KooWNobody', request), { code: 'unreachable' });
    const broken = await pair(scene, () => Promise.reject(new Error('disk')));
    assert.equal(await broken.asker.lastWitness(broken.answerer.id, request), undefined);
  });
});
