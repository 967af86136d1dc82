import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isRefusal } from '../../ledger/index.ts';
import { decodeMessage, encodeMessage } from '../../p2p/codec.ts';
import { clip, DETAIL_LENGTH_MAX, decodeSessionMessage } from '../../wallet/session-decoder.ts';

const KEY = new Uint8Array(32).fill(7);
const SIGNATURE = new Uint8Array(64).fill(8);
const READING = { seq: 3, meterWh: 12_345_678, ms: 90_000, due: 347, signature: SIGNATURE };

/** One of each, as it is sent. */
const MESSAGES = {
  offer: {
    version: 1,
    session: 'ab'.repeat(16),
    charger: { scheme: 0, publicKey: KEY },
    tariff: { unitsPerKwh: 450, unitsPerMinute: 7, currency: 'microEUR', validUntilMs: 1_700_000_000_000 },
    modes: ['stream', 'settle'],
    unpaidMax: 100,
    creditMax: 20_000,
    stepWh: 250,
    stepMs: 60_000,
    startedAtMs: 1_700_000_000_000,
  },
  accept: { car: { scheme: 0, publicKey: KEY }, mode: 'stream', energyWantedWh: 0, signature: SIGNATURE },
  decline: { detail: 'too dear' },
  resume: { session: 'ab'.repeat(16), signature: SIGNATURE },
  tick: READING,
  end: { ...READING, reason: 'full', detail: 'der Wagen ist voll – 11 kWh' },
  paid: { payment: 'cd'.repeat(32), bytes: new Uint8Array(250), cumulative: 347 },
  counted: { cumulative: 347 },
  stop: { reason: 'stopped_by_car', detail: '' },
} as const;

type Path = readonly (string | number)[];

/** All leaves and branches below a value. */
function paths(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [at];
  return Object.entries(value).flatMap(([key, field]) => {
    const path = [...at, key];
    const nested = paths(field, path);
    return nested.length === 1 && nested[0]!.length === path.length ? nested : [path, ...nested];
  });
}

function changed(value: unknown, path: Path, to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const fields = copy as Record<string | number, unknown>;
  if (rest.length === 0 && to === MISSING) delete fields[key];
  else fields[key] = changed(fields[key], rest, to);
  return copy;
}

const MISSING = Symbol('missing');

/** What no field may be. */
const NONSENSE: readonly unknown[] = [
  MISSING,
  undefined,
  null,
  true,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  -0,
  0.5,
  2 ** 53,
  2 ** 63,
  1e300,
  10n,
  'x'.repeat(10_000),
  'line\nbreak',
  '\u001b[2J',
  '\ud800',
  [],
  {},
  [null],
  { __proto__: null, length: 32 },
  new Uint8Array(0),
  new Uint8Array(60_000),
  new Date(0),
  () => 1,
];

describe('a session message', () => {
  for (const [type, fields] of Object.entries(MESSAGES)) {
    const message = { type, ...fields };

    it(`${type} is read as it was written`, () => {
      const read = decodeSessionMessage(decodeMessage(encodeMessage(message)));
      assert.ok(!isRefusal(read), JSON.stringify(read));
      assert.deepEqual(read, message);
    });

    it(`${type} is refused with nonsense in any field`, () => {
      let tried = 0;
      for (const path of paths(message)) {
        for (const nonsense of NONSENSE) {
          const wrong = changed(message, path, nonsense);
          const read = decodeSessionMessage(wrong);
          const what = `${path.join('.')} = ${String(nonsense === MISSING ? 'missing' : typeof nonsense)}`;
          assert.ok(isRefusal(read) && read.code === 'malformed', what);
          assert.ok(read.what.length < 500, 'a refusal repeats no nonsense at length');
          tried++;
        }
      }
      assert.ok(tried >= 25);
    });

    it(`${type} is refused with a field too many`, () => {
      for (const extra of ['extra', 'constructor', 'toString']) {
        assert.ok(isRefusal(decodeSessionMessage({ ...message, [extra]: 1 })), extra);
      }
    });
  }

  it('has its bounds at the last value that a session allows', () => {
    const rows: readonly (readonly [keyof typeof MESSAGES, Path, number])[] = [
      ['offer', ['tariff', 'unitsPerKwh'], 1_000_000_000],
      ['offer', ['tariff', 'unitsPerMinute'], 10_000_000],
      ['offer', ['unpaidMax'], Number.MAX_SAFE_INTEGER],
      ['offer', ['stepWh'], 5_000_000],
      ['offer', ['stepMs'], 3_600_000],
      ['accept', ['energyWantedWh'], 5_000_000],
      ['tick', ['seq'], 49_999],
      ['tick', ['meterWh'], 1_000_000_000_000],
      ['tick', ['ms'], 604_800_000],
    ];
    for (const [type, path, max] of rows) {
      const message = { type, ...MESSAGES[type] };
      assert.ok(!isRefusal(decodeSessionMessage(changed(message, path, max))), path.join('.'));
      assert.ok(isRefusal(decodeSessionMessage(changed(message, path, max + 1))), path.join('.'));
    }
  });

  it('is a refusal or a message, whatever came', () => {
    const type = fc.constantFrom(...Object.keys(MESSAGES), 'constructor', '__proto__', '');
    const anything = fc.oneof(fc.anything(), fc.record({ type }), fc.dictionary(fc.string(), fc.anything()));
    fc.assert(
      fc.property(anything, (value) => {
        const read = decodeSessionMessage(value);
        assert.ok(isRefusal(read));
      }),
      { seed: 3, numRuns: 3000 },
    );
  });
});

describe('a detail', () => {
  it('can always be sent, whatever it was made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        const detail = clip(text);
        assert.ok(detail.length <= DETAIL_LENGTH_MAX);
        assert.ok(!isRefusal(decodeSessionMessage({ type: 'decline', detail })), JSON.stringify(detail));
      }),
      { seed: 4, numRuns: 2000 },
    );
    assert.equal(clip(`${'a'.repeat(199)}😀`).length, 200);
  });
});
