/** The process of an evil validator: node's own parts, put together for lying. Ends with the channel to its parent, or on SIGTERM. */
import path from 'node:path';
import { blake3, Core, publicKeyOf, type VertexId } from '../../ledger/index.ts';
import { loadGenesis, loadKey } from '../../node/network-files.ts';
import {
  createPeers,
  type LightHandlers,
  type Peers,
  silentLog,
  type VertexHandlers,
} from '../../p2p/index.ts';
import { Chance } from '../generators/chance.ts';
import { EvilValidator } from './evil-validator.ts';

/** The only argument, as JSON. */
export interface EvilArguments {
  /** Folder of the validator, as `ravel init` makes it. */
  readonly dir: string;
  /** Where the honest nodes are. */
  readonly honest: readonly string[];
  readonly chance: number;
  readonly honestLookMs: number;
}

const LOOK_MS = 10;

/** It serves nobody's wallet. */
const refuse = async (): Promise<never> => {
  throw new Error('not here');
};

const light: LightHandlers = {
  submit: refuse,
  tips: refuse,
  account: refuse,
  history: refuse,
  proof: refuse,
  balance: refuse,
  outcome: refuse,
  work: refuse,
  status: refuse,
  subscribe: () => () => {},
};

function handlers(validator: EvilValidator, face: number): VertexHandlers {
  return {
    async gossip(_kind, bytes) {
      validator.take(bytes, face, false);
      return 'ignore';
    },
    fetch: async (ids) => validator.serve(ids),
    since: async () => ({ vertices: [] }),
    snapshot: async () => undefined,
    snapshotParts: async () => undefined,
    lastWitness: async () => undefined,
  };
}

async function main({ dir, honest, chance, honestLookMs }: EvilArguments): Promise<void> {
  const genesis = await loadGenesis(path.join(dir, '../../genesis.json'));
  const seed = await loadKey(path.join(dir, 'validator.key'));
  const key = Buffer.from(publicKeyOf(seed));
  const index = genesis.committee.findIndex(({ publicKey }) => key.equals(publicKey));
  const faces: Peers[] = [];
  const ask = async (face: number, ids: readonly VertexId[]): Promise<void> => {
    for (const { bytes } of (await faces[face]?.fetch(ids, [])) ?? []) validator.take(bytes, face, true);
  };
  const validator = new EvilValidator(
    { index, seed, faces: honest.length, honestLookMs },
    {
      core: new Core({ genesis }),
      chance: new Chance(chance),
      nowMs: Date.now,
      show: (kind, bytes, to) => {
        for (const face of to) faces[face]?.publish(kind, bytes);
      },
      ask: (face, ids) => void ask(face, ids),
    },
  );
  const connected: Promise<void>[] = [];
  for (const [face, address] of honest.entries()) {
    const identitySeed = blake3(new TextEncoder().encode(`face ${face} of ${chance} in ${process.pid}`));
    const peers = await createPeers(
      {
        network: genesis.network,
        listen: [],
        peers: [address],
        mdns: false,
        identitySeed,
        connectionsMax: 8,
      },
      { log: silentLog, nowMs: () => performance.now(), vertices: handlers(validator, face), light },
    );
    faces.push(peers);
    connected.push(new Promise((resolve) => peers.onPeer(() => resolve())));
  }
  await Promise.all(connected);
  let practised = false;
  const looking = setInterval(() => {
    validator.look();
    if (practised || !validator.practised) return;
    practised = true;
    say({ event: 'practised' });
  }, LOOK_MS);
  say({ event: 'ready', faces: faces.map(({ id }) => id) });
  const end = async (): Promise<void> => {
    clearInterval(looking);
    const points = faces.map((face) => face.list().length);
    say({ event: 'ended', deeds: validator.deeds, connected: points });
    process.exit(0);
  };
  process.once('SIGTERM', () => void end());
  process.once('disconnect', () => process.exit(0));
}

function say(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

await main(JSON.parse(process.argv[2]!) as EvilArguments);
