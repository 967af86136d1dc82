/**
 * The floor plan of the repository: which room may import which, through which door, and who owns an outside package.
 * test/rooms.test.ts holds the tree to it. A new room, package or door is a new line in a table here, and the reviewer
 * sees it.
 */

interface Room {
  /** Rooms whose index.ts files in this room may import. */
  readonly imports: readonly string[];
  /** Folders of other rooms that are open to this one file by file, without an index.ts. */
  readonly open?: readonly string[];
  /** Runs in a browser too: nothing from node:*, save behind the `node` side of a door. */
  readonly pure?: true;
  /** Same events in, same effects out: no clock, no chance, no waiting. */
  readonly repeatable?: true;
  /** Development only: may use devDependencies. */
  readonly development?: true;
}

const EVERYTHING = ['ledger', 'p2p', 'wallet', 'node', 'bench', 'test', 'scripts'];

export const ROOMS: Readonly<Record<string, Room>> = {
  ledger: { imports: [], pure: true, repeatable: true },
  p2p: { imports: ['ledger'] },
  wallet: { imports: ['ledger', 'p2p'], pure: true },
  node: { imports: ['ledger', 'p2p', 'wallet'] },
  bench: {
    imports: ['ledger', 'p2p', 'wallet', 'node'],
    open: [
      'node/ledger-thread.ts',
      'node/load/',
      'node/verify-pool.ts',
      'node/vertex-intake.ts',
      'node/wallet-files.ts',
      'node/work-pool.ts',
      'test/sim/',
      'test/generators/chance.ts',
      'test/dsl/network.ts',
    ],
    development: true,
  },
  test: { imports: EVERYTHING, open: EVERYTHING.map((room) => `${room}/`), development: true },
  scripts: { imports: EVERYTHING, development: true },
};

/** Outside packages, and the files or folders (with a slash) that may import them. Tests may import any of them. */
export const OWNERS: Readonly<Record<string, readonly string[]>> = {
  level: ['node/store.ts'],
  piscina: ['node/pool.ts'],
  'sodium-native': ['ledger/crypto-native.ts', 'p2p/noise-crypto.ts', 'bench/verify-limit.bench.ts'],
  '@noble/curves': ['ledger/crypto-noble.ts', 'bench/verify-limit.bench.ts'],
  '@noble/hashes': [
    'ledger/hash-noble.ts',
    'ledger/crypto-noble.ts',
    'wallet/kdf-noble.ts',
    'bench/peer-hashes.ts',
  ],
  nanocurrency: ['bench/work.bench.ts'],
  libp2p: ['p2p/'],
  '@libp2p/*': ['p2p/'],
  '@multiformats/*': ['p2p/'],
  msgpackr: ['p2p/codec.ts', 'node/codec.ts'],
  zod: ['p2p/', 'node/'],
  pino: ['node/log.ts'],
  'pino-pretty': ['node/log.ts'],
  commander: ['node/cli/'],
  'log-update': ['node/up/', 'bench/progress.ts'],
  'csv-parse': ['node/up/'],
  'hdr-histogram-js': ['node/up/', 'node/load/'],
  '@scure/*': ['wallet/'],
  'micro-key-producer': ['wallet/'],
  benchmark: ['bench/'],
  assemblyscript: ['scripts/build-kernel.ts'],
  vega: ['bench/plots.ts'],
  'vega-lite': ['bench/plots.ts'],
  'fastest-levenshtein': ['bench/command.ts'],
};

/** The one file that is not TypeScript, as it runs before Node 24 is there. */
const JAVASCRIPT = ['scripts/bootstrap.mjs'];

const LINES_MAX = 400;

/** What makes two runs differ. */
const UNREPEATABLE = /\b(?:Math\.random|Date|performance|setTimeout|setInterval|async|await|Promise)\b/;

/** What package.json says that concerns imports. */
export interface Manifest {
  readonly imports: Readonly<Record<string, { readonly node: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Path relative to the root, with forward slashes, to source text. */
export type Tree = ReadonlyMap<string, string>;

export interface Inspection {
  /** One sentence each: who does what, and what the plan says. */
  readonly violations: readonly string[];
  readonly files: number;
  readonly imports: number;
}

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** A file that runs in another thread: named by URL, not imported, so it closes no cycle. */
  readonly thread: boolean;
}

const IMPORT_PATTERNS = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
  /\brequire\(\s*['"]([^'"]+)['"]/g,
];
const THREAD_PATTERN = /\bnew URL\(\s*['"]([^'"]+\.[mc]?[jt]s)['"],\s*import\.meta\.url/g;

/** Comments may show imports. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** True when the place lies in a string that began on the same line, as in the examples of a test. */
function inString(code: string, at: number): boolean {
  const before = code.slice(code.lastIndexOf('\n', at - 1) + 1, at);
  return ["'", '"', '`'].some((quote) => before.split(quote).length % 2 === 0);
}

function importsOf(from: string, source: string): Import[] {
  const code = withoutComments(source);
  const found = (pattern: RegExp, thread: boolean) =>
    [...code.matchAll(pattern)]
      .filter((match) => !inString(code, match.index))
      .map((match) => ({ from, specifier: match[1]!, thread }));
  return [...IMPORT_PATTERNS.flatMap((pattern) => found(pattern, false)), ...found(THREAD_PATTERN, true)];
}

function roomOf(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

/** 'a/b/c.ts' and '../d.ts' -> 'a/d.ts' */
function join(from: string, relative: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** '@scope/name/file.js' -> '@scope/name' */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function within(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}

function list(words: readonly string[]): string {
  return words.length === 0 ? 'nothing' : words.join(', ');
}

function checkFile(path: string, source: string): string[] {
  const violations: string[] = [];
  if (!(roomOf(path) in ROOMS))
    violations.push(`${path} stands in no room: the rooms are ${list(Object.keys(ROOMS))}.`);
  if (!path.endsWith('.ts') && !JAVASCRIPT.includes(path)) violations.push(`${path} is not TypeScript.`);
  const lines = source.split('\n').length - 1;
  if (lines > LINES_MAX)
    violations.push(`${path} has ${lines} lines: split what is longer than ${LINES_MAX}.`);
  const unrepeatable = ROOMS[roomOf(path)]?.repeatable && UNREPEATABLE.exec(withoutComments(source));
  if (unrepeatable) {
    violations.push(
      `${path} uses ${unrepeatable[0]}: in ${roomOf(path)}/ time and chance come in as events.`,
    );
  }
  if (/^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s/m.test(withoutComments(source))) {
    violations.push(`${path} has an enum: Node runs erasable TypeScript only, use a union of literals.`);
  }
  return violations;
}

function checkFileImport(from: string, target: string, tree: Tree): string | undefined {
  if (target.endsWith('.json')) return undefined;
  if (!tree.has(target)) return `${from} imports ${target}, which is not there.`;
  const [room, other] = [roomOf(from), roomOf(target)];
  if (room === other) {
    const inward = room !== 'test' && target === `${room}/index.ts`;
    return inward
      ? `${from} imports the index.ts of its own room: import the sibling file itself.`
      : undefined;
  }
  const plan = ROOMS[room];
  if (plan === undefined || within(target, plan.open ?? [])) return undefined;
  if (!plan.imports.includes(other)) {
    return `${from} imports ${target}, but ${room}/ may import ${list(plan.imports)} only.`;
  }
  if (target === `${other}/index.ts`) return undefined;
  return `${from} imports ${target} past the door: across rooms only through ${other}/index.ts.`;
}

function checkPackage(from: string, specifier: string, manifest: Manifest): string | undefined {
  const plan = ROOMS[roomOf(from)];
  const doors = Object.values(manifest.imports).map((door) => door.node.replace('./', ''));
  if (specifier.startsWith('node:')) {
    if (plan?.pure !== true || doors.includes(from)) return undefined;
    return `${from} imports ${specifier}, but ${roomOf(from)}/ runs in a browser too: go through a door (#...).`;
  }
  const name = packageOf(specifier);
  const development = plan?.development === true && name in manifest.devDependencies;
  if (!(name in manifest.dependencies) && !development) {
    return `${from} imports ${name}, which package.json does not list under dependencies.`;
  }
  if (roomOf(from) === 'test') return undefined;
  const owners = OWNERS[name] ?? OWNERS[`${name.split('/')[0]}/*`];
  if (owners === undefined)
    return `${from} imports ${name}, which has no owner: name one in scripts/floor-plan.ts.`;
  if (within(from, owners)) return undefined;
  return `${from} imports ${name}, which only ${list(owners)} may import.`;
}

/** Files behind an import inside the repository: one, or both sides of a door; none for an outside package. */
function targetsOf({ from, specifier }: Import, manifest: Manifest): readonly string[] {
  if (specifier.startsWith('.')) return [join(from, specifier)];
  const door = manifest.imports[specifier];
  return door === undefined ? [] : [door.node, door.default].map((path) => path.replace('./', ''));
}

/** The first cycle that a walk in alphabetical order meets, drawn with arrows. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>();
  const walk: string[] = [];
  const visit = (path: string): string | undefined => {
    const start = walk.indexOf(path);
    if (start >= 0) return [...walk.slice(start), path].join(' -> ');
    if (done.has(path)) return undefined;
    walk.push(path);
    for (const next of edges.get(path) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    walk.pop();
    done.add(path);
    return undefined;
  };
  for (const path of [...edges.keys()].sort()) {
    const cycle = visit(path);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Holds a tree of sources to the plan. Type imports count like any other. */
export function inspect(tree: Tree, manifest: Manifest): Inspection {
  const violations: string[] = [];
  const edges = new Map<string, string[]>();
  let imports = 0;
  for (const [path, source] of tree) {
    violations.push(...checkFile(path, source));
    const next: string[] = [];
    edges.set(path, next);
    for (const one of importsOf(path, source)) {
      imports++;
      const targets = targetsOf(one, manifest);
      const problems =
        targets.length > 0
          ? targets.map((target) => checkFileImport(path, target, tree))
          : [checkPackage(path, one.specifier, manifest)];
      violations.push(...problems.filter((problem) => problem !== undefined));
      if (!one.thread) next.push(...targets);
    }
  }
  const cycle = findCycle(edges);
  if (cycle !== undefined) violations.push(`Imports run in a circle, types included: ${cycle}.`);
  return { violations, files: tree.size, imports };
}
