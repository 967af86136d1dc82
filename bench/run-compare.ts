/** The process of `npm run bench:compare`; what it does stands in compare-command.ts. */
import { runCompare } from './compare-command.ts';

process.exitCode = await runCompare(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(text),
});
