/**
 * Where a command writes: results to standard output, everything else to standard error, so that `--json` can be piped.
 */

export interface Output {
  /** A result for people. Silent with `--json`. */
  line(text: string): void;
  /** A result for programs: one line of JSON. Silent without `--json`. */
  json(value: object): void;
  /** A word on the way: to standard error, also with `--json`. */
  note(text: string): void;
}

export interface OutputStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export function createOutput(streams: OutputStreams, asJson: boolean): Output {
  return {
    line: (text) => void (asJson || streams.stdout.write(`${text}\n`)),
    json: (value) => void (asJson && streams.stdout.write(`${JSON.stringify(value)}\n`)),
    note: (text) => void streams.stderr.write(`${text}\n`),
  };
}
