/**
 * Every setting of a node: its shape, its default and what it is good for. Help texts, docs and checks are made from this
 * table. None of these forks the network: limits that do stand in ledger/limits.ts.
 */
import { z } from 'zod';
import { PARENTS_MAX } from '../ledger/index.ts';

/** How a setting's text is read. Paths of a file are relative to that file. */
export type FieldKind = 'text' | 'path' | 'list' | 'integer' | 'number' | 'boolean' | 'choice';

export interface Field<S extends z.ZodType = z.ZodType> {
  readonly kind: FieldKind;
  readonly schema: S;
  /** Undefined: the setting has to be given, or may be absent, as the schema says. */
  readonly default: z.output<S> | undefined;
  /** In words, after "allowed is". */
  readonly allowed: string;
  readonly doc: string;
}

type Texts<D> = { readonly doc: string; readonly default?: D };

function path(texts: Texts<never>): Field<z.ZodString> {
  return { kind: 'path', schema: z.string().min(1), default: undefined, allowed: 'a path', doc: texts.doc };
}

function pathOrNone(texts: Texts<never>): Field<z.ZodOptional<z.ZodString>> {
  return { ...path(texts), schema: z.string().min(1).optional() };
}

function list(
  texts: Texts<readonly string[]> & { allowed: string; each?: RegExp },
): Field<z.ZodArray<z.ZodString>> {
  const schema = z.array(z.string().regex(texts.each ?? /./));
  return {
    kind: 'list',
    schema,
    default: [...(texts.default ?? [])],
    allowed: texts.allowed,
    doc: texts.doc,
  };
}

function integer(texts: {
  doc: string;
  min: number;
  max: number;
  default: number;
  unit: string;
}): Field<z.ZodNumber> {
  const { doc, min, max, unit } = texts;
  const allowed = `a whole number of ${unit} from ${min} to ${max}`;
  return {
    kind: 'integer',
    schema: z.number().int().min(min).max(max),
    default: texts.default,
    allowed,
    doc,
  };
}

function number(texts: { doc: string; min: number; max: number; default: number }): Field<z.ZodNumber> {
  const { doc, min, max } = texts;
  return {
    kind: 'number',
    schema: z.number().min(min).max(max),
    default: texts.default,
    allowed: `a number from ${min} to ${max}`,
    doc,
  };
}

function boolean(texts: { doc: string; default: boolean }): Field<z.ZodBoolean> {
  return {
    kind: 'boolean',
    schema: z.boolean(),
    default: texts.default,
    allowed: 'true or false',
    doc: texts.doc,
  };
}

function choice<const T extends readonly [string, ...string[]]>(
  names: T,
  texts: { doc: string; default: T[number] },
): Field<z.ZodType<T[number]>> {
  const schema = z.enum(names) as unknown as z.ZodType<T[number]>;
  return {
    kind: 'choice',
    schema,
    default: texts.default,
    allowed: `one of ${names.join(', ')}`,
    doc: texts.doc,
  };
}

/** The start of every address of libp2p; the rest is checked by p2p/, which owns their parser. */
const MULTIADDR = /^\/(ip4|ip6|dns|dns4|dns6|dnsaddr)\//;

export const FIELDS = {
  dataDir: path({ doc: 'Folder of this node: its database and its lock. Made when it is missing.' }),
  genesis: path({ doc: 'The genesis.json of the network, as `ravel init` made it.' }),
  listen: list({
    default: ['/ip4/0.0.0.0/tcp/7300'],
    each: MULTIADDR,
    allowed: 'a list of multiaddrs such as /ip4/0.0.0.0/tcp/7300',
    doc: 'Where peers and wallets reach this node. Port 0 takes any free one. An empty list: it only dials.',
  }),
  announce: list({
    each: MULTIADDR,
    allowed: 'a list of multiaddrs such as /dns4/node.example/tcp/7300',
    doc: 'Addresses told to peers instead of those listened on, for a node behind a router.',
  }),
  peers: list({
    each: MULTIADDR,
    allowed: 'a list of multiaddrs such as /ip4/192.0.2.1/tcp/7300/p2p/12D3Koo...',
    doc: 'Peers that the node dials, and dials again whenever they are lost.',
  }),
  mdns: boolean({ default: false, doc: 'Look for peers of the same network on the local network.' }),
  connectionsMax: integer({
    default: 128,
    min: 1,
    max: 10_000,
    unit: 'connections',
    doc: 'Peers and wallets connected at one time; more are turned away.',
  }),
  validatorKey: pathOrNone({
    doc: 'File with the key of a validator, 64 hex digits, readable for its owner alone. Absent: a full node, which checks everything and does not vote.',
  }),
  identityKey: pathOrNone({
    doc: "File with the key of the node's network identity. Absent: identity.key in dataDir, made when it is missing.",
  }),
  roundFloorMs: integer({
    default: 40,
    min: 1,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'The least time between two witnesses while payments are pending. Lower is faster and costs more messages.',
  }),
  roundLingerMs: integer({
    default: 25,
    min: 0,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long a round waits, once a quorum is there, for the witnesses of the others.',
  }),
  idleBeatMs: integer({
    default: 1000,
    min: 1,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'Time between two witnesses while nothing is pending. At least roundFloorMs.',
  }),
  blockLingerMs: integer({
    default: 5,
    min: 0,
    max: 1000,
    unit: 'milliseconds',
    doc: 'The least time between two blocks that are not full: a lone payment leaves at once, those that follow closely gather. A busy network lets them gather for longer.',
  }),
  verifyThreads: integer({
    default: 0,
    min: 0,
    max: 256,
    unit: 'threads',
    doc: 'Threads that check signatures. 0: one for each core beyond the second, at least one.',
  }),
  workThreads: integer({
    default: 1,
    min: 0,
    max: 256,
    unit: 'threads',
    doc: 'Threads that search nonces for wallets that delegate it. 0: such requests are refused.',
  }),
  queuePaymentsMax: integer({
    default: 20_000,
    min: 1,
    max: 1_000_000,
    unit: 'payments',
    doc: 'The most payments of clients that wait for a block. A node keeps fewer, 32 times what it may have under way and at least 1,000; beyond that the least deserving are dropped and their senders told.',
  }),
  queuePaymentsPerAccountMax: integer({
    default: 64,
    min: 1,
    max: 1000,
    unit: 'payments',
    doc: 'Payments of one account waiting for a block.',
  }),
  tipStrategy: choice(['uniform', 'walk'], {
    default: 'uniform',
    doc: 'How a block chooses its parents: uniformly among the recent tips, or by a random walk that prefers weight.',
  }),
  tipAlpha: number({
    default: 0.01,
    min: 0,
    max: 10,
    doc: 'How strongly the walk prefers weight; 0 not at all. Nothing to the uniform strategy.',
  }),
  tipParents: integer({
    default: 3,
    min: 1,
    max: PARENTS_MAX,
    unit: 'parents',
    doc: 'Parents of a block.',
  }),
  logLevel: choice(['debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info',
    doc: 'The least important lines that are written to standard error.',
  }),
  logFormat: choice(['json', 'pretty'], {
    default: 'pretty',
    doc: 'pretty: for people, where standard error is a terminal; elsewhere, and with json, one JSON object a line.',
  }),
} as const satisfies Record<string, Field>;

export type FieldKey = keyof typeof FIELDS;

/** The settings of one node, complete and checked. Paths are absolute. */
export type Config = { readonly [K in FieldKey]: Readonly<z.output<(typeof FIELDS)[K]['schema']>> };
