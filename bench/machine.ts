/** On what a bench runs, and what of. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Machine } from './result.ts';

/** All but the load, which takes a look before and after. */
export function machineNow(): Omit<Machine, 'load'> {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown';
  return { cpu, cores: availableParallelism(), node: process.version };
}

/**
 * Cores that others keep busy, in `lookMs` in which this process does nothing. The system's own mean of the last minute would
 * count the bench before.
 */
export async function coresBusy(lookMs: number): Promise<number> {
  const before = cpus();
  await pause(lookMs);
  return cpus().reduce((sum, { times }, i) => {
    const spent = (kind: keyof typeof times): number => times[kind] - (before[i]?.times[kind] ?? 0);
    const busy = spent('user') + spent('nice') + spent('sys') + spent('irq');
    const all = busy + spent('idle');
    return sum + (all > 0 ? busy / all : 0);
  }, 0);
}

/** Short id, with a + when files differ from it; `unknown` outside of a clone. */
export function commitNow(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    return `${git('rev-parse', '--short', 'HEAD').trim()}${git('status', '--porcelain') === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
