/** How a session went for one of its sides, and its receipt on disk. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SessionResult } from '../../wallet/index.ts';
import type { FleetSetup, SessionFacts, SideResult } from './fleet-messages.ts';

export function resultOf(facts: SessionFacts, result: SessionResult): SideResult {
  const { energyWh, unitsDue, unitsPaid, ended } = result;
  const complete = energyWh === facts.energyWh && unitsPaid === unitsDue && ended.reason === 'full';
  const { session } = facts;
  return {
    session,
    energyWh,
    unitsDue,
    unitsPaid,
    complete,
    ended: `${ended.reason} (${ended.by}): ${ended.detail}`,
  };
}

/** Nothing is kept for a network that is thrown away. */
export async function keepReceipt(
  setup: FleetSetup,
  session: number,
  side: 'car' | 'station',
  receipt: string | undefined,
): Promise<void> {
  if (setup.receiptsDir === undefined || receipt === undefined) return;
  await writeFile(path.join(setup.receiptsDir, `session-${session + 1}-${side}.json`), receipt);
}
