/** Cases about votes that lapse, and about freezes that come in time. See drawn-case.ts; who leads which round: drawn-decisions.ts. */
import type { DrawnCase } from './drawn-case.ts';

export const DRAWN_LAPSES: readonly DrawnCase[] = [
  {
    rule: 'what was accepted before the horizon counts no more, until it is accepted anew',
    text: `
      epoch 6
      pay p1: alice -> bob 5
      block b1: genesis | p1
      A1 B1: b1
      C1 D1: b1 -p1
      rounds 2-11: A B C D
      expect commits A3 B6 C9
      block b2: A11 | p1~1
      A12 B12: * b2 -p1
      C12 D12: * b2
      expect C12 accepts p1
      C13 D13: *
      expect C13 certifies nothing
      A13: * +p1
      expect A13 accepts p1
      expect A13 certifies p1
      B13: *
      expect B13 certifies nothing
      expect final nothing`,
  },
  {
    rule: 'a freeze before the horizon binds nobody any more',
    text: `
      epoch 6
      fund alice 3, carol 9
      pay p1: alice -> bob 5
      pay q1: carol -> alice 5
      block b1: genesis | p1
      A1 B1 C1 D1: b1 -p1
      A2 B2 C2 D2: * !p1
      rounds 3-11: A B C D
      block b2: A11 | q1 p1~1
      A12 B12 C12 D12: * b2 -p1
      A13 B13 C13 D13: *
      expect A13 certifies q1
      A14 B14 C14 D14: * +p1
      expect A14 breaks nothing
      A15 B15 C15: *
      expect A15 certifies p1
      expect final p1 q1
      expect resolved nothing
      expect balance alice 3`,
  },
  {
    rule: 'a certificate before the horizon decides nothing any more',
    text: `
      epoch 6
      fund alice 3, carol 9
      pay p1: alice -> bob 5
      pay q1: carol -> alice 5
      block b1: genesis | p1
      A1 B1 C1: b1
      D1: b1 -p1
      A2: *
      expect A2 certifies p1
      B2 C2 D2: * !p1
      rounds 3-11: B C D
      expect commits B6 C9
      block b2: B11 | q1
      B12 C12 D12: * b2
      rounds 13-20: B C D
      expect commits B6 C9 D12 B18
      expect decided q1
      expect state alice 8 0 nothing`,
  },
  {
    rule: 'a validator that comes back after its votes have lapsed starts its chain anew',
    text: `
      epoch 6
      fund alice 100
      pay p1: alice -> bob 5
      pay q1: bob -> carol 9
      block b1: genesis | p1 q1
      A1 B1 C1: b1 -p1 -q1
      D1: b1 -q1
      rounds 2-11: A B C
      expect commits A3 B6 C9
      block b2: A11 | p1~1
      A12 B12 C12: * b2
      D12: * self=genesis b2
      expect D12 checkpoint C9
      expect D12 accepts p1
      expect D12 breaks nothing
      A13 B13 D13: *
      expect D13 certifies p1
      expect final p1`,
  },
  {
    rule: 'a correct validator freezes a contested slot when three witnesses of its own have both rivals behind them',
    text: `
      pay p1: alice -> bob 5
      pay p1x: alice -> carol 5 rival p1
      block b1: genesis | p1
      block b1x: genesis | p1x
      A1 B1: b1
      C1 D1: b1x
      A2 B2: * -p1x
      C2 D2: * -p1
      A3: * !p1
      expect A3 breaks !p1:freeze_too_early
      B3 C3 D3: *
      rounds 4-4: A B C D
      A5: * !p1
      expect A5 breaks !p1:freeze_too_soon
      B5: * !p1
      expect B5 breaks nothing
      C5 D5: *
      C6: *
      expect C6 breaks !p1:not_frozen
      D6: * !p1
      expect D6 breaks nothing`,
  },
  {
    rule: 'a correct validator freezes the slot of what it has deferred for half an epoch, and none that is certified',
    text: `
      epoch 8
      fund alice 3, carol 5
      pay p1: alice -> bob 5
      pay q1: carol -> bob 1
      block b1: genesis | p1 q1
      A1 B1 C1 D1: b1 -p1
      A2 B2 C2 D2: *
      A3 C3 D3: *
      B3: * !q1
      expect B3 breaks !q1:freeze_certified
      A4: * !p1
      expect A4 breaks !p1:freeze_too_early
      B4 C4 D4: *
      B5: * !p1
      expect B5 breaks nothing
      C5: *
      expect C5 breaks !p1:not_frozen`,
  },
];
