import type { HistoryRecord, WalletState, WalletStore } from '../../wallet/wallet-store.ts';

/** A disk in memory. A client that is thrown away and a new one on the same store are a crash and a restart. */
export class MemoryStore implements WalletStore {
  state: WalletState | undefined;
  history: HistoryRecord[] = [];
  saves = 0;
  /** Called after a state is durable and before the caller hears of it. */
  onSaved: (state: WalletState) => void | Promise<void> = () => {};
  failure: Error | undefined;

  async load(): Promise<WalletState | undefined> {
    return this.state;
  }

  async save(state: WalletState): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.state = structuredClone(state);
    this.saves++;
    await this.onSaved(state);
  }

  async append(records: readonly HistoryRecord[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.history.push(...structuredClone(records));
  }

  async *records(): AsyncIterable<HistoryRecord> {
    yield* this.history;
  }

  async read(from: number, count: number): Promise<readonly HistoryRecord[]> {
    return this.history.slice(from, from + count);
  }

  /** The disk as it is now, for the next client. */
  copy(): MemoryStore {
    const copy = new MemoryStore();
    copy.state = structuredClone(this.state);
    copy.history = structuredClone(this.history);
    return copy;
  }
}
