#!/usr/bin/env node
/** The `ravel` command. Everything is in cli/; here stand the process' own things: arguments, streams, exit code. */
import { runRavel } from './cli/program.ts';

process.exitCode = await runRavel(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
});
