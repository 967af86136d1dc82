import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeMessage, encodeMessage, messageProblem } from '../../p2p/codec.ts';
import { MESSAGE_DEPTH_MAX, MESSAGE_VALUES_MAX } from '../../p2p/limits.ts';

/** Everything that a message may be made of. */
const plain = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    // Minus zero comes back as zero, which no protocol of ours tells apart.
    fc.double().map((number) => number + 0),
    fc.string({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 300 }),
  ),
  list: fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'message' }),
  map: fc.dictionary(
    fc
      .string({ minLength: 1, maxLength: 40 })
      .filter((key) => !['__proto__', 'constructor', 'prototype', 'toJSON'].includes(key)),
    tie('value'),
    { maxKeys: 4, noNullPrototype: true, depthIdentifier: 'message' },
  ),
  value: fc.oneof(
    { maxDepth: MESSAGE_DEPTH_MAX - 1, depthIdentifier: 'message' },
    tie('leaf'),
    tie('list'),
    tie('map'),
  ),
})).value;

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'nothing was thrown';
}

describe('the message codec', () => {
  it('carries plain data unchanged, bytes as Uint8Array and not as Buffer', () => {
    fc.assert(
      fc.property(plain, (message) => {
        assert.deepStrictEqual(decodeMessage(encodeMessage(message)), message);
      }),
      { seed: 1 },
    );
  });

  it('never throws on bytes that are no message, and never returns what the walk refuses', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const message = decodeMessage(bytes);
        if (messageProblem(bytes) !== undefined) assert.equal(message, undefined);
      }),
      { seed: 2, numRuns: 2_000 },
    );
  });

  it('refuses every proper prefix and every extension of a message', () => {
    const bytes = encodeMessage({ id: 7, ask: 'account', list: [1, 'two', new Uint8Array(3)], big: 2 ** 40 });
    for (let size = 0; size < bytes.length; size++)
      assert.equal(decodeMessage(bytes.subarray(0, size)), undefined, `${size}`);
    assert.equal(decodeMessage(Uint8Array.of(...bytes, 0xc0)), undefined);
  });

  const hostile: readonly (readonly [string, readonly number[]])[] = [
    ['an array that claims 2^25 entries', [0xdd, 2, 0, 0, 0]],
    ['an array that claims 65,535 entries', [0xdc, 255, 255, 1]],
    ['a map that claims 65,535 entries', [0xde, 255, 255, 1]],
    ['a map with 32-bit count', [0xdf, 0, 0, 0, 0]],
    ['bytes that claim 4 GB', [0xc6, 255, 255, 255, 255]],
    ['text that claims 4 GB', [0xdb, 255, 255, 255, 255]],
    ['a record definition (fixext 1, 0x72)', [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61]],
    ['a timestamp extension', [0xd6, 0xff, 0, 0, 0, 0]],
    ['a structured extension', [0xc7, 1, 0x65, 0]],
    ['a 64-bit integer', [0xcf, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['the unused byte', [0xc1]],
    ['a number as key', [0x81, 1, 1]],
    ['bytes as key', [0x81, 0xc4, 1, 1, 1]],
    ['__proto__ as key', [0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0x80]],
    ['constructor as key', [0x81, 0xab, ...new TextEncoder().encode('constructor'), 0x80]],
    ['nothing', []],
  ];
  for (const [what, bytes] of hostile) {
    it(`refuses ${what}`, () => assert.equal(decodeMessage(Uint8Array.from(bytes)), undefined));
  }

  it('refuses deep nesting, on both sides', () => {
    assert.ok(decodeMessage(encodeMessage(nested(MESSAGE_DEPTH_MAX))));
    assert.equal(
      code(() => encodeMessage(nested(MESSAGE_DEPTH_MAX + 1))),
      'bad_message',
    );
    assert.equal(decodeMessage(new Uint8Array(60_000).fill(0x91)), undefined);
  });

  it('refuses more values than a message may have', () => {
    const many = new Uint8Array(3 + MESSAGE_VALUES_MAX);
    many.set([0xdc, MESSAGE_VALUES_MAX >> 8, MESSAGE_VALUES_MAX & 255]);
    assert.match(messageProblem(many) ?? '', /more than/);
  });

  it('tells the sender what it cannot send', () => {
    const unsendable = [
      new Date(0),
      10n,
      { when: new Date(0) },
      new Map([[1, 2]]),
      JSON.parse('{"__proto__":1}'),
    ];
    for (const message of unsendable)
      assert.equal(
        code(() => encodeMessage(message)),
        'bad_message',
      );
    assert.equal(
      code(() => encodeMessage('x'.repeat(70_000))),
      'message_too_large',
    );
  });
});
