import * as fs from 'node:fs';

/** The full size (`npm run reliability`) instead of the sample that `npm test` runs. */
export const FULL_SIZE = process.env['SAM_SYNC_TEST_SIZE'] === 'full';

/** One class of what goes wrong, as a row of docs/reliability.md. */
export interface ReliabilityRecord {
  /** For example `Faults of AWS calls`. */
  class: string;
  /** Where it was injected, for example `every AWS operation of a plain sync`. */
  injected: string;
  /** How often it was injected. */
  times: number;
  /** If only a random part was injected: how many cases there are. */
  of?: number;
  /** How often a change was lost, a result was wrong, or something was left behind. */
  lost: number;
  /** Figures and limits, a sentence each. */
  notes?: readonly string[];
  /** What repeats it, if `npm run reliability FILE` does not. */
  command?: string;
  /** The table of this class, if it has one: a header and its rows. */
  table?: { header: readonly string[]; rows: readonly (readonly string[])[] };
}

/** Reports what a test injected and found; `npm run reliability` writes docs/reliability.md from it. */
export function recordReliability(file: string, record: ReliabilityRecord): void {
  const report = process.env['SAM_SYNC_RELIABILITY_REPORT'];
  if (report === undefined) return;
  fs.appendFileSync(report, `${JSON.stringify({ ...record, file, size: FULL_SIZE ? 'full' : 'sample' })}\n`);
}
