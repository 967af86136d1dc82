#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=32768 node --max-semi-space-size=8 --heap-growing-percent=40
/** The `ravel` command. Everything is in cli/; here stand the process' own things: arguments, streams, exit code. */
import { runRavel } from './cli/program.ts';

const END_MS = 3_000;

// Whoever reads the output may have seen enough: `ravel wallet history | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runRavel(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
});

// Everything has been closed. A thread that was told to end while it began may still hold the process: it is not waited for.
setTimeout(() => process.exit(), END_MS).unref();
