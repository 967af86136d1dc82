/** Code that is wrong on purpose: one exact piece of one source file is replaced while it is loaded. Nothing is written to disk. */
import { registerHooks } from 'node:module';

export interface Mutation {
  /** Relative to the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly before: string;
  readonly after: string;
}

/**
 * From now on this thread loads the file with the piece replaced. To be called before the file is imported.
 * @throws when the file is loaded and the piece does not stand in it exactly once.
 */
export function mutate({ file, before, after }: Mutation): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/${file}`)) return loaded;
      const source = loaded.source === null || loaded.source === undefined ? '' : textOf(loaded.source);
      const count = source.split(before).length - 1;
      if (count !== 1) throw new Error(`${file} has ${count} times: ${before}`);
      return { ...loaded, source: source.replace(before, () => after) };
    },
  });
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}
