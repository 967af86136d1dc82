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

export interface Certificates {
  /** Ascending by id. */
  readonly leaves: readonly PaymentRecord[];
  readonly root: Hash;
}

interface Known extends Certificates {
  /** Of the payments, ascending: what tells the same payments in another order quickly. */
  readonly rows: Uint32Array;
  readonly tree: MerkleTree;
}

export class Proofs {
  readonly #deps: ProofsDeps;
  /**
   * The trees that were asked for last, youngest first. Validators that hear the same certify the same, so that one tree serves
   * most witnesses of a round, and their proofs.
   */
  readonly #known: Known[] = [];

  constructor(deps: ProofsDeps) {
    this.#deps = deps;
  }

  /** Certified payments in ascending order of their ids, and the Merkle root over these, as it stands in a witness header. */
  certificates(certified: readonly PaymentRecord[]): Certificates {
    return this.#of(certified);
  }

  /** Rows of payments may get another meaning. */
  forget(): void {
    this.#known.length = 0;
  }

  #of(certified: readonly PaymentRecord[]): Known {
    const rows = rowsOf(certified);
    const at = this.#known.findIndex((known) => sameRows(known.rows, rows));
    const known = at < 0 ? this.#make(certified, rows) : this.#known.splice(at, 1)[0]!;
    this.#known.unshift(known);
    if (this.#known.length > TREES_PER_VALIDATOR * this.#deps.committee.size) this.#known.pop();
    return known;
  }

  #make(certified: readonly PaymentRecord[], rows: Uint32Array): Known {
    const leaves = [...certified].sort((a, b) => (a.id < b.id ? -1 : 1));
    const tree = new MerkleTree(
      this.#deps.network,
      leaves.map(({ id }) => id),
    );
    return { rows, leaves, tree, root: tree.root };
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
      certificates.push({
        header: witness.header,
        index,
        path: this.#of(witness.certified).tree.path(index),
      });
      weight += this.#deps.committee.weightOf(witness.validator);
      if (weight >= this.#deps.committee.quorum) break;
    }
    return { payment: id, certificates };
  }
}

function rowsOf(payments: readonly PaymentRecord[]): Uint32Array {
  const rows = new Uint32Array(payments.length);
  for (let i = 0; i < rows.length; i++) rows[i] = payments[i]!.row;
  return rows.sort();
}

function sameRows(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((row, i) => row === b[i]);
}
