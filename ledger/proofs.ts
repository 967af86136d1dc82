/** Certificates of witnesses, as Merkle trees under the roots in their headers, and the proofs of finality that they make. */
import type { PaymentRecord } from './account.ts';
import type { Accounts } from './accounts.ts';
import type { Committee } from './committee.ts';
import { MerkleTree } from './merkle.ts';
import type { FinalityProof } from './proof.ts';
import type { Tangle, WitnessRecord } from './tangle.ts';
import type { Hash, NetworkId, PaymentId } from './types.ts';

export interface ProofsDeps {
  readonly network: NetworkId;
  readonly tangle: Tangle;
  readonly accounts: Accounts;
  readonly committee: Committee;
}

/** A few rounds of witnesses that all certify something else. */
const TREES_PER_VALIDATOR = 4;

export class Proofs {
  readonly #deps: ProofsDeps;
  /**
   * The trees that were asked for last, youngest first. Validators that hear the same certify the same, so that one tree serves
   * most witnesses of a round, and their proofs.
   */
  readonly #trees: { readonly leaves: readonly PaymentRecord[]; readonly tree: MerkleTree }[] = [];

  constructor(deps: ProofsDeps) {
    this.#deps = deps;
  }

  /** Merkle root over the ids in ascending order, as it stands in a witness header. */
  certifiedRoot(certified: readonly PaymentRecord[]): Hash {
    return this.#tree(ascending(certified)).root;
  }

  /** @param leaves Ascending by id. */
  #tree(leaves: readonly PaymentRecord[]): MerkleTree {
    const at = this.#trees.findIndex(
      (known) =>
        known.leaves.length === leaves.length && known.leaves.every((payment, i) => payment === leaves[i]),
    );
    const [known] = at < 0 ? [] : this.#trees.splice(at, 1);
    const ids = known === undefined ? leaves.map(({ id }) => id) : [];
    const tree = known?.tree ?? new MerkleTree(this.#deps.network, ids);
    this.#trees.unshift({ leaves, tree });
    if (this.#trees.length > TREES_PER_VALIDATOR * this.#deps.committee.size) this.#trees.pop();
    return tree;
  }

  /** Headers and Merkle paths of validators of weight >= q that certify a payment; undefined while it is not final. */
  proof(id: PaymentId): FinalityProof | undefined {
    const payment = this.#deps.accounts.get(id);
    // Decided between rivals, it may have no certificates; the balance proof of the account stands for it then.
    if (!payment?.final || payment.certifyWeight < this.#deps.committee.quorum) return undefined;
    const certificates: FinalityProof['certificates'][number][] = [];
    let weight = 0;
    for (const row of payment.certifiers) {
      // Forgotten: the balance proof of the account stands for it now.
      if (row < this.#deps.tangle.base) return undefined;
      const witness = this.#deps.tangle.record(row) as WitnessRecord;
      const index = witness.certified.indexOf(payment);
      certificates.push({ header: witness.header, index, path: this.#tree(witness.certified).path(index) });
      weight += this.#deps.committee.weightOf(witness.validator);
      if (weight >= this.#deps.committee.quorum) break;
    }
    return { payment: id, certificates };
  }
}

export function ascending(payments: readonly PaymentRecord[]): PaymentRecord[] {
  return [...payments].sort((a, b) => (a.id < b.id ? -1 : 1));
}
