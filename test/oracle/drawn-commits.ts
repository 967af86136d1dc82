/** Cases about leaders and commits. See drawn-case.ts. A leads rounds 3 and 15, B 6 and 18, C 9 and 21, D 12. */
import type { DrawnCase } from './drawn-case.ts';

export const DRAWN_COMMITS: readonly DrawnCase[] = [
  {
    rule: 'a leader is committed when a quorum has ratified it, and a payment with a certificate is decided',
    text: `
      pay p1: alice -> bob 5
      block b1: genesis | p1
      A1 B1 C1 D1: b1
      rounds 2-4: A B C D
      A5 B5: *
      expect commits nothing
      expect outcome 3 undecided
      expect state alice 100 0 nothing
      C5: *
      expect commits A3
      expect outcome 3 commit
      expect outcome 6 undecided
      expect decided p1
      expect resolved nothing
      expect state alice 95 1 p1
      expect state bob 5 0 nothing
      D5: *
      A6: *
      expect A5 checkpoint genesis
      expect A6 checkpoint A3`,
  },
  {
    rule: 'a commit decides from the past of its leader alone',
    text: `
      pay p1: alice -> bob 5
      block b1: genesis | p1
      A1 B1 C1 D1:
      A2: *
      B2 C2 D2: * b1
      A3: B2 C2 -p1
      B3 C3 D3: *
      expect A3 certifies nothing
      expect final p1
      rounds 4-5: A B C D
      expect commits A3
      expect decided nothing
      expect state alice 100 0 nothing
      expect balance alice 95
      rounds 6-8: A B C D
      expect commits A3 B6
      expect decided p1`,
  },
  {
    rule: 'a leader that too few ratified directly is committed by a later one with a ratifier in its past',
    text: `
      A1 B1 C1 D1:
      rounds 2-3: A B C D
      A4 B4 C4: *
      D4: B3 C3
      A5 B5: *
      C5: A4 D4
      D5: A4 C4
      expect commits nothing
      A6 B6 C6 D6: *
      expect B6 checkpoint genesis
      rounds 7-8: A B C D
      expect commits A3 B6
      expect outcome 3 commit
      A9: *
      expect A9 checkpoint B6`,
  },
  {
    rule: 'a leader that nobody has ratified in the past of a later one is skipped',
    text: `
      A1 B1 C1 D1:
      rounds 2-3: A B C D
      A4: *
      B4: C3 D3
      C4: B3 D3
      D4: B3 C3
      rounds 5-7: A B C D
      expect outcome 3 undecided
      rounds 8-8: A B C
      expect commits B6
      expect outcome 3 skip
      A9: *
      expect A9 checkpoint B6`,
  },
  {
    rule: 'of twins of a leader each seen by half none is committed',
    text: `
      A1 B1 C1 D1:
      rounds 2-2: A B C D
      A3 A3': B2 C2 D2
      B3 C3 D3: *
      B4: A3 C3 D3
      C4: A3' B3 D3
      D4: A3' B3 C3
      A4: B3 C3 D3
      rounds 5-8: B C D
      expect commits B6
      expect outcome 3 skip`,
  },
  {
    rule: 'of twins of a leader exactly the one is committed that a quorum saw alone',
    text: `
      A1 B1 C1 D1:
      rounds 2-2: A B C D
      A3 A3': B2 C2 D2
      B3 C3 D3: *
      A4: B3 C3 D3
      B4: A3 C3 D3
      C4: A3 B3 D3
      D4: A3' B3 C3
      B5 C5: *
      expect commits nothing
      D5: *
      expect commits A3
      rounds 6-8: B C D
      expect B6 checkpoint A3
      expect commits A3 B6
      expect outcome 3 commit`,
  },
  {
    rule: 'who has both twins of a leader in its past supports neither',
    text: `
      A1 B1 C1 D1:
      rounds 2-2: A B C D
      A3 A3': B2 C2 D2
      B3 C3 D3: *
      B4: A3 C3 D3
      C4: A3 A3' B3 D3
      D4: A3 B3 C3
      rounds 5-5: B C D
      expect commits nothing
      A4: B3 C3 D3
      B5': A4 C4 D4
      C5': A4 B4 D4
      D5': A4 B4 C4
      expect commits A3`,
  },
  {
    rule: 'supporters are counted by author: twins of a supporter count once',
    text: `
      A1 B1 C1 D1:
      rounds 2-3: A B C D
      A4: B3 C3 D3 self=A2
      B4 B4': A3 C3 D3
      C4: A3 B3 D3
      D4: B3 C3
      A5: B4 B4' C4 D4
      C5: A4 B4 B4' D4
      D5: A4 B4 B4' C4
      expect commits nothing
      D4': A3 B3 C3
      A5': B4 C4 D4'
      C5': A4 B4 D4'
      expect commits nothing
      D5': A4 B4 C4
      expect commits A3`,
  },
  {
    rule: 'ratifiers are counted by author: twins of a ratifier count once',
    text: `
      A1 B1 C1 D1:
      rounds 2-4: A B C D
      A5: *
      B5 B5': *
      expect commits nothing
      C5: *
      expect commits A3`,
  },
  {
    rule: 'with no more than two thirds of the weight nothing is committed',
    text: `
      committee 2 2 1 1
      A1 B1 C1 D1:
      rounds 2-4: A B C D
      A5 B5: *
      expect commits nothing
      C5: *
      expect commits A3`,
  },
];
