import type { SyncRecord } from './records.ts';
import type { SessionFacts } from '../commands.ts';
import { isOf } from './spans.ts';
import type { Span } from './spans.ts';

/** Spans that do not overlap, or that contain each other. */
export interface Lane {
  /** The resource, `Stack`, or what calls are about. Lanes of one name follow each other. */
  name: string;
  spans: Span[];
}

/** The name of the lanes of what belongs to no resource. */
const STACK_LANE = 'Stack';

/** Sorts the spans of a sync into lanes: those of the stack first, then by resource, in the order of their start. Pure. */
export function lanesOf(record: SyncRecord, facts: SessionFacts | undefined): Lane[] {
  const byName = new Map<string, Span[]>([[STACK_LANE, []]]);
  const ordered = record.spans.toSorted((one, other) => one.start - other.start || other.end - one.end);
  for (const span of ordered) {
    const name = nameOf(span, facts);
    byName.set(name, [...(byName.get(name) ?? []), span]);
  }
  return [...byName].flatMap(([name, spans]) => packSpans(spans).map((packed) => ({ name, spans: packed })));
}

function nameOf(span: Span, facts: SessionFacts | undefined): string {
  const [id] = span.ids;
  if (id !== undefined) return id;
  return facts?.resources.find((resource) => isOf(span, resource.id, resource.physicalId))?.id ?? STACK_LANE;
}

/** Puts each span into the first lane that is free when it starts. */
function packSpans(spans: readonly Span[]): Span[][] {
  const lanes: { end: number; spans: Span[] }[] = [];
  for (const span of spans) {
    const free = lanes.find(({ end }) => end <= span.start);
    if (free) {
      free.end = span.end;
      free.spans.push(span);
    } else lanes.push({ end: span.end, spans: [span] });
  }
  return lanes.map((lane) => lane.spans);
}
