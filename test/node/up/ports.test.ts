import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { consecutivePorts, freePorts } from '../../../node/up/ports.ts';

const HOST = '127.0.0.1';

describe('ports', () => {
  it('that are free differ and can be listened on', async () => {
    const ports = await freePorts(8, HOST);
    assert.equal(new Set(ports).size, 8);
    assert.deepEqual(await consecutivePorts(ports[0]!, 1, HOST), [ports[0]]);
  });

  it('that are busy are refused by their number, with a cure', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    const address = server.address();
    assert(typeof address === 'object' && address !== null);
    try {
      await assert.rejects(
        consecutivePorts(address.port - 1, 2, HOST),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'port_busy');
          // The port before it may be busy too.
          assert.match(
            error.message,
            /^Port \d+ on 127.0.0.1 is in use by another program. End that program, choose/,
          );
          return true;
        },
      );
    } finally {
      server.close();
    }
  });
});
