/** The part of benchmark.js 2.1.4 that harness.ts uses; the package brings no types. */
declare module 'benchmark' {
  class Benchmark {
    constructor(options: {
      readonly fn: () => void;
      readonly minSamples: number;
      /** Seconds: the least that one sample runs, and the most that all samples take, minSamples permitting. */
      readonly minTime: number;
      readonly maxTime: number;
    });
    /** Synchronous, unless asked otherwise. */
    run(): this;
    /** What the measured function threw. */
    readonly error?: unknown;
    /** Seconds that one call took, for each sample. */
    readonly stats: { readonly sample: readonly number[] };
  }
  export = Benchmark;
}
