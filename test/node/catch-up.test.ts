import assert from 'node:assert/strict';
import type { Refusal } from '../../ledger/index.ts';
import { CatchUp } from '../../node/catch-up.ts';
import { CATCH_UP_MARGIN_ROUNDS } from '../../node/limits.ts';
import {
  type PeerView,
  type SinceRequest,
  type SinceWindow,
  silentLog,
  type Verdict,
} from '../../p2p/index.ts';

/** A node that catches up from peers whose answers a test gives one by one. */
class Scene {
  readonly asked: { peer: string; request: SinceRequest; answer: PromiseWithResolvers<SinceWindow> }[] = [];
  readonly taken: { byte: number | undefined; from: string }[] = [];
  readonly behind: unknown[] = [];
  readonly penalised: { peer: string; refusal: Refusal }[] = [];
  connected = ['a', 'b', 'c'];
  verdict: Verdict = 'accept';
  round = 100;
  readonly catchUp = new CatchUp({
    log: silentLog,
    peers: {
      since: (peer, request) => {
        const answer = Promise.withResolvers<SinceWindow>();
        this.asked.push({ peer, request, answer });
        return answer.promise;
      },
      list: () =>
        this.connected.map((id): PeerView => ({ id, address: '', direction: 'inbound', points: 0 })),
      penalise: (peer, refusal) => this.penalised.push({ peer, refusal }),
    },
    take: (vertices, from) => {
      this.taken.push(...vertices.map((bytes) => ({ byte: bytes[0], from })));
      return Promise.resolve(vertices.map(() => this.verdict));
    },
    round: () => Promise.resolve(this.round),
    behind: (peer, floor) => this.behind.push([peer, floor]),
  });

  get peers(): string[] {
    return this.asked.map(({ peer }) => peer);
  }

  /** Answers the last request, once it is there. */
  async answer(count: number, bytes: readonly number[], next?: number): Promise<void> {
    await this.#settled();
    assert.equal(this.asked.length, count);
    const vertices = bytes.map((byte) => Uint8Array.of(byte));
    this.asked[count - 1]!.answer.resolve(next === undefined ? { vertices } : { vertices, next });
    await this.#settled();
  }

  /** All that promises alone can bring about has happened. */
  #settled(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

describe('catching up', () => {
  it('asks one peer at a time, from a little before its own round, window by window', async () => {
    const scene = new Scene();
    const done = scene.catchUp.start('b');
    await scene.answer(1, [1, 2], 7);
    await scene.answer(2, [3]);
    await done;
    assert.deepEqual(
      scene.asked.map(({ peer, request }) => [peer, request]),
      [
        ['b', { round: 100 - CATCH_UP_MARGIN_ROUNDS, cursor: undefined }],
        ['b', { round: 100 - CATCH_UP_MARGIN_ROUNDS, cursor: 7 }],
      ],
    );
    assert.deepEqual(
      scene.taken,
      [1, 2, 3].map((byte) => ({ byte, from: 'b' })),
    );
  });

  it('asks every peer that came while another was asked, once each, unless it has gone again', async () => {
    const scene = new Scene();
    const done = scene.catchUp.start('a');
    for (const peer of ['b', 'gone', 'c', 'b', 'a']) void scene.catchUp.start(peer);
    // Nobody in particular: the one that is being asked will do.
    void scene.catchUp.start();
    await scene.answer(1, [1], 5);
    assert.deepEqual(scene.peers, ['a', 'a']);
    await scene.answer(2, []);
    await scene.answer(3, [2]);
    await scene.answer(4, [3]);
    await scene.answer(5, []);
    await done;
    assert.deepEqual(scene.peers, ['a', 'a', 'b', 'c', 'a']);
    await scene.catchUp.stop();
  });

  it('leaves a peer that sends what is not valid, who hears of it, and goes on to the next', async () => {
    const scene = new Scene();
    const refusal: Refusal = { code: 'malformed', what: 'block' };
    scene.verdict = refusal;
    const done = scene.catchUp.start('a');
    void scene.catchUp.start('b');
    await scene.answer(1, [1], 5);
    scene.verdict = 'accept';
    await scene.answer(2, [2]);
    await done;
    assert.deepEqual(scene.penalised, [{ peer: 'a', refusal }]);
    assert.deepEqual(scene.peers, ['a', 'b']);
  });

  it('takes peers in turn when it is not said whom to ask, and survives those that do not answer', async () => {
    const scene = new Scene();
    for (const count of [1, 2, 3, 4]) {
      const done = scene.catchUp.start();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      scene.asked[count - 1]!.answer.reject(new Error('nobody there'));
      await done;
    }
    assert.deepEqual(scene.peers, ['a', 'b', 'c', 'a']);
    scene.connected = [];
    await scene.catchUp.start();
    assert.equal(scene.asked.length, 4);
  });

  it('says so when the peer has forgotten what it needs, and asks that peer no further', async () => {
    const scene = new Scene();
    const done = scene.catchUp.start('a');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    scene.asked[0]!.answer.resolve({ vertices: [], next: 7, floor: 97 });
    await done;
    assert.deepEqual(scene.behind, [['a', 97]]);
    // A floor below what is asked for is no loss.
    const again = scene.catchUp.start('b');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    scene.asked[1]!.answer.resolve({ vertices: [], floor: 96 });
    await again;
    assert.equal(scene.behind.length, 1);
  });

  it('goes on past what is too old here, and leaves off without blame when there is no room', async () => {
    const scene = new Scene();
    scene.verdict = { code: 'stale', round: 1, current: 100 };
    const done = scene.catchUp.start('a');
    await scene.answer(1, [1], 5);
    scene.verdict = { code: 'queue_full', waiting: 1, max: 1 };
    await scene.answer(2, [2], 6);
    await done;
    assert.deepEqual(scene.peers, ['a', 'a']);
    assert.deepEqual(scene.penalised, []);
  });

  it('stops after the window under way', async () => {
    const scene = new Scene();
    void scene.catchUp.start('a');
    void scene.catchUp.start('b');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    const stopped = scene.catchUp.stop();
    await scene.answer(1, [1], 5);
    await stopped;
    await scene.catchUp.start('c');
    assert.deepEqual(scene.peers, ['a']);
  });

  it('goes on where there was no room, and from the beginning after a peer has been gone through', async () => {
    const scene = new Scene();
    const margin = 100 - CATCH_UP_MARGIN_ROUNDS;
    let done = scene.catchUp.start('a');
    await scene.answer(1, [1], 7);
    scene.verdict = { code: 'queue_full', waiting: 1, max: 1 };
    await scene.answer(2, [2], 9);
    await done;
    // Rounds have gone on meanwhile: the window that was not taken is asked for all the same.
    scene.verdict = 'accept';
    scene.round = 200;
    done = scene.catchUp.start('a');
    await scene.answer(3, [2], 9);
    await scene.answer(4, [3]);
    await done;
    done = scene.catchUp.start('a');
    await scene.answer(5, []);
    await done;
    assert.deepEqual(
      scene.asked.map(({ request }) => [request.round, request.cursor]),
      [
        [margin, undefined],
        [margin, 7],
        [margin, 7],
        [margin, 9],
        [200 - CATCH_UP_MARGIN_ROUNDS, undefined],
      ],
    );
    assert.deepEqual(scene.penalised, []);
  });
});
