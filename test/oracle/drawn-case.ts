/**
 * Cases worked out by hand from docs/protocol.md, section 6. The oracle must find what they expect, and so must the
 * ledger. Four validators of weight 1 unless said otherwise: three are a quorum.
 */
export interface DrawnCase {
  /** The rule, as a test's name. */
  readonly rule: string;
  readonly text: string;
}
