/** A process for child.test.ts: it does what its first argument says, and ends with its parent's channel. */
const [, , order = ''] = process.argv;

if (order === 'fail') {
  process.stderr.write('something technical\nravel: The disk is full. Make room.\n    at a stack\n');
  process.exit(3);
}
if (order === 'deaf') process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));
process.on('message', (message) => process.send?.({ echo: message }));
process.send?.({ pid: process.pid });
