import assert from 'node:assert/strict';
import { EXIT } from '../../../node/cli/exit-codes.ts';
import { badInput, judge } from '../../../node/cli/failure.ts';
import { StoreError } from '../../../node/store-error.ts';
import { UpError } from '../../../node/up/up-error.ts';
import { PeersError } from '../../../p2p/index.ts';
import { WalletError } from '../../../wallet/index.ts';

function system(code: string, more: object = {}): Error {
  return Object.assign(new Error(`${code}: from the system`), { code, ...more });
}

describe('a failed command', () => {
  const table: readonly (readonly [rule: string, error: unknown, exit: number, message: string])[] = [
    ['bad input', badInput('A is wrong. Write B.'), EXIT.usage, 'A is wrong. Write B.'],
    ['a node that is not there', new PeersError('unreachable', 'No.'), EXIT.unreachable, 'No.'],
    ['a wrong password', new WalletError('keystore_password', 'No.'), EXIT.locked, 'No.'],
    ['too little money', new WalletError('insufficient_funds', 'No.'), EXIT.failed, 'No.'],
    ['a payment that is not final yet', new WalletError('timeout', 'No.'), EXIT.unreachable, 'No.'],
    ['a wallet in use', new WalletError('wallet_busy', 'No.'), EXIT.taken, 'No.'],
    ['a database in use', new StoreError('store_locked', 'No.'), EXIT.taken, 'No.'],
    ['a busy port', new UpError('port_busy', 'No.'), EXIT.taken, 'No.'],
    [
      'a port that libp2p finds busy',
      new PeersError(
        'listen_failed',
        'cannot listen:\n  /ip4/127.0.0.1/tcp/7300: Error: listen EADDRINUSE: address\n    at x',
      ),
      EXIT.taken,
      '/ip4/127.0.0.1/tcp/7300 is in use by another program. Listen on another port, or end what listens there.',
    ],
    [
      'a missing file',
      system('ENOENT', { path: '/a' }),
      EXIT.usage,
      'there is no file or folder /a. Check the path.',
    ],
    [
      'a file that is there',
      system('EEXIST', { path: '/a' }),
      EXIT.usage,
      '/a exists already. Choose another name, or remove it.',
    ],
    [
      'a busy address',
      system('EADDRINUSE', { address: '::1', port: 80 }),
      EXIT.taken,
      'the address ::1:80 is in use. Choose another port, or end what listens there.',
    ],
    [
      'a full disk',
      system('ENOSPC'),
      EXIT.failed,
      'the disk is full. Make room and start again: nothing that was confirmed is lost.',
    ],
  ];
  for (const [rule, error, exit, message] of table) {
    it(`says what to do about ${rule}`, () => {
      assert.deepEqual(judge(error), { exit, message, bug: false });
    });
  }

  it('calls what nobody expected a bug, and says so', () => {
    for (const error of [new TypeError('x is not a function'), system('ERR_INVALID_ARG_TYPE'), 'a string']) {
      const verdict = judge(error);
      assert.equal(verdict.exit, EXIT.failed);
      assert(verdict.bug);
    }
  });
});
