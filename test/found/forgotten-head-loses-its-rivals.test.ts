import assert from 'node:assert/strict';
import { Accounts } from '../../ledger/accounts.ts';
import { keysOf } from '../dsl/network.ts';
import { network, pay } from './scene.ts';

describe('found: the last decided payment of an account is forgotten while rivals wait for its slot', () => {
  it('leaves the rivals to be found by their slot, and by no other', () => {
    const net = network();
    const accounts = new Accounts(net.genesis);
    const p1 = pay(net, 'p1', 'alice', 'bob', 1);
    const rivals = [pay(net, 'p2', 'alice', 'bob', 2, p1), pay(net, 'p2x', 'alice', 'bob', 3, p1)];
    const first = accounts.register(p1, 1);
    for (const rival of rivals) accounts.register(rival, 1);
    accounts.finalise(first);
    accounts.decide(first, 1);
    const ids = () => accounts.rivalsFor(p1.id).map(({ id }) => id);
    assert.deepEqual(
      ids(),
      rivals.map(({ id }) => id),
    );
    assert.ok(accounts.forget(first));
    assert.deepEqual(
      ids(),
      rivals.map(({ id }) => id),
    );
    assert.deepEqual(accounts.rivalsFor(keysOf('alice').address), []);
    assert.equal(accounts.ownerOf(p1.id)?.address, keysOf('alice').address);
  });
});
