/**
 * BLAKE3 by the kernel (ledger/kernel/), which is WebAssembly with SIMD. Messages are written straight into its memory and
 * digests read from it. test/contracts/hash.contract.ts holds it to noble.
 */
import { kernelBytes } from '#kernel';
import { hexOf } from './bytes.ts';
import { nobleHasher } from './hash-noble.ts';
import { type Hasher, leadingZeroBits } from './hasher.ts';
import { HASH_BYTES } from './limits.ts';

/** What kernel/kernel.ts exports. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly DIGESTS: WebAssembly.Global;
  readonly DIGESTS_MAX: WebAssembly.Global;
  readonly INPUT: WebAssembly.Global;
  readonly INPUT_BYTES: WebAssembly.Global;
  readonly PREFIX: WebAssembly.Global;
  hash(length: number): void;
  hashMany(prefix: number, item: number, count: number): void;
  search(low: number, high: number, tries: number, mask: number): number;
}

/** Tries in one call, 2 ms: WebAssembly that is running is not replaced by its optimised form before it returns. */
const CALL_TRIES = 1 << 16;

const WORD_BITS = 32;

/**
 * The hasher, or undefined where the platform has no WebAssembly with SIMD or does not let it run.
 * @param looksAt Leading zero bits that the kernel's search looks at itself, 0 to 32, those of a digest's first word; what lies
 * beyond is looked at here. Fewer are for tests, which find no 33.
 */
export function kernelHasher(looksAt = WORD_BITS): Hasher | undefined {
  const kernel = startKernel();
  return kernel === undefined ? undefined : new KernelHasher(kernel, looksAt);
}

function startKernel(): Kernel | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(kernelBytes()));
    return exports as unknown as Kernel;
  } catch (error) {
    // Some browsers compile nothing of this size on their main thread, which is a RangeError.
    if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return undefined;
    throw error;
  }
}

class KernelHasher implements Hasher {
  readonly #kernel: Kernel;
  readonly #memory: Uint8Array;
  readonly #digests: number;
  readonly #input: number;
  readonly #inputBytes: number;
  readonly #looksAt: number;

  constructor(kernel: Kernel, looksAt: number) {
    this.#kernel = kernel;
    this.#looksAt = looksAt;
    this.#memory = new Uint8Array(kernel.memory.buffer);
    this.#digests = kernel.DIGESTS.value;
    this.#input = kernel.INPUT.value;
    this.#inputBytes = kernel.INPUT_BYTES.value;
  }

  hash(parts: readonly Uint8Array[], out: Uint8Array, at: number): void {
    if (!this.#digest(parts)) nobleHasher.hash(parts, out, at);
    else for (let i = 0; i < HASH_BYTES; i++) out[at + i] = this.#memory[this.#digests + i]!;
  }

  hex(parts: readonly Uint8Array[]): string {
    return this.#digest(parts) ? hexOf(this.#memory, this.#digests) : nobleHasher.hex(parts);
  }

  hashMany(prefix: Uint8Array, items: Uint8Array, itemBytes: number, out: Uint8Array): void {
    const kernel = this.#kernel;
    this.#memory.set(prefix, kernel.PREFIX.value);
    const countMax = Math.min(kernel.DIGESTS_MAX.value, Math.floor(this.#inputBytes / itemBytes));
    const count = items.length / itemBytes;
    for (let done = 0; done < count; done += countMax) {
      const now = Math.min(countMax, count - done);
      this.#memory.set(items.subarray(done * itemBytes, (done + now) * itemBytes), this.#input);
      kernel.hashMany(prefix.length, itemBytes, now);
      const digests = this.#memory.subarray(this.#digests, this.#digests + now * HASH_BYTES);
      out.set(digests, done * HASH_BYTES);
    }
  }

  search(seed: Uint8Array, bits: number, low: number, high: number, tries: number): number {
    const mask = maskOf(Math.min(bits, this.#looksAt));
    this.#memory.set(seed, this.#input);
    for (let done = 0; done < tries; ) {
      const calls = Math.min(tries - done, CALL_TRIES);
      const before = this.#kernel.search(low + done, high, (calls + 3) & ~3, mask);
      const found = before !== -1 && before < calls;
      if (found && (bits <= this.#looksAt || this.#workOf(seed, low + done + before, high) >= bits)) {
        return done + before;
      }
      done += found ? before + 1 : calls;
    }
    return -1;
  }

  /** Leaves the digest in the kernel's memory; false when the message is too long for it. */
  #digest(parts: readonly Uint8Array[]): boolean {
    let length = 0;
    for (const part of parts) {
      if (length + part.length > this.#inputBytes) return false;
      this.#memory.set(part, this.#input + length);
      length += part.length;
    }
    this.#kernel.hash(length);
    return true;
  }

  /** All leading zero bits; the seed is at the beginning of the input again when it returns. */
  #workOf(seed: Uint8Array, low: number, high: number): number {
    const nonce = new Uint8Array(new Uint32Array([low, high]).buffer);
    this.#digest([seed, nonce]);
    return leadingZeroBits(this.#memory, this.#digests);
  }
}

/** What a digest's first word, read little-endian, has none of when it begins with so many zero bits (0 to 32). */
function maskOf(bits: number): number {
  const mask = bits === 0 ? 0 : -1 << (WORD_BITS - bits);
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setInt32(0, mask);
  return bytes.getInt32(0, true);
}
