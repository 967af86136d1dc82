/** Cases about certificates and finality. See drawn-case.ts. */
import type { DrawnCase } from './drawn-case.ts';

export const DRAWN_CERTIFICATES: readonly DrawnCase[] = [
  {
    rule: 'a payment without rivals is final after two rounds',
    text: `
      fund alice 100
      pay p1: alice -> bob 5
      block b1: genesis | p1
      A1 B1 C1 D1: b1
      expect A1 accepts p1
      expect D1 certifies nothing
      A2 B2: *
      expect A2 accepts nothing
      expect A2 certifies p1
      expect final nothing
      expect balance alice 100
      C2: *
      expect final p1
      expect balance alice 95
      expect balance bob 5
      A3: *
      expect A3 certifies nothing
      expect A3 breaks nothing`,
  },
  {
    rule: 'a chain of one account in one block is accepted and certified whole',
    text: `
      fund alice 6
      pay p1: alice -> bob 1
      pay p2: alice -> bob 2 after p1
      pay p3: alice -> bob 3 after p2
      block b1: genesis | p3 p1 p2
      A1 B1 C1: b1
      expect A1 accepts p1 p2 p3
      expect A1 breaks nothing
      A2 B2 C2: *
      expect B2 certifies p1 p2 p3
      expect final p1 p2 p3
      expect balance alice 0`,
  },
  {
    rule: 'rivals that split the committee are both without certificate',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      A1 B1: b1
      C1 D1: b1x
      A2 B2: * -p1x
      C2 D2: * -p1
      expect A2 accepts nothing
      expect A2 breaks nothing
      expect A2 certifies nothing
      A3 B3 C3 D3: *
      expect D3 certifies nothing
      expect final nothing
      expect balance alice 100`,
  },
  {
    rule: 'a validator certifies what a quorum accepts, though it has accepted the rival itself',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      A1 B1 C1: b1
      D1: b1x
      D2: * -p1
      expect D2 certifies p1
      A2 B2: * -p1x
      expect A2 certifies p1
      expect final p1
      expect A2 breaks nothing`,
  },
  {
    rule: 'the certificate of another does not stand for the predecessor',
    text: `
      pay p1: alice -> bob 5
      pay p2: alice -> bob 6 after p1
      block b1: genesis | p1
      block b2: b1 | p2
      A1: b1 !p1
      B1 C1 D1: b1
      B2 C2 D2: * b2
      A2: * b2
      expect A2 certifies nothing
      expect B2 certifies p1
      expect final p1
      B3 C3 D3: *
      A3: *
      expect A3 certifies nothing
      expect B3 certifies p2
      expect final p1 p2
      A4: *
      expect A4 certifies nothing`,
  },
  {
    rule: 'the witness that freezes a slot certifies nothing in it',
    text: `
      pay p1: alice -> bob 5
      pay q1: carol -> bob 5
      block b1: genesis | p1 q1
      A1 B1 C1 D1: b1
      A2: * !p1
      B2 C2: *
      expect A2 certifies q1
      expect B2 certifies p1 q1
      expect final q1`,
  },
  {
    rule: 'a freeze after the certificate binds what descends from the slot',
    text: `
      pay p1: alice -> bob 5
      pay p2: alice -> bob 6 after p1
      block b1: genesis | p1
      block b2: b1 | p2
      A1 B1 C1 D1: b1
      A2 B2 C2 D2: * b2
      expect A2 certifies p1
      A3: * !p1
      expect A3 certifies nothing
      B3 C3 D3: *
      A4: *
      expect A4 certifies nothing
      expect final p1 p2`,
  },
  {
    rule: 'acceptances are counted by author: twins count once',
    text: `
      pay p1: alice -> bob 5
      block b1: genesis | p1
      A1: b1
      B1:
      C1 C1': b1
      A2: B1 C1 C1'
      expect A2 certifies nothing
      D1: b1
      A2': B1 C1 D1
      expect A2' certifies p1`,
  },
  {
    rule: 'certificates are counted by author: twins count once',
    text: `
      pay p1: alice -> bob 5
      block b1: genesis | p1
      A1 B1 C1 D1: b1
      A2 A2' A2'': *
      B2: *
      expect A2' certifies p1
      expect final nothing
      C2: *
      expect final p1`,
  },
  {
    rule: 'an author who accepts both rivals on two chains counts for each, and for at most one certificate',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      A1: b1
      A1': b1x
      B1 D1: b1
      C1: b1x
      B2: A1 A1' C1 D1 -p1x
      C2: A1 A1' B1 D1 -p1
      A2': B1 C1 D1 -p1
      expect B2 certifies p1
      expect C2 certifies p1
      expect A2' accepts nothing
      expect A2' certifies nothing
      D2: A1 A1' B1 C1 -p1x
      expect final p1`,
  },
  {
    rule: 'a fork counts as certifying what either of its chains certifies, and freezes only its own chain',
    text: `
      pay p1: alice -> bob 5
      block b1: genesis | p1
      A1 B1 C1 D1: b1
      A2: * !p1
      A2': *
      B2: *
      expect A2 certifies nothing
      expect A2' certifies p1
      expect final nothing
      C2: *
      expect final p1
      A3: B2 C2 self=A2
      expect A3 certifies nothing`,
  },
  {
    rule: 'two thirds are no quorum, more is',
    text: `
      committee 2 2 1 1
      pay p1: alice -> bob 5
      block b1: genesis | p1
      A1 B1: b1
      C1 D1:
      A2: B1 C1
      expect A2 certifies nothing
      C1': b1
      A2': B1 C1'
      expect A2' certifies p1
      B2: A1 C1'
      expect B2 certifies p1
      expect final nothing
      D2: A1 B1 C1'
      expect final p1`,
  },
  {
    rule: 'weights count, not heads',
    text: `
      committee 3 2 2 2 1
      pay p1: alice -> bob 5
      block b1: genesis | p1
      B1 C1 D1 E1: b1
      A1:
      B2: A1 C1 D1
      expect B2 certifies nothing
      A1': b1
      B2': A1' C1 D1 self=B1
      expect B2' certifies p1
      C2: A1' B1
      expect C2 certifies p1
      E2: A1' B1 C1 D1
      expect final nothing
      D2: A1' B1 C1
      expect final p1`,
  },
];
