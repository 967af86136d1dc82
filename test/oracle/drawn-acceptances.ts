/** Cases about what a validator may accept, and what a witness covers. See drawn-case.ts. */
import type { DrawnCase } from './drawn-case.ts';

/** Full rounds of all four, one line each. */
function rounds(first: number, last: number): string[] {
  const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return numbers.map((round) => `A${round} B${round} C${round} D${round}: *`);
}

export const DRAWN_ACCEPTANCES: readonly DrawnCase[] = [
  {
    rule: 'a correct validator accepts no rival of what it has accepted',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1 p1x
      A1: b1 -p1x
      expect A1 breaks nothing
      B1: b1
      expect B1 breaks p1x:rival_accepted
      C1: b1 -p1 -p1x
      expect C1 breaks p1:acceptable p1x:acceptable
      A2: B1 C1 +p1x
      expect A2 breaks p1x:rival_accepted`,
  },
  {
    rule: 'what is deferred is accepted when the credit that funds it is final in the past of the witness',
    text: `
      fund alice 10
      pay p1: alice -> bob 5
      pay q1: bob -> carol 5
      block b1: genesis | p1 q1
      A1 B1 C1 D1: b1 -q1
      expect A1 accepts p1
      expect A1 breaks nothing
      A2 B2 C2 D2: *
      expect A2 certifies p1
      expect A2 accepts nothing
      expect A2 breaks nothing
      A3 B3 C3: * +q1
      D3: *
      expect A3 accepts q1
      expect A3 breaks nothing
      expect D3 breaks q1:acceptable
      A4 B4 C4: *
      expect A4 certifies q1
      expect final p1 q1
      expect balance bob 0
      expect balance carol 5`,
  },
  {
    rule: 'a credit that is only certified, or final elsewhere, funds nothing yet',
    text: `
      fund alice 10
      pay p1: alice -> bob 5
      pay q1: bob -> carol 5
      block b1: genesis | p1 q1
      A1 B1 C1 D1: b1 -q1
      A2 B2 C2 D2: *
      expect final p1
      A2': * +q1
      expect A2' breaks q1:unfunded
      block b2: A1 B1 | data:nothing
      A3: B2 D2 b2 +q1
      expect A3 breaks nothing`,
  },
  {
    rule: 'one deferred payment of a block does not hold up the others',
    text: `
      fund alice 10, bob 1
      pay p1: alice -> carol 4
      pay q1: bob -> carol 2
      pay p2: alice -> carol 6 after p1
      block b1: genesis | p1 q1 p2
      A1 B1 C1 D1: b1 -q1
      expect C1 accepts p1 p2
      expect C1 breaks nothing
      A2 B2 C2: *
      expect C2 certifies p1 p2
      expect final p1 p2
      expect balance carol 10
      expect balance bob 1`,
  },
  {
    rule: 'debits count along the whole branch',
    text: `
      fund alice 10
      pay p1: alice -> bob 6
      pay p2: alice -> bob 5 after p1
      pay p2x: alice -> bob 4 rival p2
      block b1: genesis | p1 p2
      A1: b1 -p2
      expect A1 breaks nothing
      B1: b1
      expect B1 breaks p2:unfunded
      block b2: b1 | p2x
      C1: b2 -p2
      expect C1 accepts p1 p2x
      expect C1 breaks nothing`,
  },
  {
    rule: 'on a branch whose payment is final the next may be accepted by who accepted its rival',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      pay p2: alice -> bob 6 after p1
      pay p2x: alice -> carol 7 after p1x
      block b1: genesis | p1
      block b1x: genesis | p1x p2x
      A1 B1 C1: b1
      D1: b1x
      expect D1 accepts p1x p2x
      A2 B2 C2: * -p1x -p2x
      expect A2 breaks nothing
      D2: * -p1
      block b3: b1 | p2
      D3: * b3
      expect D3 accepts p2
      expect D3 breaks nothing`,
  },
  {
    rule: 'a payment whose previous is unknown waits, and both may be accepted by one witness',
    text: `
      pay p1: alice -> bob 5
      pay p2: alice -> bob 6 after p1
      block b1: genesis | p1
      block b2: genesis | p2
      A1 B1 C1 D1: b2 -p2
      expect A1 breaks nothing
      A1': b2
      expect A1' breaks p2:previous_not_accepted
      A2 B2 C2 D2: * b1 +p2
      expect A2 accepts p1 p2
      expect A2 breaks nothing
      A3 B3 C3: *
      expect C3 certifies p1 p2
      expect final p1 p2`,
  },
  {
    rule: "a payment on somebody else's payment is void: no certificate whoever accepts it, and nobody's rival",
    text: `
      pay p1: alice -> bob 5
      pay p2: alice -> bob 6 after p1
      pay v1: carol -> bob 7 after p1
      block b1: genesis | p1 v1
      block b2: b1 | p2
      A1 B1 C1 D1: b1
      expect A1 breaks v1:void
      A2 B2 C2 D2: * b2
      expect A2 certifies p1
      expect A2 breaks nothing
      A3 B3 C3: *
      expect A3 certifies p2
      expect final p1 p2`,
  },
  {
    rule: "a payment whose sequence does not follow is void, and nobody's rival",
    text: `
      pay p1: alice -> bob 5
      pay p2: alice -> bob 6 after p1
      pay v2: alice -> carol 7 after p1 seq 4
      block b1: genesis | p1 p2 v2
      A1: b1 -v2
      B1 C1 D1: b1
      expect A1 breaks nothing
      expect D1 breaks v2:void
      A2 B2 C2: *
      expect A2 certifies p1 p2
      expect final p1 p2`,
  },
  {
    rule: 'the same payment in two blocks, with other work, is one payment',
    text: `
      pay p1: alice -> bob 5
      block b1: genesis | p1
      block b2: genesis | p1~9
      A1 B1: b1
      C1: b2
      A2: * b2
      expect A2 accepts nothing
      expect A2 certifies p1
      D1: b1 b2
      B2 C2: *
      expect final p1
      expect balance alice 95`,
  },
  {
    rule: 'a block of more than D rounds ago gives no coverage, its payment in a younger block does',
    text: [
      'pay p1: alice -> bob 5',
      'pay q1: carol -> bob 5',
      'block b0: genesis | p1',
      'A1 B1 C1 D1:',
      ...rounds(2, 60),
      'block b1: b0 A60 | q1',
      ...rounds(61, 64),
      "A64': * b0",
      "expect A64' accepts p1",
      "A65': * self=A64 b1",
      "expect A65' accepts q1",
      'A65 B65 C65 D65: * b1',
      'expect A65 accepts q1',
      'A66 B66 C66 D66: *',
      'block b2: A65 | p1~1',
      'A67 B67 C67 D67: * b2',
      'expect A67 accepts p1',
      'A68 B68 C68 D68: *',
      'expect A68 certifies p1',
      'expect final p1 q1',
    ].join('\n'),
  },
];
