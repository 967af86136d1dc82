import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hex, hexOf, unhex, unhexInto } from '../../ledger/bytes.ts';
import { kernelHasher } from '../../ledger/hash-kernel.ts';
import { nobleHasher } from '../../ledger/hash-noble.ts';
import * as embedded from '../../ledger/kernel-embedded.ts';
import * as file from '../../ledger/kernel-node.ts';
import { buildKernel } from '../../scripts/build-kernel.ts';
import { hashContract } from '../contracts/hash.contract.ts';

const kernel = kernelHasher();

hashContract('hash-noble.ts', nobleHasher);
// Undefined would mean that this Node runs no WebAssembly with SIMD, which the first test below tells.
hashContract('hash-kernel.ts', kernel!);
hashContract('hash-kernel.ts, whose search looks at five bits itself,', kernelHasher(5)!);

describe('the kernel', () => {
  it('runs on this platform', () => {
    assert.notEqual(kernel, undefined);
  });

  it('is what its sources compile to, byte by byte, as a file and as text', async function () {
    this.timeout(60_000);
    const made = await buildKernel();
    assert.deepEqual([...made.keys()].sort(), ['ledger/kernel-embedded.ts', 'ledger/kernel/kernel.wasm']);
    for (const [name, content] of made) {
      const committed = readFileSync(new URL(`../../${name}`, import.meta.url));
      assert.ok(committed.equals(content), `${name} is not what ledger/kernel/ makes: npm run build:kernel`);
    }
  });

  it('is the same through both sides of its door', () => {
    assert.deepEqual(embedded.kernelBytes(), file.kernelBytes());
  });
});

describe('without WebAssembly or without SIMD', () => {
  const whole = globalThis.WebAssembly;
  afterEach(() => {
    globalThis.WebAssembly = whole;
  });

  it('there is no kernel, and that is no error', () => {
    Reflect.deleteProperty(globalThis, 'WebAssembly');
    assert.equal(kernelHasher(), undefined);
    const { CompileError } = whole;
    const Module = class {
      constructor() {
        throw new CompileError('Wasm SIMD unsupported');
      }
    };
    globalThis.WebAssembly = { ...whole, CompileError, Module } as unknown as typeof WebAssembly;
    assert.equal(kernelHasher(), undefined);
  });

  it('other trouble is told', () => {
    const { CompileError } = whole;
    globalThis.WebAssembly = { CompileError } as typeof WebAssembly;
    assert.throws(() => kernelHasher(), TypeError);
  });
});

describe('hex', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);

  it('is two lower-case digits a byte, for any number of bytes', () => {
    for (const length of [0, 1, 16, 31, 32, 33, 64, 256]) {
      const text = Buffer.from(bytes.subarray(0, length)).toString('hex');
      assert.equal(hex(bytes.subarray(0, length)), text);
      assert.deepEqual(unhex(text), bytes.slice(0, length));
    }
    assert.equal(hexOf(bytes, 200), Buffer.from(bytes.subarray(200, 232)).toString('hex'));
  });

  it('goes into bytes that are there, and touches no others', () => {
    const out = new Uint8Array(40).fill(1);
    unhexInto('00'.repeat(32), out, 4);
    assert.deepEqual(
      out,
      Uint8Array.from({ length: 40 }, (_, i) => (i < 4 || i >= 36 ? 1 : 0)),
    );
  });

  it('is nothing else', () => {
    unhex('ab'.repeat(32));
    const wrong = [
      'a',
      'AB',
      '0g',
      'é0',
      '0é',
      '\u{1f600}',
      '€0',
      `${'ab'.repeat(31)}aé`,
      `${'ab'.repeat(40)}€0`,
      '0\u0000',
    ];
    for (const text of wrong) assert.throws(() => unhex(text), RangeError, text);
  });
});
