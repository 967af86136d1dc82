/** TCP ports of this machine for the validators of a network that `ravel up` runs. */
import { createServer, type Server } from 'node:net';
import { UpError } from './up-error.ts';

/**
 * `count` ports that are free now. They are all held before the first is given back, so that they differ; somebody may
 * still take one before the validator does, who then says so.
 */
export async function freePorts(count: number, host: string): Promise<readonly number[]> {
  const servers: Server[] = [];
  try {
    for (let index = 0; index < count; index++) servers.push(await listen(0, host));
    return servers.map((server) => {
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    });
  } finally {
    await Promise.all(servers.map(close));
  }
}

/** The ports from `first` on, when all of them are free. Throws UpError `port_busy` naming the first that is not. */
export async function consecutivePorts(
  first: number,
  count: number,
  host: string,
): Promise<readonly number[]> {
  const ports = Array.from({ length: count }, (_, index) => first + index);
  for (const port of ports) {
    try {
      await close(await listen(port, host));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
      const cause = code === 'EACCES' ? 'may not be opened by this user' : 'is in use by another program';
      throw new UpError(
        'port_busy',
        `Port ${port} on ${host} ${cause}. End that program, choose another --port, or leave --port out to take free ones.`,
        error,
      );
    }
  }
  return ports;
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
