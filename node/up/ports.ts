/** TCP ports of this machine for the validators of a network that `ravel up` runs. */
import { createServer, type Server } from 'node:net';
import { UpError } from './up-error.ts';

/**
 * Ports are looked for below those that systems give to outgoing connections (32768 and up on Linux): a validator that is
 * down for a while finds its own free when it comes back.
 */
const PORT_FIRST = 10_000;
const PORT_LAST = 32_000;

/** `count` different ports that are free now, from a random one on, so that networks started together do not meet. */
export async function freePorts(count: number, host: string): Promise<readonly number[]> {
  const span = PORT_LAST - PORT_FIRST;
  const first = Math.floor(Math.random() * span);
  const found: number[] = [];
  for (let offset = 0; offset < span && found.length < count; offset++) {
    const port = PORT_FIRST + ((first + offset) % span);
    if ((await problemOf(port, host)) === undefined) found.push(port);
  }
  if (found.length < count) {
    throw new UpError(
      'port_busy',
      `Hardly a port of ${host} from ${PORT_FIRST} to ${PORT_LAST} is free. Give --port.`,
    );
  }
  return found;
}

/** Throws UpError `port_busy` naming the first port that is not free, and what to do about it. */
export async function needPorts(ports: readonly number[], host: string, cure: string): Promise<void> {
  for (const port of ports) {
    const problem = await problemOf(port, host);
    if (problem !== undefined) throw new UpError('port_busy', `Port ${port} on ${host} ${problem}. ${cure}`);
  }
}

/** Why a port cannot be listened on, or undefined. */
async function problemOf(port: number, host: string): Promise<string | undefined> {
  try {
    await close(await listen(port, host));
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') return 'is in use by another program';
    if (code === 'EACCES') return 'may not be opened by this user';
    throw error;
  }
}

function listen(port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
