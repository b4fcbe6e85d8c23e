import type { SessionFacts } from '../commands.ts';
import { nestedLanesOf } from './lanes.ts';
import { titleOf } from './records.ts';
import type { SyncRecord } from './records.ts';
import type { Span } from './spans.ts';

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
  args?: Readonly<Record<string, unknown>>;
}

/** Above the numbers of all threads: a thread with the number of its process is its main thread, and shown first. */
const FIRST_PID = 10_000;

/**
 * Writes syncs as a trace that Perfetto and speedscope open (the JSON object format of the Trace Event Format):
 * each sync is a process, each lane a thread. Events of a thread nest, as viewers require, and do not overlap otherwise. Pure.
 */
export function traceOf(
  records: readonly SyncRecord[],
  { stackName, facts }: { stackName: string; facts: SessionFacts | undefined },
): { traceEvents: TraceEvent[]; displayTimeUnit: 'ms' } {
  const traceEvents: TraceEvent[] = [];
  for (const record of records) {
    const pid = FIRST_PID + record.id;
    const meta = (name: string, tid: number, args: Readonly<Record<string, unknown>>): void =>
      void traceEvents.push({ name, ph: 'M', pid, tid, args });
    meta('process_name', 0, { name: `Sync ${record.id} of ${stackName}: ${titleOf(record)}` });
    meta('process_sort_index', 0, { sort_index: record.id });
    // in microseconds, so that spans which nest still do so
    const rounded = record.spans.map((span) => ({ ...span, start: round(span.start), end: round(span.end) }));
    nestedLanesOf({ ...record, spans: rounded }, facts).forEach(({ name, spans }, lane) => {
      const tid = lane + 1;
      meta('thread_name', tid, { name });
      meta('thread_sort_index', tid, { sort_index: tid });
      for (const span of spans) traceEvents.push(traceEventOf(span, pid, tid));
    });
  }
  return { traceEvents, displayTimeUnit: 'ms' };
}

function traceEventOf(
  { label, kind, start, end, detail, failed, ids, target }: Span,
  pid: number,
  tid: number,
): TraceEvent {
  const args = {
    ...(detail === undefined ? {} : { detail }),
    ...(failed === true ? { failed } : {}),
    ...(target === undefined ? {} : { target }),
    // the first one names the thread
    ...(ids.length > 1 ? { resources: ids } : {}),
  };
  const event = { name: label, cat: kind, ph: 'X', pid, tid, ts: start, dur: end - start } as const;
  return Object.keys(args).length === 0 ? event : { ...event, args };
}

/** Microseconds of milliseconds. */
function round(ms: number): number {
  return Math.round(ms * 1_000);
}
