/**
 * What Node has made of the sources, kept on disk. Without it every thread of every process turns TypeScript into JavaScript
 * anew, by a compiler in WebAssembly: 20 MB and half a second for a process, 9 MB for each thread of a validator. What is kept
 * counts for one version of Node and for files that have not changed; where it cannot be written, everything works without.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Belongs to whoever installed the program, as node_modules does: nobody else can put code there. */
const FOLDER = fileURLToPath(new URL('../node_modules/.cache/ravel', import.meta.url));

/** Before anything else is imported. An operator's own NODE_COMPILE_CACHE stays. */
export function useCompiled(): void {
  enableCompileCache(process.env.NODE_COMPILE_CACHE ?? FOLDER);
  // Threads and child processes read it from here.
  process.env.NODE_COMPILE_CACHE ??= FOLDER;
}

/** Once all is loaded in this thread: a process that is killed later would leave nothing. */
export function keepCompiled(): void {
  flushCompileCache();
}
