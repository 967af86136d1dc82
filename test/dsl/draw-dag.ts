/**
 * A little language for drawn DAGs. One thing a line, `#` starts a comment, everything is named before it is used:
 *
 *   committee 3 2 2 2 1              weights of the validators A, B, C, ...; without this line A B C D of weight 1
 *   epoch 12                         rounds for which votes count; without this line 1000
 *   fund alice 10, bob 5             what the genesis gives; without such a line every owner who pays has 100
 *   pay p1: alice -> bob 5           alice's first payment
 *   pay p2: alice -> bob 3, carol 2 after p1       her second one, of two transfers
 *   pay p1x: alice -> carol 5 rival p1             spends the slot that p1 spends
 *   pay v1: bob -> carol 1 after p1 seq 7          `seq`: a sequence other than the right one
 *   block b1: genesis | p1 p2 data:hello           parents | payloads, at least one of either
 *   block b2: b1 A1 | p1~7                         the same payment with nonce 7 in its work
 *   A1 C1: b1                        witnesses of round 1 by A and by C over tip b1, each on its own chain
 *   A2: * b2 -p3 +p4 !p1             `*` all witnesses of the round before by others, -defers, +accepts, !freezes the
 *                                    slot of p1; the lists are taken as they are, right or wrong
 *   A2': * b2                        a twin. A primed witness follows the latest one with as many primes, else with fewer
 *   A3: * self=A2'                   or the one that is named; self=genesis starts the chain anew
 *   rounds 4-9: A B C                A4 B4 C4: *, then A5 B5 C5: *, and so on
 *
 * What is expected is said at the place from which on it holds; both the oracle and the ledger are held to it:
 *
 *   expect A2 accepts p1 p2          exactly these (or `nothing`) at this witness
 *   expect A2 certifies nothing      exactly these newly
 *   expect A2 breaks p1:unfunded     oracle alone: what a correct validator would not have said (see correct.ts);
 *                                    slots as !p1
 *   expect A6 checkpoint A3          the leader in its header, or genesis
 *   expect final p1                  exactly these by everything drawn above
 *   expect balance bob 105           by the final payments
 *   expect commits A3 C9             exactly these leaders, oldest first
 *   expect outcome 6 skip            of a leader round: commit, skip, undecided
 *   expect decided p1                exactly these by all commits
 *   expect resolved p1               of them, those that no certificate decided
 *   expect dead p1x p2x              exactly these
 *   expect state alice 95 1 p1       balance, sequence and head after the last commit; the head of no payment: nothing
 */
import type { Block, Payment, PaymentId, Slot, Vertex, VertexId, Witness } from '../../ledger/index.ts';
import { Oracle } from '../oracle/oracle.ts';
import { keysOf, TestNetwork } from './network.ts';

const OF_WITNESS = ['accepts', 'certifies', 'breaks', 'checkpoint'] as const;
const OF_ALL = ['final', 'balance', 'commits', 'outcome', 'decided', 'resolved', 'dead', 'state'] as const;

export interface Expectation {
  readonly kind: 'expectation';
  /** 0 for the first line of the drawing. */
  readonly line: number;
  readonly text: string;
  /** The witness's name; empty for what is expected of everything drawn above. */
  readonly witness: string;
  readonly what: (typeof OF_WITNESS)[number] | (typeof OF_ALL)[number];
  readonly words: readonly string[];
}

/** A vertex or an expectation, in drawn order. */
export type Step = Vertex | Expectation;

export interface Drawing {
  readonly network: TestNetwork;
  /** Knows all drawn vertices. */
  readonly oracle: Oracle;
  readonly steps: readonly Step[];
  readonly vertices: readonly Vertex[];
  payment(name: string): Payment;
  block(name: string): Block;
  witness(name: string): Witness;
}

const WITNESS_NAME = /^([A-Z])(\d+)('*)$/;

interface WitnessName {
  readonly validator: number;
  readonly round: number;
  readonly primes: number;
}

function witnessName(name: string): WitnessName | undefined {
  const match = WITNESS_NAME.exec(name);
  if (match === null) return undefined;
  return { validator: match[1]!.charCodeAt(0) - 65, round: Number(match[2]), primes: match[3]!.length };
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

/** Reads a drawing. Throws an Error that quotes the line on anything that it does not understand. */
export function drawDag(text: string): Drawing {
  const lines = text.split('\n').map((line, i) => ({ line: i, text: line.replace(/#.*/, '').trim() }));
  const texts = lines.map((line) => line.text);
  const epoch = texts.find((line) => line.startsWith('epoch '));
  const reader = new DrawingReader(networkOf(texts), epoch === undefined ? 1000 : Number(words(epoch)[1]));
  for (const { line, text } of lines) {
    try {
      reader.read(line, text);
    } catch (error) {
      throw new Error(`drawn line ${line + 1}: ${text}: ${(error as Error).message}`, { cause: error });
    }
  }
  return reader;
}

function networkOf(lines: readonly string[]): TestNetwork {
  const committee = lines.find((line) => line.startsWith('committee '));
  const weights = committee === undefined ? [1, 1, 1, 1] : words(committee).slice(1).map(Number);
  const funds: Record<string, number> = {};
  for (const line of lines.filter((each) => each.startsWith('fund '))) {
    const list = words(line).slice(1);
    for (let i = 0; i < list.length; i += 2) funds[list[i]!] = Number(list[i + 1]);
  }
  if (Object.keys(funds).length === 0) {
    for (const line of lines) {
      const payer = /^pay \S+: (\S+)/.exec(line)?.[1];
      if (payer !== undefined) funds[payer] = 100;
    }
  }
  if (Object.keys(funds).length === 0) funds.alice = 100;
  return new TestNetwork({ weights, funds, signed: true });
}

class DrawingReader implements Drawing {
  readonly network: TestNetwork;
  readonly oracle: Oracle;
  readonly steps: Step[] = [];
  readonly #payments = new Map<string, Payment>();
  readonly #vertices = new Map<string, Vertex>();

  constructor(network: TestNetwork, epochRounds: number) {
    this.network = network;
    this.oracle = new Oracle(network.genesis, { epochRounds });
  }

  get vertices(): readonly Vertex[] {
    return this.oracle.vertices();
  }

  read(line: number, text: string): void {
    if (text === '' || /^(committee|fund|epoch) /.test(text)) return;
    const pay = /^pay (\w+): (\w+) -> (.*)$/.exec(text);
    const block = /^block (\w+): ([^|]*)\|(.*)$/.exec(text);
    const rounds = /^rounds (\d+)-(\d+):(.*)$/.exec(text);
    if (rounds !== null) this.#readRounds(Number(rounds[1]), Number(rounds[2]), words(rounds[3]!));
    else if (pay !== null) this.#readPayment(pay[1]!, pay[2]!, words(pay[3]!));
    else if (block !== null) this.#readBlock(block[1]!, words(block[2]!), words(block[3]!));
    else if (text.startsWith('expect ')) this.#readExpectation(line, text, words(text).slice(1));
    else this.#readWitnesses(text);
  }

  #readRounds(first: number, last: number, letters: readonly string[]): void {
    for (let round = first; round <= last; round++) {
      for (const letter of letters) this.#readWitness(letter + round, ['*']);
    }
  }

  #readWitnesses(text: string): void {
    const witnesses = /^([^:]+):(.*)$/.exec(text);
    if (witnesses === null) throw new Error('no kind of line that is known');
    for (const name of words(witnesses[1]!)) this.#readWitness(name, words(witnesses[2]!));
  }

  payment(name: string): Payment {
    return found(this.#payments.get(name), `payment ${name}`);
  }

  block(name: string): Block {
    const vertex = this.#vertices.get(name);
    return found(vertex?.kind === 'block' ? vertex : undefined, `block ${name}`);
  }

  witness(name: string): Witness {
    const vertex = this.#vertices.get(name);
    return found(vertex?.kind === 'witness' ? vertex : undefined, `witness ${name}`);
  }

  #name(name: string, vertex: Vertex): void {
    if (this.#vertices.has(name)) throw new Error(`${name} is drawn twice`);
    this.#vertices.set(name, vertex);
    this.oracle.add(vertex);
    this.steps.push(vertex);
  }

  #readPayment(name: string, from: string, rest: readonly string[]): void {
    const { address } = keysOf(from);
    const transfers: { to: string; amount: number }[] = [];
    let previous: Slot = address;
    let sequence = 1;
    for (let i = 0; i < rest.length; i += 2) {
      const [key, value] = [rest[i]!, rest[i + 1] ?? ''];
      if (key === 'after') {
        previous = this.payment(value).id;
        sequence = this.payment(value).sequence + 1;
      } else if (key === 'rival') {
        ({ previous, sequence } = this.payment(value));
      } else if (key === 'seq') {
        sequence = Number(value);
      } else {
        transfers.push({ to: key, amount: Number(value) });
      }
    }
    if (this.#payments.has(name)) throw new Error(`${name} is drawn twice`);
    this.#payments.set(name, this.network.payment({ from, previous, sequence, transfers, name }));
  }

  #readBlock(name: string, parents: readonly string[], payloads: readonly string[]): void {
    const encodings = payloads.map((payload) => {
      if (payload.startsWith('data:')) return this.network.data(payload.slice(5));
      const [payment, nonce] = payload.split('~');
      return this.network.encoding(this.payment(payment!), Number(nonce ?? 0));
    });
    this.#name(
      name,
      this.network.block(
        parents.map((parent) => this.#vertexId(parent)),
        encodings,
      ),
    );
  }

  #vertexId(name: string): VertexId {
    if (name === 'genesis') return this.network.genesis.id;
    return found(this.#vertices.get(name), `vertex ${name}`).id;
  }

  #readWitness(name: string, says: readonly string[]): void {
    const place = found(witnessName(name), "witness names are A1, B12, C3'");
    const witnesses: VertexId[] = [];
    const tips: VertexId[] = [];
    const listed = { '-': [] as PaymentId[], '+': [] as PaymentId[], '!': [] as Slot[] };
    let self = this.#selfOf(place);
    for (const word of says) {
      const sign = word.charAt(0);
      if (sign === '-' || sign === '+') listed[sign].push(this.payment(word.slice(1)).id);
      else if (sign === '!') listed['!'].push(this.payment(word.slice(1)).previous);
      else if (word.startsWith('self=')) self = this.#vertexId(word.slice(5));
      else if (word === '*') witnesses.push(...this.#roundBefore(place));
      else if (witnessName(word) !== undefined) witnesses.push(this.#vertexId(word));
      else tips.push(this.#vertexId(word));
    }
    const ballot = {
      kind: 'witness' as const,
      validator: place.validator,
      round: place.round,
      self,
      witnesses: [...new Set(witnesses)].sort(),
      tips: tips.sort(),
      defers: listed['-'].sort(),
      accepts: listed['+'].sort(),
      freezes: listed['!'].sort(),
    };
    this.#name(name, this.network.witness(this.oracle, ballot, place.primes));
  }

  /** As many primes as possible up to those of the witness itself, then the latest round. */
  #selfOf({ validator, round, primes }: WitnessName): VertexId {
    const before = [...this.#vertices.keys()]
      .map((name) => ({ name, at: witnessName(name) }))
      .filter(({ at }) => at?.validator === validator && at.round < round && at.primes <= primes)
      .sort((a, b) => b.at!.primes - a.at!.primes || b.at!.round - a.at!.round);
    return this.#vertexId(before[0]?.name ?? 'genesis');
  }

  #roundBefore({ validator, round }: WitnessName): VertexId[] {
    return this.oracle
      .witnesses()
      .filter((witness) => witness.round === round - 1 && witness.validator !== validator)
      .map((witness) => witness.id);
  }

  #readExpectation(line: number, text: string, [first, ...rest]: readonly string[]): void {
    const common = { kind: 'expectation' as const, line, text };
    const ofAll = OF_ALL.find((what) => what === first);
    if (ofAll !== undefined) {
      this.steps.push({ ...common, witness: '', what: ofAll, words: rest });
      return;
    }
    const [second, ...list] = rest;
    const what = OF_WITNESS.find((each) => each === second);
    if (what === undefined) throw new Error(`no expectation ${second}`);
    this.witness(first ?? '');
    this.steps.push({ ...common, witness: first!, what, words: list });
  }
}

function found<T>(thing: T | undefined, name: string): T {
  if (thing === undefined) throw new Error(`${name}: not drawn above`);
  return thing;
}
