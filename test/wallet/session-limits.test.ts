import assert from 'node:assert/strict';
import type { Units } from '../../ledger/index.ts';
import { ReadingChain } from '../../wallet/session-chain.ts';
import { ChargerSession } from '../../wallet/session-charger.ts';
import type { ChargerAction, ChargerMoment } from '../../wallet/session-charger-events.ts';
import { METER_WH_MAX, READINGS_MAX } from '../../wallet/session-decoder.ts';
import { memoryClaims } from '../../wallet/session-ports.ts';
import { agreement } from '../../wallet/session-terms.ts';
import { SESSION_MS_MAX, SESSION_WH_MAX } from '../../wallet/tariff.ts';
import { START_MS } from './session-play.ts';
import { signerOf, testGenesis } from './session-world.ts';

const { network } = testGenesis();
const party = ({ scheme, publicKey }: ReturnType<typeof signerOf>) => ({ scheme, publicKey });

/** A machine of which the car has accepted a free session, and its clock. */
async function begun(registerWh = 0, energyWantedWh = 0) {
  const tariff = { unitsPerKwh: 0, unitsPerMinute: 0, currency: 'unit', validUntilMs: START_MS };
  const offer = { tariff, unpaidMax: 0 as Units, creditMax: 10 as Units, stepWh: 100, stepMs: 1000 };
  const session = '00'.repeat(16);
  const charger = party(signerOf('charger'));
  const car = party(signerOf('car'));
  const waits = { acceptMs: 1, unpaidMs: 1, settleMs: 1, graceMs: 0 };
  const machine = new ChargerSession({
    network,
    charger,
    session,
    offer: { ...offer, modes: ['stream'] },
    ...waits,
    claims: memoryClaims(),
  });
  const at = (ms: number, wh: number, done = false): ChargerMoment => ({
    nowMs: START_MS + ms,
    paceMs: START_MS + ms,
    meterWh: registerWh + wh,
    done,
  });
  machine.step({ type: 'open' }, at(0, 0));
  const mode = 'stream' as const;
  const terms = { session, charger, car, ...offer, mode, energyWantedWh, startedAtMs: START_MS };
  const chain = new ReadingChain(network, terms);
  const signature = await signerOf('car').sign(agreement(network, chain.termsHash));
  const accept = { type: 'accept', car, mode, energyWantedWh, signature } as const;
  const actions = machine.step({ type: 'message', message: accept }, at(0, 0));
  assert.deepEqual(
    actions.map(({ type }) => type),
    ['read', 'deliver'],
  );
  return { machine, sample: (ms: number, wh: number) => machine.step({ type: 'sample' }, at(ms, wh)) };
}

/** The last reading of a session that ended at a limit. */
function endOf(actions: readonly ChargerAction[]) {
  assert.deepEqual(
    actions.map(({ type }) => type),
    ['halt', 'read', 'end'],
  );
  const read = actions[1];
  assert.ok(read?.type === 'read' && read.message.type === 'end');
  assert.equal(read.message.reason, 'limit_reached');
  return read.message;
}

describe('a charger', () => {
  it('ends a session before its readings are more than a receipt holds', async () => {
    const { machine, sample } = await begun();
    let seq = 1;
    let actions = sample(1000, 0);
    for (; actions.length === 1; actions = sample(seq * 1000, 0)) {
      assert.equal(actions[0]!.type, 'read');
      seq++;
    }
    assert.equal(endOf(actions).seq, READINGS_MAX - 1);
    assert.equal(machine.chain!.readings.length, READINGS_MAX);
  });

  it('ends a session at the longest time', async () => {
    const { sample } = await begun();
    assert.equal(sample(SESSION_MS_MAX - 1, 5)[0]!.type, 'read');
    assert.deepEqual(endOf(sample(SESSION_MS_MAX + 9, 5)).ms, SESSION_MS_MAX);
  });

  it('ends a session at the most energy', async () => {
    const { sample } = await begun(77);
    assert.equal(sample(1000, SESSION_WH_MAX - 1)[0]!.type, 'read');
    assert.equal(endOf(sample(2000, SESSION_WH_MAX + 9)).meterWh, 77 + SESSION_WH_MAX);
  });

  it('ends a session at the end of its meter', async () => {
    const { sample } = await begun(METER_WH_MAX - 500);
    const [halt, read] = sample(1000, 501);
    assert.equal(halt!.type, 'halt');
    assert.ok(
      read?.type === 'read' && read.message.type === 'end' && read.message.reason === 'reading_wrong',
    );
    assert.equal(read.message.meterWh, METER_WH_MAX);
  });
});
