/** A correct validator that is the ledger's own: a Core that hears what the random network delivers, and votes. */
import { Core, type Genesis, type ValidatorIndex, type Vertex, type Witness } from '../../ledger/index.ts';
import type { CorrectValidator } from './correct-validator.ts';

/** Long enough for everything that a validator waits for. */
const TURN_MS = 10_000;

export class CoreValidator implements CorrectValidator {
  readonly core: Core;
  #nowMs = 0;

  constructor(genesis: Genesis, index: ValidatorIndex, epochRounds = 1000) {
    const validator = { index, roundFloorMs: 0, roundLingerMs: 0, idleBeatMs: 0 };
    const ledger = { verticesMax: 10_000, epochRounds };
    this.core = new Core({ genesis, ledger, validator }, { sign: () => new Uint8Array(64) });
  }

  hear(vertices: readonly Vertex[]): void {
    for (const vertex of vertices) {
      const event = { type: 'vertex', vertex, from: 'network', requested: true, nowMs: this.#nowMs } as const;
      for (const effect of this.core.step(event)) {
        if (effect.type === 'refused' && effect.refusal.code !== 'stale')
          throw new Error(`refused: ${JSON.stringify(effect.refusal)}`);
      }
    }
  }

  turn(): Witness | undefined {
    this.#nowMs += TURN_MS;
    for (const effect of this.core.step({ type: 'tick', nowMs: this.#nowMs })) {
      if (effect.type === 'attached' && effect.own && effect.vertex.kind === 'witness') return effect.vertex;
    }
    return undefined;
  }
}
