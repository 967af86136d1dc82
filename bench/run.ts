/** The process of `npm run bench`; what it does stands in command.ts. */
import { runBenches } from './command.ts';

process.exitCode = await runBenches(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(text),
});
