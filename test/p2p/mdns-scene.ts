/** Run by mdns.test.ts in a network of its own: who finds whom by mDNS. Prints one line of JSON. */
import { OTHER_NETWORK, Scene, until } from './network.ts';

const listen = ['/ip4/10.77.0.1/tcp/0'];

await using scene = new Scene();
const first = await scene.node({ listen, mdns: true });
const second = await scene.node({ listen, mdns: true });
const foreign = await scene.node({ listen, mdns: true, network: OTHER_NETWORK });
const quiet = await scene.node({ listen });
await until('they find each other', () => first.list().length > 0 && second.list().length > 0, 25_000);
// Time for the others to be found too, if they could be.
await new Promise((resolve) => {
  setTimeout(resolve, 1_500);
});
const found = [first, second, foreign, quiet].map((node) => node.list().map(({ id }) => id));
process.stdout.write(`${JSON.stringify({ found, ids: [first.id, second.id] })}\n`);
