import type { SessionFacts } from '../commands.ts';
import { lanesOf } from './lanes.ts';
import { titleOf } from './records.ts';
import type { SyncRecord } from './records.ts';

/** An event of a trace file. */
interface TraceEvent {
  name: string;
  /** `X`: an event with a duration; `M`: metadata. */
  ph: 'X' | 'M';
  pid: number;
  tid: number;
  cat?: string;
  /** Microseconds. */
  ts?: number;
  dur?: number;
  args: Readonly<Record<string, unknown>>;
}

/**
 * Writes syncs as a trace that Perfetto and chrome://tracing open (the JSON object format of the Trace Event Format): each
 * sync is a process, each lane a thread. Pure.
 */
export function traceOf(
  records: readonly SyncRecord[],
  { stackName, facts }: { stackName: string; facts: SessionFacts | undefined },
): { traceEvents: TraceEvent[]; displayTimeUnit: 'ms' } {
  const traceEvents: TraceEvent[] = [];
  for (const record of records) {
    const pid = record.id;
    const meta = (name: string, tid: number, args: TraceEvent['args']): void =>
      void traceEvents.push({ name, ph: 'M', pid, tid, args });
    meta('process_name', 0, { name: `Sync ${record.id} of ${stackName}: ${titleOf(record)}` });
    meta('process_sort_index', 0, { sort_index: record.id });
    lanesOf(record, facts).forEach(({ name, spans }, lane) => {
      const tid = lane + 1;
      meta('thread_name', tid, { name });
      meta('thread_sort_index', tid, { sort_index: tid });
      for (const { label, kind, start, end, detail, failed, ids, target } of spans)
        traceEvents.push({
          name: label,
          cat: kind,
          ph: 'X',
          pid,
          tid,
          ts: Math.round(start * 1_000),
          dur: Math.round(end * 1_000) - Math.round(start * 1_000),
          args: { detail, failed, resources: ids, target },
        });
    });
  }
  return { traceEvents, displayTimeUnit: 'ms' };
}
