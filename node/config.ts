/**
 * Settings of a node: flags over environment (RAVEL_...) over a JSON file over defaults. Every key and every value that
 * is not understood is refused, all of them in one error, each with the place that it came from and what is allowed.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type Config, FIELDS, type Field, type FieldKey } from './config-fields.ts';

export type { Config } from './config-fields.ts';

/** What a flag, an environment variable or a file can say, before it is checked. */
export interface ConfigSources {
  /** By key in camelCase, as commander has them; `undefined` is a flag that was not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** process.env. Only names that begin with RAVEL_ are looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file's path and its text; absent when none was named. */
  readonly file?: { readonly path: string; readonly text: string } | undefined;
  /** Names beginning with RAVEL_ that are somebody else's. */
  readonly foreignNames?: readonly string[];
}

/** One setting, for help texts and docs. */
export interface ConfigKey {
  readonly key: FieldKey;
  readonly flag: string;
  readonly variable: string;
  readonly kind: Field['kind'];
  /** In words; 'none' or 'required' when there is no default. */
  readonly default: string;
  readonly allowed: string;
  readonly doc: string;
}

/** `config_invalid`: what is wrong, one problem a line. `config_unreadable`: the file cannot be read. */
export class ConfigError extends Error {
  readonly code: 'config_invalid' | 'config_unreadable';
  readonly problems: readonly string[];
  constructor(code: ConfigError['code'], problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
    this.name = 'ConfigError';
    this.code = code;
    this.problems = problems;
  }
}

const PREFIX = 'RAVEL_';
const KEYS = Object.keys(FIELDS) as FieldKey[];

/** roundFloorMs -> round-floor-ms */
function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function variableOf(key: string): string {
  return PREFIX + kebab(key).replaceAll('-', '_').toUpperCase();
}

/** Every setting, in the order of the table. */
export function configKeys(): readonly ConfigKey[] {
  return KEYS.map((key) => {
    const { kind, allowed, doc, schema, default: value } = FIELDS[key] as Field;
    const none = schema.safeParse(undefined).success ? 'none' : 'required';
    const text = Array.isArray(value) ? value.join(',') || 'none' : String(value);
    return {
      key,
      flag: `--${kebab(key)}`,
      variable: variableOf(key),
      kind,
      default: value === undefined ? none : text,
      allowed,
      doc,
    };
  });
}

/** A value with the place that it came from, in words. */
interface Given {
  readonly value: unknown;
  readonly place: string;
  /** Paths are relative to this folder. */
  readonly folder: string;
}

/** Text of a flag or a variable as the value that it means; what it cannot mean stays text and is refused later. */
function fromText({ kind }: Field, text: string): unknown {
  if (kind === 'list')
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  if (kind === 'integer' || kind === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** The least number of characters to insert, delete or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

function unknownKey(place: string, name: string, known: readonly string[]): string {
  const [nearest] = [...known].sort(
    (a, b) => distance(name.toLowerCase(), a.toLowerCase()) - distance(name.toLowerCase(), b.toLowerCase()),
  );
  return `${place}: there is no setting "${name}"; did you mean "${nearest}"?`;
}

type Layer = Map<FieldKey, Given>;

function isKey(name: string): name is FieldKey {
  return Object.hasOwn(FIELDS, name);
}

function flagLayer(flags: ConfigSources['flags'], problems: string[]): Layer {
  const layer: Layer = new Map();
  for (const [name, raw] of Object.entries(flags)) {
    if (raw === undefined) continue;
    const flag = `--${kebab(name)}`;
    if (!isKey(name)) {
      problems.push(
        unknownKey(
          'flags',
          flag,
          KEYS.map((key) => `--${kebab(key)}`),
        ),
      );
      continue;
    }
    const field: Field = FIELDS[name];
    const texts = Array.isArray(raw) && field.kind === 'list' ? raw.join(',') : raw;
    const value = typeof texts === 'string' ? fromText(field, texts) : texts;
    layer.set(name, { value, place: `flag ${flag}`, folder: '' });
  }
  return layer;
}

function environmentLayer({ environment, foreignNames = [] }: ConfigSources, problems: string[]): Layer {
  const layer: Layer = new Map();
  const byVariable = new Map(KEYS.map((key) => [variableOf(key), key]));
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || text === undefined || foreignNames.includes(name)) continue;
    const key = byVariable.get(name);
    if (key === undefined) problems.push(unknownKey('environment', name, [...byVariable.keys()]));
    else
      layer.set(key, {
        value: fromText(FIELDS[key], text),
        place: `environment variable ${name}`,
        folder: '',
      });
  }
  return layer;
}

function fileLayer(file: ConfigSources['file'], problems: string[]): Layer {
  const layer: Layer = new Map();
  if (file === undefined) return layer;
  let settings: unknown;
  try {
    settings = JSON.parse(file.text);
  } catch (error) {
    problems.push(`file ${file.path}: not JSON (${(error as Error).message})`);
    return layer;
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    problems.push(`file ${file.path}: not a JSON object with one setting a key`);
    return layer;
  }
  for (const [name, value] of Object.entries(settings)) {
    if (!isKey(name)) problems.push(unknownKey(`file ${file.path}`, name, KEYS));
    else
      layer.set(name, { value, place: `file ${file.path}, key "${name}"`, folder: path.dirname(file.path) });
  }
  return layer;
}

/** One checked value, or a problem. */
function checked(key: FieldKey, given: Given | undefined, problems: string[]): unknown {
  const field: Field = FIELDS[key];
  const value = given === undefined ? field.default : given.value;
  const result = field.schema.safeParse(value);
  if (!result.success) {
    problems.push(
      given === undefined
        ? `${key} is required: give the flag --${kebab(key)}, the environment variable ${variableOf(key)}, or "${key}" in the file`
        : `${given.place}: ${JSON.stringify(value)} is not allowed; allowed is ${field.allowed}`,
    );
    return undefined;
  }
  if (field.kind === 'path' && given !== undefined) return path.resolve(given.folder, result.data as string);
  return result.data;
}

/**
 * Puts the sources together and checks them. Reads nothing but what it is given.
 * @throws ConfigError config_invalid, with every problem.
 */
export function readConfig(sources: ConfigSources): Config {
  const problems: string[] = [];
  const layers = [
    flagLayer(sources.flags, problems),
    environmentLayer(sources, problems),
    fileLayer(sources.file, problems),
  ];
  const entries = KEYS.map((key) => {
    const given = layers.find((layer) => layer.has(key))?.get(key);
    return [key, checked(key, given, problems)] as const;
  });
  if (problems.length > 0) throw new ConfigError('config_invalid', problems);
  const config = Object.fromEntries(entries) as Config;
  if (config.idleBeatMs < config.roundFloorMs) {
    const problem = `idleBeatMs (${config.idleBeatMs}) is less than roundFloorMs (${config.roundFloorMs}): raise the one or lower the other`;
    throw new ConfigError('config_invalid', [problem]);
  }
  return config;
}

/** readConfig with the file read from disk. @throws ConfigError config_invalid, config_unreadable. */
export async function loadConfig(
  sources: Omit<ConfigSources, 'file'> & { readonly filePath?: string | undefined },
): Promise<Config> {
  const { filePath, ...rest } = sources;
  if (filePath === undefined) return readConfig(rest);
  let text: string;
  try {
    text = await readFile(filePath, 'utf8');
  } catch (error) {
    const problem = `file ${filePath} cannot be read (${(error as Error).message}): check the path and the rights`;
    throw new ConfigError('config_unreadable', [problem], { cause: error });
  }
  return readConfig({ ...rest, file: { path: filePath, text } });
}

/**
 * Threads of the verify pool: the setting, or for 0 one for each core beyond network and ledger thread. More than there are
 * cores for only make tasks smaller and wake-ups more: two threads instead of one cost validators on two cores 12 to 19 % more.
 */
export function verifyThreadsOf(config: Config): number {
  return config.verifyThreads > 0 ? config.verifyThreads : Math.max(1, availableParallelism() - 2);
}
