/**
 * The kernel: BLAKE3 in WebAssembly with SIMD, from AssemblyScript by `npm run build:kernel`. It has one fixed memory and
 * no heap: callers write where these addresses say, call, and read.
 */
export { hash, hashMany } from './hash.ts';
export { search } from './search.ts';
export { CHUNK_BYTES, DIGESTS, DIGESTS_MAX, INPUT, INPUT_BYTES, PREFIX } from './words.ts';
