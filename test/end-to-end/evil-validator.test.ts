import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Address,
  encodeBlock,
  type Hash,
  isRefusal,
  type Payment,
  type Round,
  type Units,
  type VertexId,
} from '../../ledger/index.ts';
import { openLedger } from '../../node/ledger-opening.ts';
import { LEDGER_VERTICES_MAX } from '../../node/limits.ts';
import { Store } from '../../node/store.ts';
import { keysOf } from '../dsl/network.ts';
import { Chance } from '../generators/chance.ts';
import type { Client } from './client.ts';
import { eventually, pause } from './deadline.ts';
import { EvilChild } from './evil-child.ts';
import { Load } from './load.ts';
import type { Owner } from './owner.ts';
import { RealNetwork } from './real-network.ts';

const SEED = Number(process.env.RAVEL_TEST_SEED ?? 1);

/** Seconds of load; 120 for a run that counts, which also says what the liar has done. */
const SECONDS = Number(process.env.RAVEL_TEST_EVIL_SECONDS ?? 12);

/** Sizes of the committee, one of them lying; the quorum is four of five, three of four. */
const SIZES = (process.env.RAVEL_TEST_EVIL_VALIDATORS ?? '5').split(',').map(Number);

/** Of the time in which it does everything but what finds it out. */
const HONEST_LOOK_SHARE = 0.5;

const OWNERS = ['ann', 'ben', 'cid', 'dot', 'eve', 'fay'];
const AMOUNT = 1_000_000;

/** A double spend each, one after the other. */
const TWO_FACED = Math.max(6, Math.min(60, Math.floor(SECONDS / 2)));

interface Known {
  readonly first: number;
  readonly commits: ReadonlyMap<
    number,
    { readonly round: Round; readonly leader: VertexId; readonly root: Hash }
  >;
  readonly supply: number;
}

for (const validators of SIZES) {
  const honest = Array.from({ length: validators - 1 }, (_, node) => node);
  const evil = validators - 1;

  describe(`one of ${validators} validators lies and withholds for ${SECONDS} seconds (seed ${SEED})`, function () {
    this.timeout(SECONDS * 1_000 + 240_000);

    let network: RealNetwork;
    let client: Client;
    let liar: EvilChild;
    let deeds: Readonly<Record<string, number>>;
    let load: Load;
    const owners: Owner[] = [];
    const pairs: (readonly [Payment, Payment])[] = [];
    const chance = new Chance(SEED);

    before(async () => {
      const twoFaced = Array.from({ length: TWO_FACED }, (_, i) => `two-faced ${i}`);
      network = await RealNetwork.create({
        name: `evil ${SEED} of ${validators}`,
        validators,
        funds: Object.fromEntries([...OWNERS, ...twoFaced].map((name) => [name, AMOUNT])),
      });
      await network.start(...honest);
      await network.connected(honest.length - 1);
      client = await network.client();
      await Promise.all(honest.map((node) => client.link(node)));
      liar = await EvilChild.start({
        dir: network.folder(evil),
        honest: honest.map((node) => network.address(node)),
        chance: SEED,
        honestLookMs: SECONDS * 1_000 * HONEST_LOOK_SHARE,
      });
    });

    after(async () => {
      const { RAVEL_TEST_LOGS: logs } = process.env;
      for (const node of network?.nodes ?? []) {
        if (logs !== undefined && node !== evil)
          await writeFile(path.join(logs, `${validators}-${node}.log`), network.process(node).stderr);
      }
      await load?.[Symbol.asyncDispose]();
      await liar?.[Symbol.asyncDispose]();
      await network?.[Symbol.asyncDispose]();
    });

    it('and every payment of an honest owner is final, while it goes on lying', async () => {
      owners.push(...OWNERS.map((name) => network.owner(name)));
      load = new Load(client, { owners, window: 3, to: 'zoe', nodes: honest });
      await load.more(1);
      const endMs = performance.now() + SECONDS * 1_000;
      for (let i = 0; i < TWO_FACED; i++) {
        await spendTwice(network.owner(`two-faced ${i}`));
        await pause(Math.max(0, (endMs - performance.now()) / (TWO_FACED - i)));
      }
      await liar.practised();
      assert.ok(liar.running);
      await load.finish();
      assert.ok(load.made.length > OWNERS.length, `${load.made.length} payments`);
      assert.equal(load.proven.length, load.made.length);
      client.assertNoLies();
    });

    /** Two nodes get one each at once; what they do not take, he gossips himself. */
    async function spendTwice(owner: Owner): Promise<void> {
      const pair = [owner.draft({ to: 'zoe', amount: 5 }), owner.draft({ to: 'ann', amount: 7 })] as const;
      pairs.push(pair);
      const nodes = chance.shuffled(honest);
      await Promise.all(
        pair.map(async (payment, i) => {
          const [reply] = await client.submit(nodes[i]!, payment).catch(() => []);
          if (reply === undefined || 'refusal' in reply) await gossip(payment);
        }),
      );
    }

    async function gossip({ bytes }: Payment): Promise<void> {
      const parents = await eventually('some node names tips', async () => {
        const link = await client.link(chance.pick(honest)).catch(() => undefined);
        return link?.tips(2).catch(() => undefined);
      });
      await client.peers.publishBlock(encodeBlock(network.genesis.network, parents, [bytes]));
    }

    it('and of two rivals exactly one becomes final, the same one on all honest nodes', async () => {
      assert.equal(pairs.length, TWO_FACED);
      for (const [a, b] of pairs) {
        const winners = new Set<string>();
        for (const node of honest) {
          await eventually(
            () => `node ${node} knows who has the slot of ${a.id} and ${b.id}`,
            async () => {
              const link = await client.link(node).catch(() => undefined);
              const account = await link?.account(addressOf(a)).catch(() => undefined);
              if (account?.finalSequence === 1) winners.add(account.finalHead);
              return account?.finalSequence === 1;
            },
          );
        }
        const [winner, ...others] = winners;
        assert.deepEqual(others, []);
        assert.ok(winner === a.id || winner === b.id);
      }
    });

    function addressOf(payment: Payment): Address {
      const i = pairs.findIndex(([a, b]) => a.id === payment.id || b.id === payment.id);
      return keysOf(`two-faced ${i}`).address;
    }

    it('and all honest nodes have the same accounts, nothing lost and nothing made', async () => {
      deeds = await liar.stop();
      const view = await network.agreement();
      for (const node of honest) {
        const link = await client.link(node);
        for (const owner of owners) {
          const { finalSequence, finalHead } = await link.account(owner.address);
          assert.deepEqual(
            [finalSequence, finalHead],
            [owner.sequence, owner.slot],
            `${owner.name} at node ${node}`,
          );
        }
        assert.equal((await network.status(node)).trouble, undefined, `node ${node}`);
      }
      assert.equal(view.finalPayments >= load.made.length + pairs.length, true);
    });

    it('and it has done what it was made for, and was found out', () => {
      for (const deed of [
        'late',
        'withhold',
        'one ear',
        'defer',
        'freeze',
        'twins',
        'fork',
        'block on twins',
        'behave',
      ])
        assert.ok((deeds[deed] ?? 0) > 0, `${deed}: ${JSON.stringify(deeds)}`);
      assert.ok(deeds.witnesses! > 10, JSON.stringify(deeds));
      if (SECONDS >= 60) process.stderr.write(`${load.made.length} payments; ${JSON.stringify(deeds)}\n`);
      for (const node of honest) {
        const lines = linesOf(node).filter(({ msg }) => msg?.includes('signed two witnesses'));
        assert.deepEqual(
          lines.map(({ validator }) => validator),
          [evil],
          `node ${node}`,
        );
      }
    });

    it('and no honest node has refused or cut another honest one, or stopped', async () => {
      const ids = await Promise.all(
        honest.map(async (node) => (await network.process(node).ready())[0]!.split('/p2p/')[1]!),
      );
      for (const node of honest) {
        const against = linesOf(node).filter(
          ({ msg, peer }) =>
            ids.includes(peer ?? '') && (msg === 'A vertex was refused' || msg === 'cut a peer'),
        );
        assert.deepEqual(against, [], `node ${node}`);
      }
      for (const { code, signal, stderr } of await network.stop(...honest))
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr.slice(-2_000));
    });

    interface Line {
      readonly msg?: string;
      readonly peer?: string;
      readonly validator?: number;
    }

    function linesOf(node: number): Line[] {
      const lines = network.process(node).stderr.split('\n');
      return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
    }

    it('and by their own databases they have committed the same leaders, with the same state after each', async () => {
      const all = await Promise.all(honest.map((node) => knownBy(node)));
      const from = Math.max(...all.map(({ first }) => first));
      const [some, ...others] = all;
      let compared = 0;
      for (const [index, commit] of some!.commits) {
        if (index < from) continue;
        for (const { commits } of others) {
          if (!commits.has(index)) continue;
          assert.deepEqual(commits.get(index), commit);
          compared++;
        }
      }
      assert.ok(compared > 3 * others.length, `${compared} commits compared`);
      for (const { supply } of all) assert.equal(supply, network.genesis.supply);
    });

    async function knownBy(node: number): Promise<Known> {
      const { genesis } = network;
      const folder = path.join(network.folder(node), 'db');
      await using store = await Store.open(folder, { genesisId: genesis.id });
      const { core } = await openLedger({ genesis, folder, verticesMax: LEDGER_VERTICES_MAX }, store);
      assert.ok(!isRefusal(core));
      const { commits, accounts } = core.ledger;
      let supply = 0;
      for (const account of accounts.all()) supply += accounts.balanceOf(account) satisfies Units;
      return {
        first: commits[0]!.index,
        commits: new Map(commits.map(({ index, round, leader, root }) => [index, { round, leader, root }])),
        supply,
      };
    }
  });
}
