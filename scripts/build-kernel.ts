/**
 * `npm run build:kernel`: compiles ledger/kernel/ (AssemblyScript) to kernel.wasm beside its sources, and the same bytes as
 * text to ledger/kernel-embedded.ts for platforms that read no files. The same sources and packages give the same bytes;
 * test/ledger/hash.test.ts holds the two files to the sources.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const ROOT = dirname(import.meta.dirname);
const WASM = 'ledger/kernel/kernel.wasm';
const EMBEDDED = 'ledger/kernel-embedded.ts';

/** 4 pages of 64 KiB, which the addresses in words.ts share out. The compiler has nothing of its own to put there. */
const MEMORY = ['--initialMemory', '4', '--maximumMemory', '4', '--memoryBase', '65536'];
const OPTIONS = ['--enable', 'simd', '-O3', '--noAssert', '--runtime', 'stub', ...MEMORY];

/** What is made: path in the repository to content. Rejects with what the compiler has to say. */
export async function buildKernel(): Promise<ReadonlyMap<string, Uint8Array>> {
  const made = new Map<string, Uint8Array>();
  const { error, stderr } = await main(['ledger/kernel/kernel.ts', '--outFile', WASM, ...OPTIONS], {
    // Imports say `.ts` as everywhere in the repository, and the compiler adds its own.
    readFile: (name) => sourceOf(name.replace(/(\.ts)+$/, '.ts')),
    writeFile: (name, content) => void made.set(name, Buffer.from(content)),
    listFiles: () => [],
  });
  const wasm = made.get(WASM);
  if (error !== null || wasm === undefined) {
    throw new Error(`ledger/kernel does not compile: ${stderr.toString()}`, { cause: error });
  }
  made.set(EMBEDDED, Buffer.from(embedded(Buffer.from(wasm).toString('base64'))));
  return made;
}

function sourceOf(name: string): string | null {
  try {
    return readFileSync(join(ROOT, name), 'utf8');
  } catch {
    // The compiler asks for a file in several places.
    return null;
  }
}

function embedded(base64: string): string {
  return `/** The kernel for platforms that read no files, behind the door \`#kernel\`; made by \`npm run build:kernel\`. */
const BASE64 =
  '${base64}';

/** Bytes of the WebAssembly module. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(BASE64), (character) => character.charCodeAt(0));
}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, content] of await buildKernel()) {
    writeFileSync(join(ROOT, name), content);
    process.stdout.write(`${name}: ${content.length} bytes\n`);
  }
}
