/** A process for child.test.ts that starts a child, tells its pid, and is then killed. */
import { startChild } from '../../../node/up/child.ts';

const [, , logFile = ''] = process.argv;
const module = new URL('./child-program.ts', import.meta.url).pathname;
const child = await startChild({ name: 'grandchild', module, args: [], logFile });
process.send?.({ pid: child.pid });
