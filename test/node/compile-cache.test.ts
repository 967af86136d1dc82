import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULE = new URL('../../node/compile-cache.ts', import.meta.url).href;

/** What a thread of a process that uses the cache says of its own. */
const SCRIPT = `
import { Worker } from 'node:worker_threads';
import { getCompileCacheDir } from 'node:module';
const { keepCompiled, useCompiled } = await import(process.argv[1]);
useCompiled();
keepCompiled();
const worker = new Worker(
  \`import { parentPort } from 'node:worker_threads';
  import { getCompileCacheDir } from 'node:module';
  parentPort.postMessage(getCompileCacheDir());\`,
  { eval: true },
);
worker.once('message', (dir) => console.log(JSON.stringify([getCompileCacheDir(), dir])));
`;

function foldersOf(cache: string | undefined): string[] {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT, MODULE], {
    encoding: 'utf8',
    env: cache === undefined ? env : { ...env, NODE_COMPILE_CACHE: cache },
  });
  return JSON.parse(said) as string[];
}

describe('what Node has compiled', () => {
  it('is kept beside the installed packages, for all threads', () => {
    const beside = fileURLToPath(new URL('../../node_modules/.cache/ravel', import.meta.url));
    for (const folder of foldersOf(undefined)) assert.ok(folder.startsWith(beside), folder);
  });

  it('is kept where an operator says', () => {
    const own = mkdtempSync(path.join(tmpdir(), 'ravel-compiled-'));
    try {
      for (const folder of foldersOf(own)) assert.ok(folder.startsWith(own), folder);
      assert.ok(readdirSync(own).length > 0);
    } finally {
      rmSync(own, { recursive: true });
    }
  });
});
