import type { Span } from './spans.ts';

/** One sync: from the first change until everything rests. Times in ms since the epoch. */
export interface SyncRecord {
  id: number;
  start: number;
  /** undefined: it is running. */
  end: number | undefined;
  /** Saved files. */
  files: string[];
  /** Resources that changed or were compared. */
  ids: string[];
  /** Those of them that something was sent for. */
  changed: string[];
  failed: string[];
  deployed: boolean;
  deploymentFailed: boolean;
  spans: Span[];
}

/** Syncs and spans to keep. */
const MOST_RECORDS = 50;
const MOST_SPANS = 3_000;
const MOST_SPANS_OF_ALL = 15_000;

/** Returns the running sync, beginning one if none runs. */
export function openRecord(records: SyncRecord[], at: number): SyncRecord {
  const last = records.at(-1);
  if (last !== undefined && last.end === undefined) return last;
  const id = (last?.id ?? 0) + 1;
  const record: SyncRecord = {
    id,
    start: at,
    end: undefined,
    files: [],
    ids: [],
    changed: [],
    failed: [],
    deployed: false,
    deploymentFailed: false,
    spans: [],
  };
  records.push(record);
  let spans = records.reduce((sum, one) => sum + one.spans.length, 0);
  while (records.length > MOST_RECORDS || (spans > MOST_SPANS_OF_ALL && records.length > 1))
    spans -= records.shift()?.spans.length ?? 0;
  return record;
}

/** Names a sync in a few words: what was saved, or what else it was for. */
export function titleOf({ files, deployed, deploymentFailed }: SyncRecord): string {
  const [first] = files;
  if (first === undefined) return deployed || deploymentFailed ? 'Deployment' : 'Comparison with the cloud';
  return files.length > 1 ? `${first} and ${files.length - 1} more` : first;
}

/** How the sync ended. */
export function outcomeOf({ end, failed, changed, deployed, deploymentFailed }: SyncRecord): string {
  if (failed.length > 0 || deploymentFailed) return 'failed';
  if (end === undefined) return 'running';
  return changed.length > 0 || deployed ? 'synced' : 'unchanged';
}

/** Adds a span to the sync that it belongs to: the running one, or the last one if the span began before its end. */
export function addSpan(records: readonly SyncRecord[], span: Span): void {
  const last = records.at(-1);
  if (last === undefined || last.spans.length >= MOST_SPANS) return;
  if (last.end === undefined || span.start < last.end) last.spans.push(span);
}

/** Adds names that are not in the list. */
export function addNames(list: string[], names: readonly string[]): void {
  for (const name of names) if (!list.includes(name)) list.push(name);
}
