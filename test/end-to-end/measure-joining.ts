/**
 * How long a node takes that comes late, with an empty folder, to a network of many accounts whose payments are forgotten:
 *
 *   node test/end-to-end/measure-joining.ts [--accounts 100000] [--payments 100000] [--validators 4] [--epoch 1000]
 *     [--ahead 6000]
 *
 * Every account is in the genesis and pays, in full submits, as fast as payments become final and so many ahead. Then a few payments go on
 * until every validator has made a snapshot from which all of those have been left out. Then the node starts; what it takes from the
 * others passes through relays that count. It has joined when it proves, with headers of a quorum, the same state root as a
 * validator, about the same committed leader.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makePayments, owner } from '../../bench/payments.ts';
import {
  type Address,
  decodeBalanceProof,
  decodeWitnessHeader,
  type Genesis,
  isRefusal,
  type Refusal,
} from '../../ledger/index.ts';
import { createLightPeers, type LightLink, silentLog } from '../../p2p/index.ts';
import { CountingRelay } from './counting-relay.ts';
import { eventually } from './deadline.ts';
import { MeasuredNetwork } from './measured-network.ts';
import { shortEpoch } from './short-epoch.ts';

const BATCH = 250;
const LINKS_PER_VALIDATOR = 2;
const TRICKLE = 64;
const MB = 1_000_000;
const JOIN_MS_MAX = 600_000;
const FORGET_MS_MAX = 900_000;

const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '100000' },
    payments: { type: 'string', default: '100000' },
    validators: { type: 'string', default: '4' },
    epoch: { type: 'string', default: '1000' },
    ahead: { type: 'string', default: '6000' },
  },
});

const startMs = performance.now();

function say(text: string): void {
  process.stdout.write(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
}

/** Links of different identities: what one peer may submit is bounded. */
async function linksTo(network: MeasuredNetwork, owned: AsyncDisposableStack): Promise<LightLink[]> {
  const links: LightLink[] = [];
  for (let i = 0; i < LINKS_PER_VALIDATOR * network.nodes.length; i++) {
    const peers = await createLightPeers(
      {
        network: network.genesis.network,
        identitySeed: crypto.getRandomValues(new Uint8Array(32)),
        listen: [],
        requestTimeoutMs: 60_000,
      },
      { log: silentLog, nowMs: () => performance.now() },
    );
    owned.use(peers);
    links.push(await peers.connect(`/ip4/127.0.0.1/tcp/${network.port(i % network.nodes.length)}`));
  }
  return links;
}

/** Gives each payment to one validator, again and again until it is taken. What is taken is attached, or told to be dropped. */
async function submitAll(
  links: readonly LightLink[],
  payments: readonly Uint8Array[],
  mayGoOn: (submitted: number) => boolean = () => true,
): Promise<void> {
  let next = 0;
  await Promise.all(
    links.map(async (link) => {
      while (next < payments.length) {
        if (!mayGoOn(next)) {
          await pause(100);
          continue;
        }
        let batch = payments.slice(next, next + BATCH);
        next += batch.length;
        while (batch.length > 0) {
          const replies = await link.submit(batch);
          batch = batch.filter((_, i) => 'refusal' in replies[i]! && !isTaken(replies[i].refusal));
          if (batch.length > 0) await pause(100);
        }
      }
    }),
  );
}

/** As fast as they become final on the slowest validator, and some ahead. */
async function submitPaced(
  network: MeasuredNetwork,
  links: readonly LightLink[],
  payments: readonly Uint8Array[],
): Promise<void> {
  const ahead = Number(values.ahead);
  let final = 0;
  let done = false;
  const looking = (async () => {
    while (!done) {
      const views = await Promise.all(network.nodes.map((node) => network.glance(node)));
      final = Math.min(...views.map((view) => view?.finalPayments ?? final));
      await pause(500);
    }
  })();
  await submitAll(links, payments, (submitted) => submitted - final < ahead);
  done = true;
  await looking;
}

function isTaken({ code }: Refusal): boolean {
  // The payment before it may be on its way to here from another validator.
  if (
    code === 'queue_full' ||
    code === 'budget_spent' ||
    code === 'account_busy' ||
    code === 'previous_unknown'
  )
    return false;
  throw new Error(`a payment was refused: ${code}`);
}

/** The state that a node proves, or undefined when it has nothing to prove it with now. */
async function provenBy(genesis: Genesis, link: LightLink, address: Address) {
  const bytes = await link.balance(address).catch(() => undefined);
  const proof = bytes === undefined ? undefined : decodeBalanceProof(bytes);
  if (proof === undefined || isRefusal(proof)) return undefined;
  const header = decodeWitnessHeader(proof.headers[0]!, genesis.network);
  return isRefusal(header) ? undefined : header.checkpoint;
}

/** A few payments after each other, until every validator has made a snapshot without what was paid before now. */
async function forgetAll(
  network: MeasuredNetwork,
  links: readonly LightLink[],
  trickle: readonly Uint8Array[],
) {
  const { round } = await eventually('validator 0 answers', () => network.glance(0));
  const wanted = round + 3.5 * Number(values.epoch);
  say(`all are settled in round ${round}; waiting for snapshots of round ${wanted} and later`);
  let sent = 0;
  await eventually(
    'every validator has made such a snapshot',
    async () => {
      if (sent < trickle.length) await submitAll(links.slice(0, 1), [trickle[sent++]!]);
      await pause(500);
      return network.nodes.every((node) => (network.snapshots(node).at(-1)?.round ?? 0) >= wanted);
    },
    FORGET_MS_MAX,
  );
  for (const node of network.nodes) {
    const { round: at, bytes, ms } = network.snapshots(node).at(-1)!;
    say(`validator ${node} has a snapshot of round ${at}: ${(bytes / MB).toFixed(1)} MB, made in ${ms} ms`);
  }
  return sent;
}

/** What the late node has told, with the time since its first line. */
function stepsOf(log: string) {
  const lines = log.split('\n').filter((text) => text.startsWith('{'));
  const told = lines.map(
    (text) => JSON.parse(text) as { time: string; msg: string; bytes?: number; vertices?: number },
  );
  return told
    .filter(({ msg }) => /snapshot|Joined|running|Caught up/.test(msg))
    .map(({ time, ...rest }) => ({ ...rest, ms: Date.parse(time) - Date.parse(told[0]!.time) }));
}

async function join(network: MeasuredNetwork, address: Address, owned: AsyncDisposableStack): Promise<void> {
  const relays = await Promise.all(network.nodes.map((node) => CountingRelay.to(network.port(node))));
  for (const relay of relays) owned.use(relay);
  const reader = network.nodes.length;
  const fromMs = performance.now();
  const child = network.startReader(relays.map(({ port }) => port));
  await network.ready(reader);
  const since = (): string => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;
  say(`the late node can be reached after ${since()}`);
  const client = await network.client();
  const checkpoint = await eventually(
    () => `the late node has the state of the others: ${child.stderr.slice(-1_000)}`,
    async () => {
      const [own, theirs] = await Promise.all(
        [reader, 0].map(async (node) =>
          provenBy(network.genesis, await client.link(node), address).catch(() => undefined),
        ),
      );
      if (own === undefined || theirs === undefined || own.leader !== theirs.leader) return undefined;
      if (own.root !== theirs.root)
        throw new Error(`other roots after ${own.leader}: ${own.root} ${theirs.root}`);
      return own;
    },
    JOIN_MS_MAX,
  );
  const took = since();
  const [down, up] = [
    relays.reduce((sum, one) => sum + one.down, 0),
    relays.reduce((sum, one) => sum + one.up, 0),
  ];
  say(
    `it proves the state of round ${checkpoint.round}, root ${checkpoint.root.slice(0, 16)}, after ${took}`,
  );
  say(`it has taken ${(down / MB).toFixed(2)} MB and given ${(up / MB).toFixed(2)} MB`);
  const { rssBytes, diskBytes } = await network.sample(reader);
  say(`it takes ${(rssBytes / MB).toFixed(0)} MB of memory and ${(diskBytes / MB).toFixed(1)} MB of disk`);
  await eventually('the late node says that it has joined from a snapshot', () =>
    child.stderr.includes('Joined from a snapshot'),
  );
  for (const { ms, msg, bytes, vertices } of stepsOf(child.stderr))
    say(
      `  ${(ms / 1000).toFixed(1)} s: ${msg} ${bytes === undefined ? '' : `${bytes} bytes`}${vertices ?? ''}`,
    );
  const views = await Promise.all(
    [0, reader].map((node) => eventually(`node ${node} answers`, () => network.glance(node))),
  );
  const states = views.map(({ root, supply, accounts }) => `${root.slice(0, 16)} ${supply} ${accounts}`);
  if (states[0] !== states[1]) throw new Error(`other accounts: ${states.join(', ')}`);
  say(`${views[0]!.accounts} accounts and a supply of ${views[0]!.supply} on both`);
}

async function main(): Promise<void> {
  const [accounts, count, epoch] = [Number(values.accounts), Number(values.payments), Number(values.epoch)];
  await using owned = new AsyncDisposableStack();
  say(`making ${accounts} accounts`);
  const owners = Array.from({ length: accounts }, (_, i) => owner(i));
  const receiver = owner(accounts).address;
  const trickler = owner(accounts + 1);
  const network = await MeasuredNetwork.create({
    validators: Number(values.validators),
    workBits: 0,
    owners: [...owners, trickler].map(({ address }) => address),
    unitsEach: 1_000,
    environment: epoch === 1000 ? {} : shortEpoch(epoch),
  });
  owned.use(network);
  const payments = makePayments(network.genesis, owners, receiver, count).map(({ bytes }) => bytes);
  const trickle = makePayments(network.genesis, [trickler], receiver, TRICKLE * 32).map(({ bytes }) => bytes);
  say(`made ${payments.length} payments; starting ${network.nodes.length} validators`);
  await network.start();
  await network.connected();
  const links = await linksTo(network, owned);
  const paidMs = performance.now();
  say('paying');
  await submitPaced(network, links, payments);
  say('all are submitted');
  await eventually(
    'all payments are final everywhere',
    async () => {
      await pause(1_000);
      const views = await Promise.all(network.nodes.map((node) => network.glance(node)));
      return views.every((view) => view?.finalPayments === count);
    },
    JOIN_MS_MAX,
  );
  const seconds = (performance.now() - paidMs) / 1000;
  say(
    `${count} payments are final on all validators after ${seconds.toFixed(1)} s: ${(count / seconds).toFixed(0)} a second`,
  );
  const sent = await forgetAll(network, links, trickle);
  await eventually('the last few are final, too', async () => {
    const views = await Promise.all(network.nodes.map((node) => network.glance(node)));
    return views.every((view) => view?.finalPayments === count + sent);
  });
  await join(network, receiver, owned);
}

await main();
