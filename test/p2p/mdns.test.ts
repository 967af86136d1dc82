import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A network namespace with one Ethernet: nothing of it is heard outside, and nothing from outside in it. */
const ETHERNET = [
  'ip link set lo up',
  'ip link add d0 type veth peer name d1',
  'ip addr add 10.77.0.1/24 dev d0',
  'ip link set d0 up',
  'ip link set d1 up',
  'ip route add 224.0.0.0/4 dev d0',
].join(' && ');

function inNamespace(command: readonly string[], timeoutMs: number) {
  const [file, ...args] = command;
  return spawnSync(
    'unshare',
    ['--user', '--map-root-user', '--net', 'sh', '-c', `${ETHERNET} && exec "$0" "$@"`, file!, ...args],
    {
      encoding: 'utf8',
      timeout: timeoutMs,
    },
  );
}

describe('mDNS', () => {
  before(function () {
    const probe = inNamespace(['true'], 5_000);
    if (probe.status === 0) return;
    process.stderr.write(
      '      mDNS is not tried: it takes `unshare` and `ip`, and the right to make a network namespace\n',
    );
    this.skip();
  });

  it('lets two nodes of one network find each other, once, and nobody else', function () {
    this.timeout(60_000);
    const scene = fileURLToPath(new URL('./mdns-scene.ts', import.meta.url));
    const { stdout, stderr, status } = inNamespace([process.execPath, scene], 50_000);
    assert.equal(status, 0, stderr);
    const { found, ids } = JSON.parse(stdout) as { found: string[][]; ids: string[] };
    assert.deepEqual(found, [[ids[1]], [ids[0]], [], []]);
  });
});
