import type { SyncRecord } from './records.ts';
import type { SessionFacts } from '../commands.ts';
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
  const owners = ownersOf(facts);
  const ordered = record.spans.toSorted((one, other) => one.start - other.start || other.end - one.end);
  for (const span of ordered) {
    const name = span.ids[0] ?? owners.get(span.target ?? '') ?? STACK_LANE;
    const spans = byName.get(name);
    if (spans) spans.push(span);
    else byName.set(name, [span]);
  }
  return [...byName].flatMap(([name, spans]) => packSpans(spans).map((packed) => ({ name, spans: packed })));
}

/** Name in the cloud → resource; the end of an ARN is a name too (`isOf`, for many spans). */
function ownersOf(facts: SessionFacts | undefined): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { id, physicalId } of facts?.resources ?? [])
    for (let name = physicalId ?? ''; name !== ''; name = /^[^:]*:(.*)$/s.exec(name)?.[1] ?? '')
      if (!owners.has(name)) owners.set(name, id);
  return owners;
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
