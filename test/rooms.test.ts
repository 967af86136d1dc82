import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, type Manifest, OWNERS, ROOMS, type Tree } from '../scripts/floor-plan.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = /\.[mc]?[jt]sx?$/;

/** Every source file in the repository, wherever it stands; hidden folders and installed packages are not sources. */
function readTree(): Tree {
  const tree = new Map<string, string>();
  const read = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) read(path);
      else if (SOURCE.test(entry.name))
        tree.set(relative(ROOT, path).split(sep).join('/'), readFileSync(path, 'utf8'));
    }
  };
  read(ROOT);
  return tree;
}

const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/** A small tree that keeps the plan; each row below plants one thing into it. */
const SOUND = {
  'ledger/index.ts': "export { a } from './a.ts';",
  'ledger/a.ts': "import { b } from '#crypto';\nexport const a = b;",
  'ledger/crypto-native.ts': "import sodium from 'sodium-native';",
  'ledger/crypto-noble.ts': "import { ed25519 } from '@noble/curves/ed25519.js';",
  'p2p/index.ts': "import type { A } from '../ledger/index.ts';",
  'wallet/index.ts': "export { k } from './kdf-node.ts';",
  'wallet/kdf-node.ts': "import { argon2 } from 'node:crypto';",
  'node/index.ts': "import { level } from './store.ts';",
  'node/store.ts': "import { Level } from 'level';\nimport { b } from '../p2p/index.ts';",
  'node/pool.ts': "new Worker(new URL('./store.ts', import.meta.url));",
  'bench/one.ts': "import { world } from '../test/sim/world.ts';\nimport { n } from '../node/index.ts';",
  'test/oracle.ts': '',
  'test/sim/world.ts': "import { a } from '../../ledger/a.ts';\nimport fc from 'fast-check';",
};

/** Each planted source is a file and its text; the sentence must name what is wrong. */
const PLANTED: readonly (readonly [rule: string, file: string, source: string, sentence: RegExp])[] = [
  [
    'an arrow upwards',
    'ledger/up.ts',
    "import { n } from '../p2p/index.ts';",
    /^ledger\/up\.ts imports p2p\/index\.ts, but ledger\/ may import nothing only\.$/,
  ],
  [
    'an arrow upwards for types',
    'p2p/up.ts',
    "import type {\n  N,\n  M,\n} from '../node/index.ts';",
    /p2p\/ may import ledger only/,
  ],
  [
    'an arrow upwards at run time',
    'wallet/up.ts',
    "await import('../node/index.ts');",
    /wallet\/ may import ledger, p2p/,
  ],
  [
    'an arrow by re-export',
    'p2p/up.ts',
    "export { w } from '../wallet/index.ts';",
    /p2p\/ may import ledger only/,
  ],
  ['a bare import', 'p2p/up.ts', "import '../wallet/index.ts';", /p2p\/ may import ledger only/],
  [
    'the source of a test in a room',
    'node/up.ts',
    "import { w } from '../test/sim/world.ts';",
    /node\/ may import/,
  ],
  [
    'a thread in another room',
    'p2p/up.ts',
    "new Worker(new URL('../node/store.ts', import.meta.url));",
    /p2p\/ may import ledger only/,
  ],
  [
    'a way past the door',
    'node/past.ts',
    "import { a } from '../ledger/a.ts';",
    /past the door: across rooms only through ledger\/index\.ts/,
  ],
  [
    'more of test/ than the simulator',
    'bench/two.ts',
    "import x from '../test/oracle.ts';",
    /bench\/ may import/,
  ],
  [
    'the door of one’s own room',
    'ledger/own.ts',
    "import { a } from './index.ts';",
    /import the sibling file itself/,
  ],
  ['somebody else’s door', 'node/door.ts', "import { b } from '#crypto';", /past the door/],
  [
    'a file that is not there',
    'node/gone.ts',
    "import { g } from './ghost.ts';",
    /ghost\.ts, which is not there/,
  ],
  [
    'node:* in a pure room',
    'ledger/fs.ts',
    "import { readFileSync } from 'node:fs';",
    /runs in a browser too/,
  ],
  [
    'types of node:* in a pure room',
    'wallet/fs.ts',
    "import type { Stats } from 'node:fs';",
    /runs in a browser too/,
  ],
  [
    'a package of somebody else',
    'node/db.ts',
    "import { Level } from 'level';",
    /which only node\/store\.ts may import/,
  ],
  [
    'a scope of somebody else',
    'node/net.ts',
    "import { tcp } from '@libp2p/tcp';",
    /which only p2p\/ may import/,
  ],
  ['a package without owner', 'node/n.ts', "import n from 'node';", /which has no owner/],
  [
    'a package that is not listed',
    'p2p/left.ts',
    "import pad from 'left-pad';",
    /does not list under dependencies/,
  ],
  [
    'a development package',
    'node/dev.ts',
    "import fc from 'fast-check';",
    /does not list under dependencies/,
  ],
  [
    'chance in the ledger',
    'ledger/dice.ts',
    'export const n = Math.random();',
    /uses Math\.random: in ledger\/ time and/,
  ],
  ['a clock in the ledger', 'ledger/now.ts', 'export const now = () => Date.now();', /uses Date/],
  ['waiting in the ledger', 'ledger/wait.ts', 'export async function f() {}', /uses async/],
  ['an enum', 'node/e.ts', 'export const enum Colour { Red }', /erasable TypeScript only/],
  ['a long file', 'node/long.ts', '\n'.repeat(401), /has 401 lines/],
  ['JavaScript', 'node/old.mjs', '', /is not TypeScript/],
  ['a file outside of the rooms', 'lib/thing.ts', '', /stands in no room/],
];

function planted(file: string, source: string): readonly string[] {
  return inspect(new Map([...Object.entries(SOUND), [file, source]]), MANIFEST).violations;
}

describe('the floor plan', () => {
  it('is kept by every file of the repository', () => {
    const { violations, files, imports } = inspect(readTree(), MANIFEST);
    assert.ok(files > 50, `only ${files} files were read`);
    assert.ok(imports > 100, `only ${imports} imports were seen`);
    assert.deepEqual(violations, []);
  });

  it('has been read in every room that it names', () => {
    const rooms = new Set([...readTree().keys()].map((path) => path.split('/')[0]));
    // bench/ stands empty until its first question is asked.
    for (const room of Object.keys(ROOMS))
      assert.ok(rooms.has(room) || room === 'bench', `no file in ${room}/`);
  });

  it('names only packages that are installed', () => {
    const installed = Object.keys({ ...MANIFEST.dependencies, ...MANIFEST.devDependencies });
    for (const name of Object.keys(OWNERS)) {
      const matches = installed.some(
        (one) => one === name || (name.endsWith('/*') && one.startsWith(name.slice(0, -1))),
      );
      assert.ok(matches, `${name} has an owner, but package.json does not list it`);
    }
  });

  it('is kept by the sound tree into which the rows below plant', () => {
    assert.deepEqual(inspect(new Map(Object.entries(SOUND)), MANIFEST).violations, []);
  });

  for (const [rule, file, source, sentence] of PLANTED) {
    it(`finds ${rule}`, () => {
      const violations = planted(file, source);
      assert.ok(violations.length > 0, 'nothing was found');
      for (const violation of violations) assert.match(violation, sentence);
    });
  }

  it('finds a circle, also one of types alone and one through a door', () => {
    const types = planted('ledger/index.ts', "import type { P } from './p.ts';").concat(
      inspect(
        new Map([
          ['ledger/p.ts', "import type { Q } from './q.ts';"],
          ['ledger/q.ts', "import type { P } from './p.ts';"],
        ]),
        MANIFEST,
      ).violations,
    );
    assert.ok(
      types.includes('Imports run in a circle, types included: ledger/p.ts -> ledger/q.ts -> ledger/p.ts.'),
    );
    const [door] = planted('ledger/crypto-noble.ts', "import { a } from './a.ts';");
    assert.match(door!, /ledger\/a\.ts -> ledger\/crypto-noble\.ts -> ledger\/a\.ts/);
  });

  it('reads no import out of a comment or out of a longer word', () => {
    const source =
      "/** import { n } from '../node/index.ts'; */\n// import('../node/index.ts')\nreimport('x');";
    assert.deepEqual(planted('ledger/quiet.ts', source), []);
  });
});
