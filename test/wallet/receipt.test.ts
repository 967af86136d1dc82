import assert from 'node:assert/strict';
import {
  decodeFinalityProof,
  encodeFinalityProof,
  encodePaymentProof,
  type Genesis,
  hex,
  isRefusal,
  makeGenesis,
  sign,
  type Units,
  unhex,
} from '../../ledger/index.ts';
import { recordedEnergy } from '../../wallet/meter.ts';
import { canonicalJson, makeReceipt, type Receipt } from '../../wallet/receipt.ts';
import { verifyReceipt } from '../../wallet/receipt-check.ts';
import { ReadingChain } from '../../wallet/session-chain.ts';
import type { SessionMode } from '../../wallet/session-messages.ts';
import { agreement, receiptStatement, statement } from '../../wallet/session-terms.ts';
import { Play } from './session-play.ts';
import { proofOf, signerOf, testGenesis } from './session-world.ts';

type Json = string | number | boolean | Json[] | { [key: string]: Json };
type Path = readonly (string | number)[];

interface Issued {
  readonly genesis: Genesis;
  readonly car: string;
  readonly charger: string;
}

/** Receipts of 600 Wh in three steps. Work of 12 bits: no other nonce will do by accident. */
async function issue(mode: SessionMode = 'stream', workBits = 12): Promise<Issued> {
  const play = new Play(workBits);
  play.source = recordedEnergy({ wh: 600, durationMs: 90_000, registerWh: 123 });
  const { car, charger } = await play.run({ charger: { modes: [mode] } });
  return { genesis: play.genesis, car: car.receipt!, charger: charger.receipt! };
}

/** Every way to every value, and to every list and object. */
function paths(value: Json, at: Path = []): Path[] {
  if (typeof value !== 'object') return [at];
  const below = Object.entries(value).flatMap(([key, field]) => paths(field, [...at, key]));
  return at.length === 0 ? below : [at, ...below];
}

function edited(value: Json, path: Path, edit: (field: Json) => Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return edit(value) as Json;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    Json
  >;
  const field = edited(copy[key]!, rest, edit);
  if (field === undefined) {
    if (Array.isArray(copy)) copy.splice(Number(key), 1);
    else delete copy[key];
  } else copy[key] = field;
  return copy as Json;
}

/** Another value of the same shape, for each place at which it can differ. */
function others(field: Json): Json[] {
  if (typeof field === 'boolean') return [!field];
  if (typeof field === 'number')
    return [field + 1, field - 1, 0, field * 2].filter((other) => other !== field);
  if (Array.isArray(field)) {
    const swapped = field.length > 1 ? [[...field].reverse()] : [];
    return [[], field.slice(0, -1), field.slice(1), [...field, field.at(-1) ?? {}], ...swapped].filter(
      (other) => JSON.stringify(other) !== JSON.stringify(field),
    );
  }
  if (typeof field === 'object') return [{ ...field, note: 1 }];
  if (field === 'car' || field === 'charger') return [field === 'car' ? 'charger' : 'car'];
  if (field === 'stream' || field === 'settle') return [field === 'stream' ? 'settle' : 'stream'];
  if (!/^[0-9a-f]{16,}$/.test(field))
    return [`${field}x`, 'full', 'silent', ''].filter((other) => other !== field);
  // Of bytes, some at the beginning, in the middle and at the end, and lengths.
  const flip = (at: number) => field.slice(0, at) + (field[at] === '0' ? '1' : '0') + field.slice(at + 1);
  const places = [0, 1, 3, Math.floor(field.length / 3), Math.floor(field.length / 2), field.length - 1];
  return [...places.map(flip), field.slice(2), field.slice(0, -2), `${field}00`];
}

const parse = (text: string) => JSON.parse(text) as Json;

describe('a receipt', () => {
  for (const mode of ['stream', 'settle'] as const) {
    it(`of mode ${mode} proves the session to somebody who has only the genesis`, async () => {
      const { genesis, car, charger } = await issue(mode);
      for (const [holder, text] of Object.entries({ car, charger })) {
        const { ok, problems, summary } = verifyReceipt(genesis, text);
        assert.deepEqual(problems, []);
        assert.ok(ok);
        assert.equal(summary!.holder, holder);
        assert.equal(summary!.charger, signerOf('charger').address);
        assert.equal(summary!.car, signerOf('car').address);
        assert.equal(summary!.energyWh, 600);
        assert.equal(summary!.durationMs, 90_000);
        assert.equal(summary!.unitsDue, 270 + 10);
        assert.equal(summary!.unitsPaid, 280);
        assert.equal(summary!.payments, mode === 'stream' ? 3 : 1);
        assert.equal(summary!.settled, true);
        assert.equal(summary!.acknowledgedSeq, 3);
        assert.equal(summary!.ended.reason, 'full');
      }
    });
  }

  it('is canonical, and may be laid out in any way', async () => {
    const { genesis, car } = await issue();
    const value = parse(car);
    assert.equal(car, canonicalJson(value));
    assert.ok(verifyReceipt(genesis, JSON.stringify(value, null, 2)).ok);
    const turned = Object.fromEntries(Object.entries(value as object).reverse());
    assert.ok(verifyReceipt(genesis, JSON.stringify(turned)).ok);
  });

  for (const holder of ['car', 'charger'] as const) {
    it(`of the ${holder} shows any change of any field`, async () => {
      const issued = await issue();
      const receipt = parse(issued[holder]);
      let tried = 0;
      for (const path of paths(receipt)) {
        const changes: ((field: Json) => Json | undefined)[] = [() => undefined];
        edited(receipt, path, (field) => {
          changes.push(...others(field).map((other) => () => other));
          return field;
        });
        for (const change of changes) {
          const forged = edited(receipt, path, change);
          const { ok, problems } = verifyReceipt(issued.genesis, JSON.stringify(forged));
          assert.ok(!ok && problems.length > 0, `${path.join('.')}: ${JSON.stringify(forged).slice(0, 200)}`);
          tried++;
        }
      }
      assert.ok(tried > 300, `${tried} changes`);
    }).timeout(60_000);
  }

  it('is signed with the other’s word in it, so that even its holder can change next to nothing', async () => {
    const { genesis, car, charger } = await issue();
    for (const [holder, text] of Object.entries({ car, charger })) {
      const { signature: _, ...body } = parse(text) as unknown as Receipt;
      const free: string[] = [];
      for (const path of paths(body as unknown as Json)) {
        edited(body as unknown as Json, path, (field) => {
          for (const other of others(field)) {
            const forged = edited(body as unknown as Json, path, () => other);
            if (resigned(genesis, forged, holder).ok) free.push(path.join('.'));
          }
          return field;
        });
      }
      // What the holder alone vouches for, and payments that the ledger shows anyhow.
      for (const path of new Set(free)) assert.match(path, /^(ended\.(reason|detail|by|atMs))$/, holder);
      assert.ok(free.includes('ended.detail'), 'a receipt that its holder signs again is one');
    }
  }).timeout(60_000);

  it('that leaves out a payment says itself that something is unpaid', async () => {
    const { genesis, charger } = await issue();
    const { signature: _, ...body } = parse(charger) as unknown as Receipt;
    const [first, second] = body.payments;
    const paid = first!.amount + second!.amount;
    const forged = { ...body, payments: [first!, second!], totals: { ...body.totals, paid } };
    const { ok, summary } = resigned(genesis, forged as unknown as Json, 'charger');
    assert.ok(ok);
    assert.equal(summary!.settled, false);
    assert.equal(summary!.unitsPaid, paid);
    assert.equal(summary!.acknowledgedSeq, 2);
  });

  type Forgery = readonly [what: string, sentence: RegExp, forge: (receipt: Receipt) => unknown];
  const FORGERIES: readonly Forgery[] = [
    ['of another network', /it is of network 00/, (r) => ({ ...r, network: '00'.repeat(16) })],
    [
      'with a dearer tariff',
      /the car has not signed these terms/,
      (r) => ({ ...r, tariff: { ...r.tariff, unitsPerKwh: 451 } }),
    ],
    [
      'with a reading raised',
      /reading 3: 800 Wh and 90000 ms cost 370 units, and 280 are asked for/,
      (r) => ({
        ...r,
        readings: r.readings.map((x, i) => (i === 3 ? { ...x, meterWh: x.meterWh + 200 } : x)),
      }),
    ],
    [
      'with a reading and its price raised',
      /the charger has not signed these readings/,
      (r) => ({
        ...r,
        readings: r.readings.map((x, i) => (i === 3 ? { ...x, meterWh: x.meterWh + 200, due: 370 } : x)),
      }),
    ],
    [
      'with a payment twice',
      /payment 1: it stands there twice/,
      (r) => ({ ...r, payments: [r.payments[0], r.payments[0], r.payments[2]] }),
    ],
    [
      'with its payments in another order',
      /payment 1 stands behind one for a later reading/,
      (r) => ({ ...r, payments: r.payments.toReversed() }),
    ],
    [
      'whose last reading is not the last',
      /the charger has not signed these readings/,
      (r) => ({ ...r, final: false }),
    ],
    [
      'with another sum',
      /the payments make 280 units, the total says 281/,
      (r) => ({ ...r, totals: { ...r.totals, paid: 281 } }),
    ],
    ['with another amount', /it pays 117 units, not 118/, (r) => withPayment(r, { amount: 118 })],
    ['with another reading paid for', /it pays for reading 1, not 0/, (r) => withPayment(r, { seq: 0 })],
    [
      'with a proof of another payment',
      /the proof is about/,
      (r) => withPayment(r, { proof: r.payments[1]!.proof }),
    ],
    [
      'with a proof by too few validators',
      /quorum_missing/,
      (r) => {
        const proof = decodeFinalityProof(unhex(r.payments[0]!.proof));
        assert.ok(!isRefusal(proof));
        const few = { ...proof, certificates: proof.certificates.slice(0, 2) };
        return withPayment(r, { proof: hex(encodeFinalityProof(few)) });
      },
    ],
    [
      'with an address that is not the key’s',
      /address of the charger is not that of its key/,
      (r) => ({ ...r, charger: { ...r.charger, address: r.car.address } }),
    ],
  ];
  for (const [what, sentence, forge] of FORGERIES) {
    it(`${what} is told as what it is`, async () => {
      const { genesis, car } = await issue('stream', 2);
      const { signature: _, ...body } = parse(car) as unknown as Receipt;
      const { ok, problems } = resigned(genesis, forge(body as Receipt) as Json, 'car');
      assert.ok(!ok);
      assert.match(problems.join('; '), sentence);
    });
  }

  it('cannot hold the payment of another session, however final it is', async () => {
    const play = new Play(2);
    play.source = recordedEnergy({ wh: 600, durationMs: 90_000, registerWh: 123 });
    const first = await play.run();
    play.source = recordedEnergy({ wh: 600, durationMs: 90_000, registerWh: 123 });
    const second = await play.run();
    const [old] = (parse(first.car.receipt!) as unknown as Receipt).payments;
    const { signature: _, ...body } = parse(second.car.receipt!) as unknown as Receipt;
    const forged = { ...body, payments: [old!, ...body.payments.slice(1)] };
    const { ok, problems } = resigned(play.genesis, forged as unknown as Json, 'car');
    assert.ok(!ok);
    assert.match(problems.join(), /is for session 0101/);
  });

  it('cannot say that more was paid than was due', async () => {
    const play = new Play(2);
    play.source = recordedEnergy({ wh: 600, durationMs: 90_000, registerWh: 123 });
    const { car } = await play.run();
    const { signature: _, ...body } = parse(car.receipt!) as unknown as Receipt;
    const [last] = play.car.made.slice(-1);
    const to = play.charger.address;
    const sent = await play.time.until(play.car.pay([{ to, amount: 1 as Units }], last!.memo));
    const { bytes, proof } = await play.time.until(sent.final);
    const more = {
      id: sent.id,
      seq: 3,
      amount: 1,
      bytes: hex(bytes),
      proof: hex(encodePaymentProof(proof)),
    };
    const totals = { ...body.totals, paid: 281 };
    const forged = { ...body, payments: [...body.payments, more], totals };
    const { problems } = resigned(play.genesis, forged as unknown as Json, 'car');
    assert.deepEqual(problems, ['payment 3 makes 281 units, and at reading 3 280 are due']);
  });

  it('cannot be of a car that charges itself', async () => {
    const genesis = testGenesis();
    const signer = signerOf('car');
    const { scheme, publicKey } = signer;
    const self = { scheme, publicKey };
    const { tariff, unpaidMax, creditMax, stepWh, stepMs } = new Play().chargerOptions();
    const steps = { unpaidMax, creditMax, stepWh, stepMs, startedAtMs: 0, energyWantedWh: 0 };
    const terms = {
      session: '00'.repeat(16),
      charger: self,
      car: self,
      tariff,
      mode: 'stream',
      ...steps,
    } as const;
    const chain = new ReadingChain(genesis.network, terms);
    chain.add({ seq: 0, meterWh: 0, ms: 0, due: 0 as Units });
    const facts = {
      holder: 'car',
      chain,
      carSignature: await signer.sign(agreement(genesis.network, chain.termsHash)),
      chargerSignature: await signer.sign(statement(genesis.network, chain.head, true)),
      final: true,
      payments: [],
      ended: { reason: 'full', by: 'car', detail: '', atMs: 0 },
    } as const;
    const { problems } = verifyReceipt(genesis, await makeReceipt(genesis.network, facts, signer));
    assert.deepEqual(problems, ['car and charger are the same account']);
  });

  it('cannot hold a payment that nobody made final', async () => {
    const play = new Play(2);
    const other = makeGenesis({ ...play.genesis, prefix: 'other' });
    assert.ok(!isRefusal(other));
    const { genesis, car } = await issue('stream', 2);
    const { signature: _, ...body } = parse(car) as unknown as Receipt;
    const id = body.payments[0]!.id as never;
    // The same validators, and another network.
    const proof = hex(encodeFinalityProof(proofOf(other, id)));
    const { problems } = resigned(genesis, withPayment(body as Receipt, { proof }) as Json, 'car');
    assert.match(problems.join(), /wrong_network/);
  });

  it('is nothing at all when it is not one', () => {
    const genesis = testGenesis();
    for (const text of ['', 'null', '[]', '{}', '{"version":2}', '{'.repeat(100_000), '"x"', '1e999']) {
      const { ok, problems, summary } = verifyReceipt(genesis, text);
      assert.equal(ok, false);
      assert.equal(problems.length, 1);
      assert.equal(summary, undefined);
    }
  });
});

/** Checks a receipt that one of the two has signed as it stands. */
function resigned(genesis: Genesis, body: Json, holder: string) {
  const seed = new Uint8Array(32);
  seed.set(new TextEncoder().encode(holder));
  const { network } = genesis;
  const signature = hex(sign(seed, receiptStatement(network, canonicalJson(body))));
  return verifyReceipt(genesis, JSON.stringify({ ...(body as object), signature }));
}

function withPayment(receipt: Receipt, change: object): unknown {
  return { ...receipt, payments: receipt.payments.map((x, i) => (i === 0 ? { ...x, ...change } : x)) };
}
