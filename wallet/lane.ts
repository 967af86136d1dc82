/** Tasks one after the other, in the order in which they came: each sees what the one before has finished. */
import { WalletError } from './wallet-error.ts';

export class Lane {
  readonly #max: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param max Tasks running and waiting; beyond it `run` rejects with `too_busy`. */
  constructor(max: number) {
    this.#max = max;
  }

  get waiting(): number {
    return this.#waiting;
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#max) {
      const text = `${this.#max} operations wait for this wallet already: wait for one of them.`;
      return Promise.reject(new WalletError('too_busy', text));
    }
    this.#waiting++;
    const result = this.#last.then(task).finally(() => {
      this.#waiting--;
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when everything that waits now is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
