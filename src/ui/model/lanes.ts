import type { SyncRecord } from './records.ts';
import type { SessionFacts } from '../commands.ts';
import type { Span } from './spans.ts';

/** Spans of a resource, of the stack, or of what calls are about, that can share a line. */
export interface Lane {
  /** The resource, `Stack`, or what calls are about. Lanes of one name follow each other. */
  name: string;
  spans: Span[];
}

/** The name of the lanes of what belongs to no resource. */
const STACK_LANE = 'Stack';

/** Sorts the spans of a sync into lanes: those of the stack first, then by resource. Spans of a lane do not overlap. Pure. */
export function lanesOf(record: SyncRecord, facts: SessionFacts | undefined): Lane[] {
  return groupSpans(record, facts).flatMap(({ name, spans }) =>
    packSpans(spans).map((packed) => ({ name, spans: packed })),
  );
}

/** The same lanes, in which a span may contain others: fewer lanes. Parents come before their children. Pure. */
export function nestedLanesOf(record: SyncRecord, facts: SessionFacts | undefined): Lane[] {
  return groupSpans(record, facts).flatMap(({ name, spans }) =>
    nestSpans(spans).map((nested) => ({ name, spans: nested })),
  );
}

/** All spans by what they are about, in the order of their start, longer ones first. */
function groupSpans(record: SyncRecord, facts: SessionFacts | undefined): Lane[] {
  const byName = new Map<string, Span[]>([[STACK_LANE, []]]);
  const owners = ownersOf(facts);
  const ordered = record.spans.toSorted((one, other) => one.start - other.start || other.end - one.end);
  for (const span of ordered) {
    const name = span.ids[0] ?? owners.get(span.target ?? '') ?? STACK_LANE;
    const spans = byName.get(name);
    if (spans) spans.push(span);
    else byName.set(name, [span]);
  }
  return [...byName].map(([name, spans]) => ({ name, spans }));
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

/** Puts each span into the first lane where nothing overlaps it, except spans that contain it. */
function nestSpans(spans: readonly Span[]): Span[][] {
  const lanes: { open: number[]; spans: Span[] }[] = [];
  for (const span of spans) {
    const fits = ({ open }: { open: number[] }): boolean => {
      while ((open.at(-1) ?? Infinity) <= span.start) open.pop();
      return (open.at(-1) ?? Infinity) >= span.end;
    };
    let lane = lanes.find(fits);
    if (!lane) lanes.push((lane = { open: [], spans: [] }));
    lane.open.push(span.end);
    lane.spans.push(span);
  }
  return lanes.map((lane) => lane.spans);
}
