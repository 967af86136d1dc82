import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hex, Writer } from '../../ledger/index.ts';

describe('canonical bytes', () => {
  it('are the same whatever room the writer started with', () => {
    const field = fc.oneof(
      fc.nat(255).map((value) => ({ name: 'u8' as const, value })),
      fc.nat(65535).map((value) => ({ name: 'u16' as const, value })),
      fc.nat(2 ** 31 - 1).map((value) => ({ name: 'u32' as const, value })),
      fc.maxSafeNat().map((value) => ({ name: 'u53' as const, value })),
      fc.nat(2 ** 31 - 1).map((value) => ({ name: 'u48' as const, value })),
    );
    const write = (
      capacity: number,
      fields: readonly { name: 'u8' | 'u16' | 'u32' | 'u48' | 'u53'; value: number }[],
    ) => {
      const writer = new Writer(capacity);
      for (const { name, value } of fields) writer[name](value).bytes(Uint8Array.of(1, 2, 3));
      return hex(writer.done());
    };
    fc.assert(
      fc.property(fc.array(field, { maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (fields, capacity) => {
        assert.equal(write(capacity, fields), write(4096, fields));
      }),
    );
  });
});
