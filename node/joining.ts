/**
 * Joining from a snapshot: for a node that is so far behind that its peers have forgotten what it would need. Takes the
 * youngest of those that its peers offer with a proof, then the vertices that belong to it from the same peer, in the order
 * of that peer. What is forged is refused with a reason, and whoever sent it hears of it.
 */
import {
  EPOCH_ROUNDS,
  type Genesis,
  isRefusal,
  type Refusal,
  type Round,
  snapshotCheckpoint,
} from '../ledger/index.ts';
import type { Log, Peers, SnapshotOffer, Verdict } from '../p2p/index.ts';
import { removeSnapshotFile, SnapshotFile } from './snapshot-file.ts';
import { bar } from './up/terminal-text.ts';

/** Of a bar in the log. */
const BAR_CHARS = 20;

export interface JoiningOptions {
  readonly genesis: Genesis;
  /** Where parts gather. */
  readonly file: string;
  /** A snapshot that is so many rounds older than another one is stale: E. */
  readonly staleRounds?: number | undefined;
  /** Between two lines about progress. */
  readonly reportMs: number;
}

export interface JoiningDeps {
  readonly log: Log;
  readonly peers: Pick<Peers, 'list' | 'snapshot' | 'snapshotParts' | 'since' | 'penalise'>;
  nowMs(): number;
  /** The greatest round with a quorum here; 0 for a node that has nothing whole. */
  round(): Promise<Round>;
  /** Verifies the snapshot in the file and puts it into the place of all that this node has; or says why not. */
  adopt(file: string): Promise<Refusal | undefined>;
  /** Opens the ledger again, on what was adopted. */
  restart(): Promise<void>;
  /** Checks and attaches vertices in this order; one verdict for each. */
  take(vertices: readonly Uint8Array[], from: string): Promise<readonly Verdict[]>;
  /** Vertices that are still to come before the node takes anything else. */
  awaited(): Promise<number>;
}

interface Progress {
  readonly peer: string;
  readonly bytes?: number;
  readonly vertices?: number;
  readonly of: number;
}

interface Candidate {
  readonly peer: string;
  readonly offer: SnapshotOffer;
  readonly round: Round;
}

export class Joining {
  readonly #options: JoiningOptions;
  readonly #deps: JoiningDeps;
  #running: Promise<boolean> | undefined;
  #stopped = false;
  #reportAtMs = 0;

  constructor(options: JoiningOptions, deps: JoiningDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** One at a time, whoever asks. Resolves with whether the node has joined. Never rejects. */
  start(): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<boolean> {
    const { log } = this.#deps;
    for (const candidate of await this.#candidates()) {
      if (this.#stopped) return false;
      const { peer, round } = candidate;
      try {
        if (await this.#from(candidate)) {
          log.info({ peer, round }, 'Joined from a snapshot');
          return true;
        }
      } catch (error) {
        log.warn({ peer, err: error }, 'Fetching a snapshot ended early');
      }
    }
    return false;
  }

  /** Who offers what holds, the youngest first. */
  async #candidates(): Promise<Candidate[]> {
    const { peers, log, round: ownRound } = this.#deps;
    const asked = peers.list().map(({ id }) => this.#offerOf(id));
    const current = await ownRound();
    // Whoever says that this node is behind may lie, and a snapshot is long.
    const found = (await Promise.all(asked)).filter(
      (candidate) => candidate !== undefined && candidate.round > current,
    ) as Candidate[];
    found.sort((a, b) => b.round - a.round);
    const youngest = found[0]?.round ?? 0;
    const oldest = youngest - (this.#options.staleRounds ?? EPOCH_ROUNDS);
    return found.filter(({ peer, round }) => {
      if (round >= oldest) return true;
      log.warn(
        { peer, round, youngest },
        'A snapshot is stale: another one is younger by more than an epoch',
      );
      return false;
    });
  }

  async #offerOf(peer: string): Promise<Candidate | undefined> {
    const { peers, log } = this.#deps;
    try {
      const offer = await peers.snapshot(peer);
      if (offer === undefined) return undefined;
      const checkpoint = snapshotCheckpoint(this.#options.genesis, offer.first);
      if (isRefusal(checkpoint)) {
        this.#refuse(peer, checkpoint);
        return undefined;
      }
      if (checkpoint.leader !== offer.leader) {
        this.#refuse(peer, { code: 'malformed', what: 'snapshot offer: of another state' });
        return undefined;
      }
      return { peer, offer, round: checkpoint.round };
    } catch (error) {
      log.debug({ peer, err: error }, 'A peer does not offer a snapshot');
      return undefined;
    }
  }

  #refuse(peer: string, refusal: Refusal): void {
    this.#deps.log.warn({ peer, refusal }, 'A snapshot was refused');
    this.#deps.peers.penalise(peer, refusal);
  }

  async #from(candidate: Candidate): Promise<boolean> {
    const { adopt, restart } = this.#deps;
    const { file } = this.#options;
    if (!(await this.#fetch(candidate))) return false;
    const refusal = await adopt(file);
    await removeSnapshotFile(file);
    if (refusal !== undefined) {
      this.#refuse(candidate.peer, refusal);
      return false;
    }
    await restart();
    return this.#follow(candidate);
  }

  /** All parts into the file. */
  async #fetch({ peer, offer }: Candidate): Promise<boolean> {
    const { peers } = this.#deps;
    const { leader, count, bytes } = offer;
    await using file = await SnapshotFile.open(this.#options.file, { peer, leader, count, bytes });
    while (file.count < count) {
      if (this.#stopped) return false;
      const window = await peers.snapshotParts(peer, { leader, from: file.count });
      if (window === undefined) return false;
      await file.add(window.parts);
      const more = window.next !== undefined;
      const whole = file.count === count && file.bytes === bytes;
      if (window.parts.length === 0 || file.count > count || file.bytes > bytes || more === whole) {
        await removeSnapshotFile(this.#options.file);
        this.#refuse(peer, { code: 'malformed', what: 'snapshot: other parts than were offered' });
        return false;
      }
      this.#report('Fetching a snapshot', { peer, bytes: file.bytes, of: bytes }, whole);
    }
    return true;
  }

  /** Then the vertices that belong to it: only the peer whose snapshot it is has them in its order. */
  async #follow({ peer, offer }: Candidate): Promise<boolean> {
    const { peers, take, awaited } = this.#deps;
    const all = await awaited();
    let left = all;
    for (let cursor: number | undefined = offer.cursor; left > 0 && cursor !== undefined; ) {
      if (this.#stopped) return false;
      const window = await peers.since(peer, { round: 0, cursor });
      const verdicts = await take(window.vertices, peer);
      const refusal = verdicts.find((verdict): verdict is Refusal => typeof verdict === 'object');
      if (refusal !== undefined) {
        this.#refuse(peer, refusal);
        return false;
      }
      left = await awaited();
      cursor = window.next;
      this.#report(
        'Fetching the vertices of the snapshot',
        { peer, vertices: all - left, of: all },
        left === 0,
      );
    }
    return left === 0;
  }

  #report(text: string, progress: Progress, end: boolean): void {
    const { nowMs, log } = this.#deps;
    if (!end && nowMs() < this.#reportAtMs) return;
    this.#reportAtMs = nowMs() + this.#options.reportMs;
    const share = (progress.bytes ?? progress.vertices ?? 0) / Math.max(1, progress.of);
    const percent = Math.floor(100 * share);
    // For whoever watches the log in a terminal.
    log.info({ ...progress, percent, bar: bar(share, BAR_CHARS) }, text);
  }
}
