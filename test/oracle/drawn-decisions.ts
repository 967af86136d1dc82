/**
 * Cases about what commits decide. See drawn-case.ts. A leads rounds 3 and 15, B 6 and 18, C 9 and
 * 21, D 12; with five validators D 12 and E 15.
 */
import type { DrawnCase } from './drawn-case.ts';

export const DRAWN_DECISIONS: readonly DrawnCase[] = [
  {
    rule: 'a rival that a quorum froze is decided by the most accepted weight',
    text: `
      committee 3 2 2 2 1
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 6 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      B1 C1: b1
      A1 D1: b1x
      E1:
      A2 D2 E2: * b1 b1x -p1
      B2 C2: * b1 b1x -p1x
      rounds 3-4: A B C D E
      A5 B5 C5 D5 E5: * !p1
      expect A5 breaks nothing
      rounds 6-8: A B C D E
      expect commits A3 B6
      expect decided p1x
      expect resolved p1x
      expect dead p1
      expect final p1x
      expect state alice 94 1 p1x
      expect state carol 6 0 nothing
      expect balance carol 6`,
  },
  {
    rule: 'of rivals with equal weight the least id is decided',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 6 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      A1 B1: b1
      C1 D1: b1x
      A2 B2: * -p1x
      C2 D2: * -p1
      rounds 3-4: A B C D
      A5 B5 C5 D5: * !p1
      expect A5 breaks nothing
      rounds 6-8: A B C D
      expect resolved p1x  # its id is the lesser one
      expect dead p1`,
  },
  {
    rule: 'a slot that less than a quorum froze stays open',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      A1 B1: b1
      C1 D1: b1x
      A2 B2: * -p1x
      C2 D2: * -p1
      rounds 3-4: A B C D
      A5 B5: * !p1
      C5 D5: *
      rounds 6-7: A B C D
      A8 B8 D8: *
      C8: * !p1
      expect commits A3 B6
      expect decided nothing
      rounds 9-11: A B C D
      expect commits A3 B6 C9
      expect resolved p1  # its id is the lesser one`,
  },
  {
    rule: 'a rival that the decided balance cannot pay is passed over',
    text: `
      fund alice 10
      pay p1: alice -> bob 11
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1 p1x
      A1 B1: b1 -p1x
      C1: b1 -p1
      D1: b1 -p1 -p1x
      expect A1 breaks p1:unfunded
      A2 B2 C2 D2: * !p1
      rounds 3-5: A B C D
      expect commits A3
      expect resolved p1x
      expect dead p1
      expect state alice 5 1 p1x`,
  },
  {
    rule: 'a frozen slot without a payable rival waits for money',
    text: `
      fund alice 10, carol 7
      pay p1: alice -> bob 11
      pay p1x: alice -> carol 12 rival p1
      pay q1: carol -> alice 1
      block b1: genesis | p1 p1x
      block b2: genesis | q1
      A1 B1 C1 D1: b1 -p1 -p1x
      A2 B2 C2 D2: * !p1
      rounds 3-5: A B C D
      expect decided nothing
      A6 B6 C6 D6: * b2
      rounds 7-8: A B C D
      expect commits A3 B6
      expect decided nothing
      rounds 9-11: A B C D
      expect decided p1 q1
      expect resolved p1
      expect dead p1x
      expect state alice 0 1 p1`,
  },
  {
    rule: 'what a resolved slot pays for is decided in the same commit: by its certificate',
    text: `
      committee 3 2 2 2 1
      fund alice 10
      pay p1: alice -> carol 5
      pay p1x: alice -> bob 6 rival p1
      pay q1: bob -> dave 5
      block b1: genesis | p1
      block b1x: genesis | p1x
      block b2: genesis | q1
      B1 C1: b1 b2
      A1 D1: b1x b2
      E1: b2
      expect E1 breaks q1:unfunded
      A2 D2: * -p1
      E2: * -p1 !q1
      B2 C2: * -p1x !q1
      expect A2 certifies q1
      rounds 3-4: A B C D E
      expect final nothing
      A5 B5 C5 D5 E5: * !p1
      rounds 6-8: A B C D E
      expect commits A3 B6
      expect decided p1x q1
      expect resolved p1x
      expect state bob 1 1 q1`,
  },
  {
    rule: 'what a resolved slot pays for is decided in the same commit: by a freeze, of an account with a lesser address too',
    text: `
      fund carol 10
      pay p1: carol -> alice 6
      pay p1x: carol -> alice 7 rival p1
      pay a1: alice -> dave 5
      block b1: genesis | p1 a1
      block b1x: genesis | p1x a1
      A1 B1: b1 -a1
      C1 D1: b1x -a1
      A2 B2: * -p1x
      C2 D2: * -p1
      rounds 3-4: A B C D
      A5 B5 C5 D5: * !p1 !a1
      rounds 6-8: A B C D
      expect commits A3 B6
      expect decided p1x a1
      expect resolved p1x a1  # its id is less than that of p1
      expect state alice 2 1 a1`,
  },
  {
    rule: 'a certificate beats the freeze of a quorum in the same commit',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1 p1x
      A1 B1 C1: b1 -p1x
      D1: b1 -p1
      A2 B2 C2: * !p1
      D2: *
      expect D2 certifies p1
      expect B2 certifies nothing
      rounds 3-5: A B C D
      expect commits A3
      expect final p1
      expect decided p1
      expect resolved nothing
      expect dead p1x`,
  },
  {
    rule: 'what is built on a dead payment is dead, and what is built on the winner goes on',
    text: `
      committee 3 2 2 2 1
      fund alice 20
      pay p1: alice -> bob 5
      pay p2: alice -> bob 1 after p1
      pay p1x: alice -> carol 5 rival p1
      pay p2x: alice -> carol 1 after p1x
      pay p3x: alice -> carol 1 after p2x
      pay v1: dave -> bob 1 after p1
      block b1: genesis | p1 p2 p1x p2x p3x v1
      B1 C1: b1 -p1x -p2x -p3x -v1
      A1 D1: b1 -p1 -p2 -v1
      E1: b1 -p1 -p2 -p1x -p2x -p3x -v1
      rounds 2-3: A B C D E
      A4 B4 C4: * !p1
      D4 E4: *
      rounds 5-5: A B C D E
      expect commits A3
      expect dead nothing
      rounds 6-8: A B C D E
      expect resolved p1x
      expect dead p1 p2
      A9 D9: *
      B9 C9 E9: * +p2x
      expect B9 breaks p3x:acceptable
      expect C9 certifies p2x
      expect B9 certifies p2x
      expect decided p1x
      rounds 10-11: A B C D E
      expect commits A3 B6 C9
      expect decided p1x p2x
      expect resolved p1x
      expect state alice 14 2 p2x`,
  },
  {
    rule: 'nothing is accepted on top of a payment that has lost its slot, even by those who had accepted that',
    text: `
      committee 3 2 2 2 1
      fund alice 20
      pay p1: alice -> bob 5
      pay p2: alice -> bob 1 after p1
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1 p1x
      block b2: genesis | p2
      B1 C1: b1 -p1x
      A1 D1 E1: b1 -p1
      rounds 2-3: A B C D E
      A4 B4 C4: * !p1
      D4 E4: *
      rounds 5-8: A B C D E
      expect resolved p1x
      B9: * b2
      expect B9 breaks p2:slot_decided
      C9: * b2 -p2
      expect C9 breaks nothing`,
  },
  {
    rule: 'on a slot that is decided for a rival nothing is certified any more',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      A1 B1 C1 D1: b1
      rounds 2-5: A B C D
      expect decided p1
      A6 B6 C6 D6: * b1x
      expect A6 accepts nothing
      expect A6 breaks nothing
      rounds 7-7: A B C D
      expect A7 certifies nothing
      expect dead p1x`,
  },
  {
    rule: 'a rival of a decided payment gets no certificate, however many accept it afterwards',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 6 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      A1 B1: b1
      C1 D1: b1x
      A2 B2: * -p1x
      C2 D2: * -p1
      rounds 3-4: A B C D
      A5 B5 C5: * !p1
      D5: *
      rounds 6-8: A B C D
      expect resolved p1x
      A9 B9 D9: *
      C9: * +p1
      expect C9 breaks p1:rival_accepted
      A10 B10 C10 D10: *
      expect D10 certifies nothing
      expect final p1x`,
  },
];
