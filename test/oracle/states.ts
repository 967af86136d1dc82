/**
 * The state after each committed leader, by plain recomputation (docs/protocol.md, section 7), and its root from the
 * recursive definition of the tree.
 */
import {
  type Address,
  accountLeaf,
  blake3Hex,
  type Genesis,
  type Hash,
  KIND,
  type Payment,
  type PaymentId,
  type Slot,
  type Units,
  unhex,
  ZERO_HASH,
} from '../../ledger/index.ts';
import { sum } from './dag.ts';

/** One account after a commit. */
export interface AccountState {
  readonly balance: number;
  /** Of the last decided payment, else 0. */
  readonly sequence: number;
  /** Its id, else the address. */
  readonly head: Slot;
}

export class State {
  readonly accounts: ReadonlyMap<Address, AccountState>;
  readonly decided: ReadonlySet<PaymentId>;

  constructor(accounts: ReadonlyMap<Address, AccountState>, decided: ReadonlySet<PaymentId>) {
    this.accounts = accounts;
    this.decided = decided;
  }

  static ofGenesis(genesis: Genesis): State {
    const accounts = genesis.allocations.map(
      ({ address, amount }) => [address, { balance: amount, sequence: 0, head: address }] as const,
    );
    return new State(new Map(accounts), new Set());
  }

  account(address: Address): AccountState {
    return this.accounts.get(address) ?? { balance: 0, sequence: 0, head: address };
  }

  /** "Sequence(P) <= the account's sequence." */
  settles(payment: Payment): boolean {
    return payment.sequence <= this.account(payment.account).sequence;
  }

  /** "Its `previous` is its account's head, and the balance can pay." */
  canDecide(payment: Payment): boolean {
    const { balance, head } = this.account(payment.account);
    return payment.previous === head && payment.total <= balance;
  }

  with(payment: Payment): State {
    const accounts = new Map(this.accounts);
    const payer = this.account(payment.account);
    accounts.set(payment.account, {
      balance: payer.balance - payment.total,
      sequence: payment.sequence,
      head: payment.id,
    });
    for (const { to, amount } of payment.transfers) {
      const payee = accounts.get(to) ?? { balance: 0, sequence: 0, head: to };
      accounts.set(to, { ...payee, balance: payee.balance + amount });
    }
    return new State(accounts, new Set([...this.decided, payment.id]));
  }

  supply(): number {
    return sum([...this.accounts.values()].map(({ balance }) => balance));
  }

  /** "Empty: 32 zero bytes. One account: its leaf. Else 07 | network | left | right", by the bits of the address. */
  root(genesis: Genesis): Hash {
    const leaves = [...this.accounts].map(([address, { balance, sequence, head }]) => ({
      bits: bitsOf(address),
      hash: accountLeaf(genesis.network, address, balance as Units, sequence, head),
    }));
    return rootOf(genesis, leaves, 0);
  }
}

interface Leaf {
  readonly bits: string;
  readonly hash: Hash;
}

function rootOf(genesis: Genesis, leaves: readonly Leaf[], depth: number): Hash {
  if (leaves.length === 0) return ZERO_HASH;
  if (leaves.length === 1) return leaves[0]!.hash;
  const [left, right] = ['0', '1'].map((bit) => {
    const side = leaves.filter(({ bits }) => bits[depth] === bit);
    return unhex(rootOf(genesis, side, depth + 1));
  });
  return blake3Hex(Uint8Array.of(KIND.merkleNode), genesis.network, left!, right!);
}

/** Most significant first. */
function bitsOf(address: Address): string {
  return [...unhex(address)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}
