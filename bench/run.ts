/** The process of `npm run bench`; what it does stands in command.ts. */
import { runBenches } from './command.ts';
import { showProgress } from './progress.ts';

// Whatever a bench has started ends with this process, which a signal alone would not see to.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

process.exitCode = await runBenches(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(text),
  progress: showProgress(process.stderr),
});
