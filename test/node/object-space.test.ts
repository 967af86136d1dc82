import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { NODE_ENVIRONMENT, NODE_FLAGS, POOL_YOUNG_SPACE_MB } from '../../node/limits.ts';
import { Pool } from '../../node/pool.ts';
import { silentLog } from '../../p2p/index.ts';

describe('the space for objects', () => {
  it('is bounded for young ones in every thread of a pool', async () => {
    await using pool = new Pool<null, { readonly maxYoungGenerationSizeMb: number }>(
      {
        name: 'young',
        worker: new URL('./object-space.worker.ts', import.meta.url),
        handler: 'limits',
        threads: 1,
        threadsAtStart: 1,
        waitingMax: 0,
        workerData: undefined,
      },
      { log: silentLog },
    );
    const limits = await pool.run(null);
    assert.ok('maxYoungGenerationSizeMb' in limits);
    assert.equal(limits.maxYoungGenerationSizeMb, POOL_YOUNG_SPACE_MB);
  });

  it('is bounded in the main thread of whoever runs the command', () => {
    const [first] = readFileSync(new URL('../../node/ravel.ts', import.meta.url), 'utf8').split('\n');
    const environment = Object.entries(NODE_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    assert.equal(first, `#!/usr/bin/env -S ${[...environment, 'node', ...NODE_FLAGS].join(' ')}`);
  });
});
