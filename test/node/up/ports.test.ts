import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { freePorts, needPorts } from '../../../node/up/ports.ts';

const HOST = '127.0.0.1';

describe('ports', () => {
  it('that are free differ and can be listened on', async () => {
    const ports = await freePorts(8, HOST);
    assert.equal(new Set(ports).size, 8);
    await needPorts(ports, HOST, '');
  });

  it('that are busy are refused by their number, with a cure', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    const address = server.address();
    assert(typeof address === 'object' && address !== null);
    try {
      await assert.rejects(needPorts([address.port], HOST, 'Give another.'), {
        code: 'port_busy',
        message: `Port ${address.port} on 127.0.0.1 is in use by another program. Give another.`,
      });
    } finally {
      server.close();
    }
  });
});
