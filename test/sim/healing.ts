/** What may still be open after healing: payments of honest owners, contested slots, states that differ. */
import type { Address, Payment, PaymentId } from '../../ledger/index.ts';
import type { SimNode } from './node.ts';
import type { Owners } from './owners.ts';
import type { Invariant } from './referee.ts';

export type Unfinished = [Invariant, string, PaymentId[]];

export interface Healing {
  readonly nodes: readonly SimNode[];
  readonly owners: Owners;
}

/** "After the network heals, every payment of an honest, funded owner becomes final": here, on every correct node. */
export function stillWaiting({ nodes, owners }: Healing): Unfinished | undefined {
  for (const { name, signed } of owners.honest) {
    for (const { id, account, sequence } of signed) {
      for (const { core, index } of nodes) {
        if (core.ledger.isFinal(id) || core.ledger.decidedOf(account).sequence >= sequence) continue;
        return ['an owner waits for ever', `${name}'s payment ${id} is not final for ${index}`, [id]];
      }
    }
  }
  return undefined;
}

/** "Every contested slot with a payable rival is decided": no account's head has one left that could be paid. */
export function openPayments({ nodes, owners }: Healing): Unfinished | undefined {
  const bySlot = new Map<string, Payment[]>();
  for (const payment of owners.payments.values()) {
    const slot = slotOf(payment.account, payment.previous);
    const rivals = bySlot.get(slot);
    if (rivals === undefined) bySlot.set(slot, [payment]);
    else rivals.push(payment);
  }
  for (const { core, index } of nodes) {
    for (const address of owners.addresses) {
      const { balance, head, sequence } = core.ledger.decidedOf(address);
      const rivals = bySlot.get(slotOf(address, head)) ?? [];
      const payable = rivals.filter(
        (payment) => payment.sequence === sequence + 1 && payment.total <= balance,
      );
      const [first] = payable;
      if (first === undefined) continue;
      const message = `${index} leaves the slot ${head} of ${address} open, which ${payable.length} of ${rivals.length} could spend`;
      return ['a slot stays contested', message, payable.map(({ id }) => id)];
    }
  }
  return undefined;
}

function slotOf(address: Address, previous: string): string {
  return `${address}/${previous}`;
}

/** Nothing is under way: everybody has decided the same. */
export function statesDiffer({ nodes }: Healing): Unfinished | undefined {
  const roots = new Set(nodes.map(({ core }) => core.ledger.lastCommit.root));
  if (roots.size === 1) return undefined;
  return ['states differ after healing', `${roots.size} state roots`, []];
}
