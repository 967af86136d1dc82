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

export class Proofs {
  readonly #deps: ProofsDeps;
  /** Merkle trees of witnesses whose proofs were asked for last. */
  readonly #trees = new Map<number, MerkleTree>();

  constructor(deps: ProofsDeps) {
    this.#deps = deps;
  }

  /** Merkle root over the ids in ascending order, as it stands in a witness header. */
  certifiedRoot(certified: readonly PaymentRecord[]): Hash {
    const ids = ascending(certified).map((payment) => payment.id);
    return new MerkleTree(this.#deps.network, ids).root;
  }

  #tree(witness: WitnessRecord): MerkleTree {
    let tree = this.#trees.get(witness.row);
    if (tree === undefined) {
      const ids = witness.certified.map((payment) => payment.id);
      tree = new MerkleTree(this.#deps.network, ids);
      if (this.#trees.size >= 4 * this.#deps.committee.size)
        this.#trees.delete(this.#trees.keys().next().value as number);
      this.#trees.set(witness.row, tree);
    }
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
      certificates.push({ header: witness.header, index, path: this.#tree(witness).path(index) });
      weight += this.#deps.committee.weightOf(witness.validator);
      if (weight >= this.#deps.committee.quorum) break;
    }
    return { payment: id, certificates };
  }
}

export function ascending(payments: readonly PaymentRecord[]): PaymentRecord[] {
  return [...payments].sort((a, b) => (a.id < b.id ? -1 : 1));
}
