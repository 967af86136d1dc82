/** Holds the documentation to the code: tables, commands, flags, files, links, quoted rules. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { fileURLToPath } from 'node:url';
import * as rules from '../ledger/limits.ts';
import { REACTION } from '../ledger/refusal.ts';
import { EXIT, EXIT_MEANING } from '../node/cli/exit-codes.ts';
import { runRavel } from '../node/cli/program.ts';
import { configKeys } from '../node/config.ts';
import { LEDGER_VERTICES_MAX } from '../node/limits.ts';
import { OVERDRAFT_POINTS, PEER_LIMITS, PENALTY_CUT_POINTS, PENALTY_POINTS } from '../p2p/limits.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'docs/protocol.md',
  'docs/refusals.md',
  'docs/operating.md',
  'docs/integrating.md',
  'docs/performance.md',
] as const;

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** Lines of the fenced blocks in a page. */
function code(page: string): string[] {
  const blocks = [...read(page).matchAll(/^```(?:\w*)\n(.*?)^```$/gms)].map((match) => match[1]!);
  return blocks.flatMap((block) => block.split('\n')).filter((line) => line !== '');
}

/** Text in backticks, outside of fenced blocks. */
function spans(page: string): string[] {
  const prose = read(page).replace(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
}

/** Rows of all tables of a page, cells trimmed. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function between(text: string, from: string, to: string): string {
  const start = text.indexOf(from);
  const end = text.indexOf(to);
  assert.ok(start >= 0 && end > start, `the page has "${from}" ... "${to}"`);
  return text.slice(text.indexOf('\n', start) + 1, end).trimEnd();
}

/** What `ravel ARGS` prints on standard output. */
async function ravel(...args: string[]): Promise<string> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const written: string[] = [];
  stdout.on('data', (chunk) => written.push(String(chunk)));
  stderr.on('data', (chunk) => written.push(String(chunk)));
  const exit = await runRavel(args, {
    stdin: new PassThrough() as unknown as ReadStream,
    stdout: stdout as unknown as WriteStream,
    stderr: stderr as unknown as WriteStream,
    environment: {},
  });
  assert.equal(exit, EXIT.done, written.join(''));
  return written.join('');
}

/** The words before the first flag or argument: `wallet pay --dir net` -> wallet, pay. */
function wordsOf(args: readonly string[]): string[] {
  return args.slice(0, args[0] === 'wallet' ? 2 : 1);
}

interface Shown {
  readonly page: string;
  readonly line: string;
  readonly words: readonly string[];
  readonly flags: readonly string[];
}

/** Every `ravel ...` and `npm start -- ...` that a page shows, in blocks and in prose. */
function shownCommands(page: string): Shown[] {
  return [...code(page), ...spans(page)].flatMap((text) => {
    const line = text.replace(/\s+#.*$/, '');
    const start = /^npm start(?: --(?: |$))?(.*)$/.exec(line);
    const command = /^(?:[A-Z_]+=\S+ )?(?:npx )?ravel (.+)$/.exec(line);
    const args = start === null ? command?.[1]?.split(' ') : ['up', ...start[1]!.split(' ')];
    if (args === undefined || args[0] === '...') return [];
    const flags = args.filter((arg) => arg.startsWith('--'));
    return [{ page, line, words: wordsOf(args).filter((word) => !word.startsWith('-')), flags }];
  });
}

describe('documentation', () => {
  it('shows commands and flags that exist', async () => {
    const shown = PAGES.flatMap(shownCommands);
    assert.ok(shown.length > 20, `${shown.length} commands found`);
    for (const { page, line, words, flags } of shown) {
      const help = await ravel(...words, '--help');
      const usage = `Usage: ${['ravel', ...words].join(' ')} [`;
      assert.ok(help.startsWith(usage), `${page}: "${line}": there is no such command`);
      for (const flag of flags) {
        const name = flag.split('=')[0]!;
        assert.match(help, new RegExp(`(^|[ ,])${name}\\b`, 'm'), `${page}: "${line}": there is no ${name}`);
      }
    }
  });

  it('names every command in the changelog', async () => {
    const help = await ravel('--help');
    const names = [...between(help, 'Commands:', 'Examples:').matchAll(/^ {2}(\w+) /gm)].map((m) => m[1]!);
    assert.ok(names.length > 5);
    for (const name of names.filter((word) => word !== 'help'))
      assert.match(read('CHANGELOG.md'), new RegExp(`\`(?:ravel )?${name}\``), name);
  });

  it('shows npm scripts that exist', () => {
    const { scripts, version } = JSON.parse(read('package.json')) as {
      scripts: Record<string, string>;
      version: string;
    };
    const lines = PAGES.flatMap((page) => [...code(page), ...spans(page)]);
    const used = lines.flatMap((line) => /^npm (?:run )?(start|test|check)\b/.exec(line)?.[1] ?? []);
    assert.ok(used.length > 3);
    for (const name of used) assert.ok(name in scripts, name);
    assert.ok(read('CHANGELOG.md').includes(`\n## ${version}\n`), 'the changelog has this version');
    const [, first, second] = read('README.md')
      .split('\n')
      .filter((line) => line !== '' && line !== '```');
    assert.match(`${first}\n${second}`, /^npm start .*\nnpm test /, 'the quick start stands at the top');
  });

  it('says of each refusal what refusal.ts says', () => {
    const source = read('ledger/refusal.ts');
    const union = source.slice(
      source.indexOf('export type Refusal ='),
      source.indexOf('export type RefusalCode'),
    );
    const fields = new Map(
      [...union.matchAll(/\{\s*readonly code: '(\w+)';([^}]*)\}/g)].map((match) => [
        match[1]!,
        [...match[2]!.matchAll(/readonly (\w+):/g)].map((field) => field[1]!),
      ]),
    );
    assert.deepEqual(
      [...fields.keys()].sort(),
      Object.keys(REACTION).sort(),
      'this test reads refusal.ts rightly',
    );
    const page = read('docs/refusals.md');
    const found = new Map(
      rows(page.slice(page.indexOf('## Bytes'), page.indexOf('## Proofs')))
        .filter((row) => /^`\w+`$/.test(row[0]!))
        .map((row) => [row[0]!.slice(1, -1), row]),
    );
    assert.deepEqual([...found.keys()].sort(), [...fields.keys()].sort());
    for (const [name, [, numbers = '', when = '', cure = '', reaction = '']] of found) {
      assert.equal(reaction, REACTION[name as keyof typeof REACTION], name);
      assert.deepEqual(
        numbers.split(', '),
        fields.get(name)!.map((field) => `\`${field}\``),
        name,
      );
      assert.ok(when.length > 10 && cure.length > 10, name);
    }
    for (const text of [
      `${PENALTY_POINTS} points`,
      `at ${PENALTY_CUT_POINTS} points`,
      `costs ${OVERDRAFT_POINTS} point`,
      `for ${PEER_LIMITS.cutMs / 60_000} minutes`,
    ]) {
      assert.ok(page.includes(text), text);
    }
    assert.equal(PEER_LIMITS.decayPointsPerSecond, 1, 'one point is forgiven each second');
  });

  it('has the limits of the protocol as limits.ts has them', () => {
    const page = read('docs/protocol.md');
    const section = page.slice(page.indexOf('### 2.11'), page.indexOf('## 3.'));
    const found = rows(section).flatMap(([name, value]) =>
      /^`[A-Z0-9_]+`$/.test(name!) ? [[name!.slice(1, -1), Number(value)] as const] : [],
    );
    assert.deepEqual(Object.fromEntries(found), { ...rules });
    for (const file of ['README.md', 'docs/protocol.md', 'docs/operating.md', 'ARCHITECTURE.md']) {
      const text = read(file);
      const said =
        text.includes(LEDGER_VERTICES_MAX.toLocaleString('en')) ||
        text.includes(`${LEDGER_VERTICES_MAX / 1e6} million`);
      assert.ok(said, `${file} says how many vertices a node holds`);
    }
  });

  it('has the settings and exit codes that there are', () => {
    const page = read('docs/operating.md');
    const settings = configKeys().map(({ key, default: value, allowed, doc }) => {
      const shown = value === 'none' || value === 'required' ? value : `\`${value}\``;
      return `| \`${key}\` | ${shown} | ${doc} | ${allowed} |`;
    });
    const table = [
      '| key in the file | default | what it does | allowed |',
      '|---|---|---|---|',
      ...settings,
    ];
    assert.equal(between(page, '<!-- settings:', '<!-- end of settings'), table.join('\n'));
    const codes = Object.entries(EXIT).map(
      ([name, number]) => `| ${number} | ${EXIT_MEANING[name as keyof typeof EXIT]} |`,
    );
    const exits = ['| code | meaning |', '|---|---|', ...codes].join('\n');
    assert.equal(between(page, '<!-- exit codes:', '<!-- end of exit codes'), exits);
    const { flag, variable } = configKeys().find(({ key }) => key === 'roundFloorMs')!;
    assert.ok(page.includes(`\`${flag}\``) && page.includes(`\`${variable}\``));
  });

  it('names log lines that a node writes', () => {
    const page = read('docs/operating.md');
    const lines = rows(page.slice(page.indexOf('Lines worth an alarm'), page.indexOf('**A full disk**')));
    const sources = ['node/run-node.ts', 'node/cli/node.ts', 'p2p/libp2p-host.ts'].map(read).join('\n');
    const texts = lines.flatMap(([line]) => /^`(.+)`$/.exec(line!)?.[1] ?? []);
    assert.ok(texts.length >= 5);
    for (const text of texts) assert.ok(sources.includes(text), text);
  });

  it('names files and sections that exist', () => {
    let named = 0;
    for (const page of PAGES) {
      const places = spans(page).flatMap((text) => {
        const place = /^((?:ledger|p2p|wallet|node|test|scripts|docs)\/[\w./-]*|\.ci\/\w+)$/.exec(text)?.[1];
        return place === undefined ? [] : [place];
      });
      const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) =>
        path.join(path.dirname(page), match[1]!),
      );
      for (const place of [...places, ...links]) {
        named++;
        assert.ok(existsSync(path.join(ROOT, place)), `${page}: there is no ${place}`);
      }
    }
    assert.ok(named > 60, `${named} files named`);
    const headings = [...read('docs/protocol.md').matchAll(/^#{2,3} ([\d.]+) /gm)].map((m) =>
      m[1]!.replace(/\.$/, ''),
    );
    const texts = PAGES.map((page) => [page, read(page)] as const);
    for (const [page, text] of texts) {
      for (const match of text.matchAll(/\bsections? (\d(?:\.\d+)?)/g))
        assert.ok(headings.includes(match[1]!), `${page}: protocol.md has no section ${match[1]}`);
    }
  });

  it('has the rules that comments of the ledger quote', () => {
    const plain = (text: string) => text.replace(/[`*]/g, '').replace(/\s+/g, ' ');
    const page = plain(read('docs/protocol.md'));
    const files = ['acceptance', 'core', 'ledger', 'validator', 'votes'];
    const quoted = files.flatMap((file) => {
      const source = read(`ledger/${file}.ts`).replace(/\n\s*\* /g, ' ');
      return [...source.matchAll(/\/\*\* "([A-Za-z][^"]{20,})"/g)].map((match) =>
        plain(match[1]!).replace(/\.$/, ''),
      );
    });
    assert.ok(quoted.length >= 6, `${quoted.length} rules quoted`);
    for (const rule of quoted) assert.ok(page.includes(rule), `protocol.md does not say: ${rule}`);
  });

  it('shows TypeScript whose imports exist', async () => {
    const source = code('docs/integrating.md').join('\n');
    const imports = [...source.matchAll(/^import \{([^}]+)\} from '(\.\/[^']+)';$/gm)];
    assert.ok(imports.length > 4);
    for (const [, names = '', file = ''] of imports) {
      const room = (await import(path.join(ROOT, file))) as Record<string, unknown>;
      for (const name of names.split(',').map((one) => one.trim().split(' as ')[0]!)) {
        if (!name.startsWith('type ')) assert.ok(name in room, `${file} exports no ${name}`);
      }
    }
  });
});
