/** What a third party finds out about a receipt offline, with nothing but the network's genesis. */
import { type Genesis, hex, type PaymentId, type Scheme, unhex, verify } from '../ledger/index.ts';
import { canonicalJson, type Receipt, type ReceiptParty, type ReceiptPayment } from './receipt.ts';
import { parseReceipt } from './receipt-shape.ts';
import { ReadingChain } from './session-chain.ts';
import type { Party, Reading, SessionEnd, SessionMode } from './session-messages.ts';
import {
  addressOfParty,
  agreement,
  checkSessionPayment,
  receiptStatement,
  type SessionTerms,
  statement,
} from './session-terms.ts';
import { verifyClaim } from './verified-payment.ts';

export interface ReceiptSummary {
  readonly session: string;
  readonly holder: 'car' | 'charger';
  readonly charger: string;
  readonly car: string;
  readonly mode: SessionMode;
  readonly currency: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly energyWh: number;
  readonly durationMs: number;
  readonly unitsDue: number;
  readonly unitsPaid: number;
  readonly payments: number;
  /** The charger signed the last reading as final, and it is paid to the unit. */
  readonly settled: boolean;
  /** The latest reading that the car has acknowledged by a payment; undefined when it paid nothing. */
  readonly acknowledgedSeq: number | undefined;
  /** The holder's own view; nobody else vouches for it. */
  readonly ended: SessionEnd;
}

export interface ReceiptVerdict {
  /** Everything that the receipt says, but for `ended`, is proven. It may still say that something is unpaid. */
  readonly ok: boolean;
  readonly problems: readonly string[];
  /** What the receipt says, when it is one at all. To be believed only when `ok`. */
  readonly summary: ReceiptSummary | undefined;
}

/** Problems that are listed; a receipt with more is not worth reading on. */
const PROBLEMS_MAX = 20;

function termsOf(receipt: Receipt): SessionTerms {
  const party = ({ scheme, publicKey }: ReceiptParty): Party => ({
    scheme: scheme as Scheme,
    publicKey: unhex(publicKey),
  });
  const { session, tariff, mode, unpaidMax, creditMax, stepWh, stepMs, energyWantedWh, startedAtMs } =
    receipt;
  const steps = { unpaidMax, creditMax, stepWh, stepMs, energyWantedWh, startedAtMs };
  return {
    session,
    tariff,
    mode,
    charger: party(receipt.charger),
    car: party(receipt.car),
    ...steps,
  } as SessionTerms;
}

class ReceiptCheck {
  readonly #genesis: Genesis;
  readonly #receipt: Receipt;
  readonly #chain: ReadingChain;
  readonly #problems: string[] = [];

  constructor(genesis: Genesis, receipt: Receipt) {
    this.#genesis = genesis;
    this.#receipt = receipt;
    this.#chain = new ReadingChain(genesis.network, termsOf(receipt));
  }

  problems(): readonly string[] {
    this.#parties();
    this.#readings();
    if (this.#problems.length === 0) this.#payments();
    this.#totals();
    return this.#problems;
  }

  #expect(holds: boolean, problem: string): void {
    if (!holds && this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem);
  }

  #signed(party: Party, message: Uint8Array, signature: string): boolean {
    return verify(party.scheme, party.publicKey, message, unhex(signature));
  }

  #parties(): void {
    const receipt = this.#receipt;
    const { network } = this.#genesis;
    const { car, charger } = this.#chain.terms;
    this.#expect(
      receipt.network === hex(network),
      `it is of network ${receipt.network}, not ${hex(network)}`,
    );
    this.#expect(
      receipt.car.address === addressOfParty(car),
      'the address of the car is not that of its key',
    );
    this.#expect(
      receipt.charger.address === addressOfParty(charger),
      'the address of the charger is not that of its key',
    );
    this.#expect(receipt.car.address !== receipt.charger.address, 'car and charger are the same account');
    const terms = agreement(network, this.#chain.termsHash);
    this.#expect(this.#signed(car, terms, receipt.carSignature), 'the car has not signed these terms');
    const { signature, ...body } = receipt;
    const holder = receipt.holder === 'car' ? car : charger;
    const whole = receiptStatement(network, canonicalJson(body));
    this.#expect(this.#signed(holder, whole, signature), `the ${receipt.holder} has not signed this receipt`);
  }

  #readings(): void {
    const { readings, final, chargerSignature } = this.#receipt;
    for (const [seq, reading] of readings.entries()) {
      const next = { seq, ...reading } as Reading;
      const problem = this.#chain.problem(next);
      if (problem !== undefined) {
        this.#expect(false, `reading ${seq}: ${problem.detail}`);
        return;
      }
      this.#chain.add(next);
    }
    const message = statement(this.#genesis.network, this.#chain.head, final);
    const { charger } = this.#chain.terms;
    this.#expect(
      this.#signed(charger, message, chargerSignature),
      'the charger has not signed these readings',
    );
  }

  #payments(): void {
    const seen = new Set<PaymentId>();
    let sum = 0;
    let lastSeq = 0;
    for (const [place, said] of this.#receipt.payments.entries()) {
      const problem = this.#payment(said, seen);
      this.#expect(problem === undefined, `payment ${place}: ${problem}`);
      sum += said.amount;
      this.#expect(said.seq >= lastSeq, `payment ${place} stands behind one for a later reading`);
      lastSeq = said.seq;
      const due = this.#chain.readings[said.seq]?.due ?? 0;
      this.#expect(
        sum <= due,
        `payment ${place} makes ${sum} units, and at reading ${said.seq} ${due} are due`,
      );
    }
  }

  #payment(said: ReceiptPayment, seen: Set<PaymentId>): string | undefined {
    const verdict = verifyClaim(this.#genesis, { payment: unhex(said.bytes), proof: unhex(said.proof) }, 0);
    if ('problem' in verdict) return verdict.problem;
    const { payment } = verdict.verified;
    if (payment.id !== said.id) return `its id is ${payment.id}, not ${said.id}`;
    if (seen.has(payment.id)) return 'it stands there twice';
    seen.add(payment.id);
    const check = checkSessionPayment(payment, this.#chain.terms, this.#chain.heads);
    if ('problem' in check) return check.problem;
    if (check.seq !== said.seq) return `it pays for reading ${check.seq}, not ${said.seq}`;
    if (check.amount !== said.amount) return `it pays ${check.amount} units, not ${said.amount}`;
    return undefined;
  }

  #totals(): void {
    const { totals, payments, readings } = this.#receipt;
    const last = readings.at(-1)!;
    const paid = payments.reduce((sum, { amount }) => sum + amount, 0);
    const wh = last.meterWh - readings[0]!.meterWh;
    this.#expect(totals.wh === wh, `the readings make ${wh} Wh, the total says ${totals.wh}`);
    this.#expect(totals.ms === last.ms, `the readings make ${last.ms} ms, the total says ${totals.ms}`);
    this.#expect(totals.due === last.due, `${last.due} units are due, the total says ${totals.due}`);
    this.#expect(totals.paid === paid, `the payments make ${paid} units, the total says ${totals.paid}`);
  }
}

function summaryOf(receipt: Receipt): ReceiptSummary {
  const { totals, ended, payments } = receipt;
  const { atMs, ...end } = ended;
  return {
    session: receipt.session,
    holder: receipt.holder,
    charger: receipt.charger.address,
    car: receipt.car.address,
    mode: receipt.mode,
    currency: receipt.tariff.currency,
    startedAtMs: receipt.startedAtMs,
    endedAtMs: atMs,
    energyWh: totals.wh,
    durationMs: totals.ms,
    unitsDue: totals.due,
    unitsPaid: totals.paid,
    payments: payments.length,
    settled: receipt.final && totals.paid === totals.due,
    acknowledgedSeq: payments.at(-1)?.seq,
    ended: end,
  };
}

/**
 * Checks a receipt as anybody can: keys and addresses, the car's signature on the terms, the charger's on the readings,
 * the tariff applied to each reading, every payment's signature, work, finality, recipient, session and reading, that
 * none counts twice, the totals, and the holder's signature over all of it.
 *
 * @param text JSON, canonical or not. Never throws.
 */
export function verifyReceipt(genesis: Genesis, text: string): ReceiptVerdict {
  const parsed = parseReceipt(text);
  if ('problem' in parsed) return { ok: false, problems: [parsed.problem], summary: undefined };
  const problems = new ReceiptCheck(genesis, parsed.receipt).problems();
  return { ok: problems.length === 0, problems, summary: summaryOf(parsed.receipt) };
}
