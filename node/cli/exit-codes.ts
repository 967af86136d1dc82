/**
 * Exit codes of the `ravel` command, and which trouble leads to which. The table is printed by `ravel --help`.
 */

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  locked: 4,
  taken: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means, for people. */
export const EXIT_MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done; the answer is yes',
  failed: 'failed, or the answer is no: payment refused, receipt false, ...',
  usage: 'the command, a file or a setting is wrong; nothing was done',
  unreachable: 'no node or station could be reached, or none answered in time',
  locked: 'the wallet was not opened: wrong password or damaged file',
  taken: 'a port or a folder is in use by another program',
  interrupted: 'ended by Ctrl+C or SIGTERM',
};

/** The table as `ravel --help` shows it. */
export function describeExitCodes(): string {
  const rows = Object.entries(EXIT).map(([name, code]) => {
    return `  ${String(code).padStart(3)}  ${EXIT_MEANING[name as keyof typeof EXIT]}`;
  });
  return ['Exit codes:', ...rows].join('\n');
}
