/**
 * Limits of one node. None of them forks the network: nodes with different values work together. What an operator may
 * change without changing code stands in node/config.ts.
 */
import { FRAME_BYTES_MAX } from '../ledger/index.ts';

/** Bytes given to the store and not yet on disk. Two seconds of a slow disk at 30 MB/s; beyond it the caller is too fast. */
export const STORE_WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** Read ahead of a replay at start: big enough to hide the disk, small enough to forget. */
export const STORE_READ_AHEAD_BYTES = 4 * 1024 * 1024;

/** LevelDB's memory for what is written and not yet in a table, twice. */
export const STORE_WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

/** LevelDB's cache of read blocks; the recent vertices that peers ask for are in the ledger's memory anyway. */
export const STORE_CACHE_BYTES = 4 * 1024 * 1024;

/** Vertices that one step of forgetting deletes: a few milliseconds of the disk, and writes of rounds get in between. */
export const FORGET_STEP_VERTICES = 256;

/** Deleted bytes after which LevelDB is told to give the space back: as much as it writes into tables at once. */
export const FORGET_COMPACT_BYTES = STORE_WRITE_BUFFER_BYTES;

/** One part of a snapshot: with what is around it, it fits a frame. */
export const SNAPSHOT_PART_BYTES_MAX = 48 * 1024;

/** Parts of a snapshot synced together. */
export const SNAPSHOT_BATCH_BYTES = 1024 * 1024;

/** Room that a store asks for before it is opened again on a disk that was full: its log becomes a table then. */
export const STORE_ROOM_BYTES = 2 * STORE_WRITE_BUFFER_BYTES;

/** A full disk is looked at so often. */
export const DISK_RETRY_MS = 2000;

/** Bytes waiting for the verify pool, per lane: 256 full frames are about five seconds of two cores. */
export const VERIFY_WAITING_BYTES_MAX = 256 * FRAME_BYTES_MAX;

/**
 * Of V8's space for young objects one thread takes at most so much, three semi-spaces of 8 MB. Left alone V8 takes 50 to 130 MB
 * of the main and of the ledger thread each, and keeps it; that saves 2 % of the processor time.
 */
export const YOUNG_SPACE_MB = 24;

/** The same of a thread that keeps nothing from one task to the next. */
export const POOL_YOUNG_SPACE_MB = 6;

/**
 * After a full collection the space for old objects grows by at most so many per cent before the next one. Left alone V8 lets
 * it grow to four times what is in use. 60 would settle some per cent more payments a second at saturation, and take 50 MB more.
 */
export const OLD_SPACE_GROWTH_PERCENT = 40;

/**
 * For glibc's allocator, in the process of a node; others do not read it. Left alone it makes a heap for each of sixteen threads, and
 * what threads hand to one another tears holes in all of them: 28 MB. What is larger than the threshold is given back to the
 * system when it is dropped, as the parts of a snapshot are: 20 MB.
 */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
};

/** Of the process of a node, which only its command line can tell; node/ravel.ts has them too. */
export const NODE_FLAGS: readonly string[] = [
  `--max-semi-space-size=${YOUNG_SPACE_MB / 3}`,
  `--heap-growing-percent=${OLD_SPACE_GROWTH_PERCENT}`,
];

/** Vertices and payments waiting for the verify pool, per lane, however small they are. */
export const VERIFY_WAITING_MAX = 16_384;

/** One task of the verify pool: a full frame is 20 ms of one core, and nothing behind it should wait for longer. */
export const VERIFY_TASK_BYTES_MAX = FRAME_BYTES_MAX;

/** Things in one task of the verify pool: 256 signatures are about 20 ms as well. */
export const VERIFY_TASK_ITEMS_MAX = 256;

/** Nonces that a work thread tries before it looks whether it should stop: 2 ms with SIMD, a quarter of a second without. */
export const WORK_SLICE_TRIES = 1 << 16;

/** Whoever waits for a nonce hears so often how far the search is. */
export const WORK_PROGRESS_MS = 1000;

/** Searches waiting for a work thread. At 16 bits and one thread that is two seconds; nobody waits longer than that. */
export const WORK_WAITING_MAX = 256;

/** Encodings kept in memory for peers that miss one: hundreds of rounds of a quiet network, seconds of a busy one. */
export const RECENT_VERTEX_BYTES_MAX = 8 * 1024 * 1024;

/** What an encoding takes beside its bytes: a view, its buffer, an id, a place in a map. That counts, as most vertices are small. */
export const VERTEX_OVERHEAD_BYTES = 512;

/** Vertices that nobody relies on yet wait so long for company before they are synced. */
export const UNSYNCED_DELAY_MS = 500;

/** The ledger thread looks at least so often whether parents are missing or rounds have stopped. */
export const TICK_MS = 100;

/** Without a new round for so long, a node asks a peer what it has missed: three idle beats, where those are longer. */
export const STALL_MS = 3000;

/** Whoever wants a proof of a state waits so long for one that can be proven: a wave of a busy network takes a tenth of it. */
export const PROOF_WAIT_MS = 2000;

/** Beyond so many of them a node has no proof for now. */
export const PROOF_WAITS_MAX = 1024;

/** Final payments that nobody can be told of before a state is proven; beyond it their sides find them in their history. */
export const UNTOLD_PAYMENTS_MAX = 4096;

/** Calls waiting for the ledger thread: beyond it a peer or a client is told to come again. */
export const LEDGER_CALLS_MAX = 4096;

/** Catching up starts so many rounds before the last one with a quorum; what is older and missing is fetched by id. */
export const CATCH_UP_MARGIN_ROUNDS = 4;

/** Vertices of a window that are attached at a time: others get their turn after a few milliseconds. */
export const INTAKE_CHUNK_VERTICES = 128;

/** While the node is full, what was fetched is offered to it again so often, and for half a minute. */
export const INTAKE_RETRY_MS = 100;
export const INTAKE_RETRIES_MAX = 300;

/** Catching up and joining tell of their progress so often. */
export const PROGRESS_MS = 2000;

/** Missing parents are asked for so soon after they are missed: gossip often brings them by itself meanwhile. */
export const WANTED_DELAY_MS = 30;

/** Missing parents that are on their way: with full blocks 16 MiB that wait for the verify pool. */
export const WANTED_UNDER_WAY_MAX = 256;

/** A validator that has lost its disk asks its peers so often for its last round. */
export const LAST_ROUND_RETRY_MS = 1000;

/** Once enough have answered it waits so long for the others: a restart takes less. */
export const LAST_ROUND_GRACE_MS = 10_000;

/** And says so often that it is still asking. */
export const LAST_ROUND_REPORT_MS = 30_000;

/** Of all its time the ledger thread gives so small a part to snapshots, however many accounts there are: 1 in so many. */
export const SNAPSHOT_IDLE_FACTOR = 20;

/** Vertices that the tangle has room for; memory is used as it fills, about 1 kB a vertex. */
export const LEDGER_VERTICES_MAX = 4_000_000;

/** So many payments of one transfer fill a frame, and nothing is gained by waiting for more. */
export const FULL_BLOCK_PAYMENTS = 300;

/**
 * Payments of own blocks on their way to finality that all validators together may have at the least. A network of 2,000 payments a second settles so many in an eighth of a second.
 */
export const FLIGHT_PAYMENTS_OF_ALL = 256;

/** And each of them, however many they are. */
export const FLIGHT_PAYMENTS_MIN = 8;

/** Payments of own blocks on their way at the most: a second of a fast network, and about 8 MiB of memory. */
export const FLIGHT_PAYMENTS_MAX = 8192;

/** Bytes of a payment that the window reckons with: two of the smallest. */
export const FLIGHT_PAYMENT_BYTES = 512;

/** Beyond the window, as a part of it: for payers of whose balance few have payments waiting. */
export const FLIGHT_RESERVE = 1 / 2;

/** Finality that takes so many times the usual is slow: less is sent. With what windows overshoot, and the wait in the queue, it is to stay below three. */
export const FLIGHT_SLOW_FACTOR = 1.5;

/** A window grows by this part of the least one. */
export const FLIGHT_STEP = 1 / 4;

/** And one so wide that this part of it is more grows by this part of itself. */
export const FLIGHT_GROW_BY = 1 / 16;

/** What is left of the window when finality has become slow. */
export const FLIGHT_SHRINK_TO = 0.75;

/** What is usual is measured so often: every five seconds of a busy network. */
export const FLIGHT_PROBE_ROUNDS = 128;

/** With this part of the window: a window at the edge of slow is FLIGHT_SLOW_FACTOR times what goes without waiting. */
export const FLIGHT_PROBE_TO = 0.25;

/** What is not final after so many rounds waits for something that sending less does not bring. Usual are three. */
export const FLIGHT_ROUNDS_MAX = 16;

/** Payments that wait in the queue are at most so many windows, as a longer queue is only longer; but so many may always wait. */
export const QUEUE_WINDOWS = 32;
export const QUEUE_PAYMENTS_MIN = 1000;

/**
 * Own blocks that leave during one time to finality, unless they are full: about two for each round of witnesses, as more would
 * cost more and settle nothing sooner. With four nodes at 400 payments a second 16, 6 and 4 made a validator spend 1,100, 910
 * and 810 microseconds a payment, and half were final after 102, 100 and 111 ms. A lone payment waits for none of it.
 */
export const FLIGHT_BLOCKS = 4;

/** Payments of clients that wait for their check, of all peers together: about 5 MiB, and a second of two cores. */
export const DESK_WAITING_MAX = 16_384;

/** Parts of submits that are checked at one time: a thread that is done finds the next one. */
export const DESK_SLICES_MAX = 4;

/** Payments in such a part, when one peer submits and when many do: 128 peers are a tenth of a second then. */
export const DESK_SLICE_PAYMENTS_MAX = 256;
export const DESK_SLICE_PAYMENTS_MIN = 16;

/** An account that found no room is refused unseen for so long, doubling with each time in a row. */
export const DESK_PAUSE_MIN_MS = 50;
export const DESK_PAUSE_MAX_MS = 6400;

/** Accounts of which this is remembered: about 10 MiB. */
export const DESK_ACCOUNTS_MAX = 65_536;

/** Checked payments that are remembered while some find no room: about 16 MiB. */
export const DESK_CHECKED_MAX = 16_384;
