/** Locks the folder named on the command line, says so, and holds it until it is killed. */
import { lockFolder } from '../../node/folder-lock.ts';

try {
  await lockFolder(process.argv[2]!);
  process.stdout.write('locked\n');
  setInterval(() => {}, 1000);
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
}
