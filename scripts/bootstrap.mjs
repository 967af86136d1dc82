/**
 * Installs what is missing before an npm script runs: `npm start`, `npm test` and `npm run check` call it first.
 *
 * The machine's own Node may be as old as 20, so this one file is plain JavaScript. Everything else runs on the Node 24
 * that the dependency `node` puts into node_modules/.bin, where npm scripts look first. npm runs this file as a pre-script,
 * in a shell of its own: a shell remembers where it found `node`, so `bootstrap && node ...` would stay with the old one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockFile = join(root, 'package-lock.json');
const installedFile = join(root, 'node_modules', '.package-lock.json');
const bundledNode = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const NODE_MAJOR_MIN = 24;

const reason = whyInstall();
if (reason !== undefined) install(reason);
// Asking Node for its version takes 30 ms, so it is asked only where the answer is in doubt.
if (reason !== undefined || !existsSync(bundledNode)) requireNode();

/** Why packages must be installed, or undefined when all of them are there in the locked versions. */
function whyInstall() {
  if (!existsSync(installedFile)) return 'the dependencies are not installed yet';
  const locked = packagesOf(lockFile);
  const installed = packagesOf(installedFile);
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '') continue;
    const found = installed[path];
    // Optional packages are those of other platforms.
    if (found === undefined && entry.optional) continue;
    if (found?.version !== entry.version) return `${path} is not what package-lock.json asks for`;
  }
  return undefined;
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

function install(why) {
  const started = Date.now();
  say(`${why}: running npm ci in ${root} (about a minute, 350 MB)`);
  // loglevel=error: npm would complain that the old Node, which does nothing but install, is old.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['inherit', 2, 2] };
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (result.error) fail(`npm could not be started (${result.error.message}). Install npm 11 or newer.`);
  if (result.status !== 0) {
    fail(
      `npm ci failed (${result.signal ?? `exit code ${result.status}`}); its reason stands above. ` +
        'It needs the npm registry: check network, proxy and `npm config get registry`, then run the same command again.',
    );
  }
  say(`installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function requireNode() {
  const major = nodeMajor();
  if (major >= NODE_MAJOR_MIN) return;
  fail(
    `the packages are installed, but Node ${NODE_MAJOR_MIN} is not among them: its install script did not run. ` +
      'Run `npm rebuild --ignore-scripts=false`, then the same command again.',
  );
}

/** Major version of the Node that npm scripts will find, 0 when it does not run. */
function nodeMajor() {
  const command = existsSync(bundledNode) ? bundledNode : 'node';
  const result = spawnSync(command, ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' });
  return Number(/^v(\d+)/.exec(result.stdout ?? '')?.[1] ?? 0);
}

function say(message) {
  process.stderr.write(`ravel: ${message}\n`);
}

function fail(message) {
  say(message);
  process.exit(1);
}
