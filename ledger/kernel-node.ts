/** The kernel from its file: what Node gets behind the door `#kernel`. */
import { readFileSync } from 'node:fs';

/** Bytes of the WebAssembly module. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(new URL('./kernel/kernel.wasm', import.meta.url)));
}
