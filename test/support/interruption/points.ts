import type { ProxiedCall } from '../proxied-call.ts';

/** Something that a run does and that can be seen: where a signal reaches it. `nth`: which of those that are alike, from 0. */
export type Point =
  /** A call to AWS: before the service has it, or after it did it and before the run has the answer. */
  | { kind: 'call'; label: string; nth: number; when: 'before' | 'after-answer' }
  /** A build tool has started. */
  | { kind: 'tool'; label: string; nth: number }
  /** A line of output: an event of `--output json`, or what `--debug` prints. */
  | { kind: 'line'; label: string; nth: number }
  /** A file is about to be written, renamed or removed in `.aws-sam`, the cache or the temporary folder. */
  | { kind: 'file'; label: string; nth: number };

/** Names a point in a report. */
export function describePoint(point: Point): string {
  const when = point.kind === 'call' ? `${point.when} ` : '';
  return `${point.kind} ${when}${point.label}${point.nth === 0 ? '' : ` (${point.nth + 1})`}`;
}

/** Names an AWS call as a point does. */
export function labelOfCall({ service, operation }: Pick<ProxiedCall, 'service' | 'operation'>): string {
  return `${service} ${operation}`;
}

/** A line of output without what differs from run to run. */
export function labelOfLine(line: string): string {
  return line
    .replace(/\/[^\s"]*\//g, '')
    .replace(/[0-9a-f]{8,}(-[0-9a-f]{4,})*/g, '#')
    .replace(/\d+(\.\d+)?/g, 'n')
    .slice(0, 80);
}

/** Numbers equal labels: each with its `nth`. */
export function numbered(labels: readonly string[]): { label: string; nth: number }[] {
  const counts = new Map<string, number>();
  return labels.map((label) => {
    const nth = counts.get(label) ?? 0;
    counts.set(label, nth + 1);
    return { label, nth };
  });
}
