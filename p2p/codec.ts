/**
 * Messages as msgpack: requests, replies, session messages. Nothing here is hashed or signed.
 *
 * A message is walked over as bytes before msgpackr sees it, because a decoder believes what it reads: six bytes may
 * claim an array of 2^25 entries (V8 then reserves 256 MB), a record extension may define classes for later messages,
 * nesting may end the stack. What passes the walk is small, shallow, free of extensions and used to the last byte.
 */
import { Packr } from 'msgpackr';
import { FRAME_BYTES_MAX } from '../ledger/index.ts';
import { PeersError } from './errors.ts';
import { MESSAGE_DEPTH_MAX, MESSAGE_VALUES_MAX } from './limits.ts';

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  encodeUndefinedAsNil: true,
  copyBuffers: true,
  moreTypes: false,
});

/**
 * The bytes of a message: null, booleans, numbers, text, Uint8Array, arrays and plain objects of them. undefined
 * becomes null. Throws a PeersError `bad_message` for anything else and `message_too_large` beyond one frame.
 */
export function encodeMessage(message: unknown): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = packr.pack(message);
  } catch (cause) {
    throw new PeersError('bad_message', 'this message cannot be packed; send plain data', { cause });
  }
  if (bytes.length > FRAME_BYTES_MAX) {
    throw new PeersError(
      'message_too_large',
      `the message takes ${bytes.length} bytes, a frame holds ${FRAME_BYTES_MAX}; send it in parts`,
    );
  }
  const problem = messageProblem(bytes);
  if (problem !== undefined) {
    throw new PeersError('bad_message', `this message cannot be sent: ${problem}; send plain, shallow data`);
  }
  return bytes;
}

/** The message in at most one frame of bytes, or undefined when it is none. Never throws. */
export function decodeMessage(bytes: Uint8Array): unknown {
  if (messageProblem(bytes) !== undefined) return undefined;
  try {
    // Out of a Buffer msgpackr cuts Buffers, whose `slice` shares memory; callers expect plain arrays.
    return packr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch {
    return undefined;
  }
}

interface Walk {
  readonly bytes: Uint8Array;
  at: number;
  values: number;
}

const TRUNCATED = 'it ends early';

/** What is wrong with the bytes of a message, or undefined. */
export function messageProblem(bytes: Uint8Array): string | undefined {
  const walk: Walk = { bytes, at: 0, values: 0 };
  const problem = walkValue(walk, 0);
  if (problem !== undefined) return problem;
  return walk.at === bytes.length ? undefined : 'bytes follow it';
}

function walkValue(walk: Walk, depth: number): string | undefined {
  if (++walk.values > MESSAGE_VALUES_MAX) return `it has more than ${MESSAGE_VALUES_MAX} values`;
  const token = walk.bytes[walk.at++];
  if (token === undefined) return TRUNCATED;
  if (token <= 0x7f || token >= 0xe0) return undefined; // small integers
  if (token <= 0x8f) return walkMap(walk, token & 0x0f, depth);
  if (token <= 0x9f) return walkArray(walk, token & 0x0f, depth);
  if (token <= 0xbf) return skip(walk, token & 0x1f);
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return undefined;
    case 0xc4: // bin 8, 16, 32
    case 0xd9: // str 8
      return skip(walk, length(walk, 1));
    case 0xc5:
    case 0xda:
      return skip(walk, length(walk, 2));
    case 0xc6:
    case 0xdb:
      return skip(walk, length(walk, 4));
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return skip(walk, 1);
    case 0xcd:
    case 0xd1:
      return skip(walk, 2);
    case 0xca: // float 32
    case 0xce:
    case 0xd2:
      return skip(walk, 4);
    case 0xcb: // float 64: how every number beyond 32 bits travels
      return skip(walk, 8);
    case 0xdc:
      return walkArray(walk, length(walk, 2), depth);
    case 0xde:
      return walkMap(walk, length(walk, 2), depth);
    default: // extensions, 64-bit integers (bigints), 32-bit counts, the unused byte
      return `type 0x${token.toString(16)} is not used here`;
  }
}

function walkArray(walk: Walk, count: number, depth: number): string | undefined {
  if (depth >= MESSAGE_DEPTH_MAX) return `it nests deeper than ${MESSAGE_DEPTH_MAX}`;
  for (let i = 0; i < count; i++) {
    const problem = walkValue(walk, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function walkMap(walk: Walk, count: number, depth: number): string | undefined {
  if (depth >= MESSAGE_DEPTH_MAX) return `it nests deeper than ${MESSAGE_DEPTH_MAX}`;
  for (let i = 0; i < count; i++) {
    const problem = walkKey(walk) ?? walkValue(walk, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Keys are short text, and none that means something to JavaScript. */
function walkKey(walk: Walk): string | undefined {
  const token = walk.bytes[walk.at++];
  if (token === undefined) return TRUNCATED;
  if ((token & 0xe0) !== 0xa0 && token !== 0xd9) return 'a key is no short text';
  const size = token === 0xd9 ? length(walk, 1) : token & 0x1f;
  const start = walk.at;
  const problem = skip(walk, size);
  if (problem !== undefined) return problem;
  return isReserved(walk.bytes, start, size) ? 'a key is reserved' : undefined;
}

const RESERVED = ['__proto__', 'constructor', 'prototype', 'toJSON'].map((word) =>
  new TextEncoder().encode(word),
);

/** Without a view of the key: there is one for each value of a message. */
function isReserved(bytes: Uint8Array, start: number, size: number): boolean {
  for (const word of RESERVED)
    if (word.length === size && word.every((byte, i) => byte === bytes[start + i])) return true;
  return false;
}

/** A big-endian count; past the end it comes out too big to skip. */
function length(walk: Walk, size: 1 | 2 | 4): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (walk.bytes[walk.at + i] ?? 255);
  walk.at += size;
  return value;
}

function skip(walk: Walk, size: number): string | undefined {
  walk.at += size;
  return walk.at > walk.bytes.length ? TRUNCATED : undefined;
}
