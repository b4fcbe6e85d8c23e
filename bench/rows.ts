/** What must be reached, as data: `results` of a row are compared with it. */
export type Goal =
  /** SAM CLI takes at least so many times as long. */
  | { kind: 'faster'; times: number }
  /** At most so many times the time of another subject. */
  | { kind: 'within'; times: number; of: string }
  /** At most so long (ms). */
  | { kind: 'time'; ms: number }
  /** At most so many bytes of memory at the peak. */
  | { kind: 'peak'; bytes: number }
  /** At most so much of SAM CLI's processor time. */
  | { kind: 'cpu'; share: number }
  /** At most so much of SAM CLI's resident memory. */
  | { kind: 'resident'; share: number }
  /** At most so much of SAM CLI's disk space. */
  | { kind: 'disk'; share: number }
  /** At most so many API calls. */
  | { kind: 'calls'; most: number };

/** What was measured of one subject; times in ms, medians over the rounds. */
export interface SubjectResult {
  rounds: number;
  ms: number;
  /** Shortest and longest. */
  range: [number, number];
  cpuMs?: number | undefined;
  /** The largest of all rounds. */
  peakBytes?: number | undefined;
  residentBytes?: number | undefined;
  diskBytes?: number | undefined;
  /** Of the last round. */
  code?: number | undefined;
  /** API calls of one round, by operation. */
  calls: Readonly<Record<string, number>>;
  /** Bodies of the requests of one round. */
  sentBytes: number;
}

/** A line of the table. */
export interface Row {
  id: string;
  title: string;
  goals: readonly Goal[];
  results: Readonly<Record<string, SubjectResult>>;
}

/** A goal with what was reached. */
export interface Verdict {
  goal: string;
  reached: string;
  met: boolean;
}

/** Compares what was measured with the goals. */
export function judge({ goals, results }: Row): Verdict[] {
  const { ours, peer } = results;
  return goals.flatMap((goal): Verdict[] => {
    if (ours === undefined) return [];
    switch (goal.kind) {
      case 'faster':
        return peer ? [ratio(`≥ ${goal.times}× faster`, peer.ms / ours.ms, (value) => value >= goal.times)] : [];
      case 'within': {
        const other = results[goal.of];
        const text = `≤ ${goal.times} × ${goal.of}`;
        return other ? [ratio(text, ours.ms / other.ms, (value) => value <= goal.times)] : [];
      }
      case 'time':
        return [{ goal: `≤ ${time(goal.ms)}`, reached: time(ours.ms), met: ours.ms <= goal.ms }];
      case 'peak':
        return [atMost(`peak memory ≤ ${size(goal.bytes)}`, ours.peakBytes, goal.bytes)];
      case 'cpu':
        return peer ? [share(`CPU ≤ ${goal.share} ×`, ours.cpuMs, peer.cpuMs, goal.share)] : [];
      case 'resident':
        return peer
          ? [share(`resident memory ≤ ${goal.share} ×`, ours.residentBytes, peer.residentBytes, goal.share)]
          : [];
      case 'disk':
        return peer ? [share(`disk ≤ ${goal.share} ×`, ours.diskBytes, peer.diskBytes, goal.share)] : [];
      case 'calls': {
        const calls = countCalls(ours);
        return [{ goal: `≤ ${goal.most} calls`, reached: String(calls), met: calls <= goal.most }];
      }
    }
  });
}

/** All API calls of one round. */
export function countCalls({ calls }: SubjectResult): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}

function ratio(goal: string, value: number, isMet: (value: number) => boolean): Verdict {
  return { goal, reached: `${value.toFixed(value < 10 ? 2 : 1)}×`, met: isMet(value) };
}

function share(goal: string, ours: number | undefined, peers: number | undefined, most: number): Verdict {
  const value = (ours ?? Number.NaN) / (peers ?? Number.NaN);
  return { goal, reached: `${value.toFixed(2)} ×`, met: value <= most };
}

function atMost(goal: string, value: number | undefined, most: number): Verdict {
  return { goal, reached: value === undefined ? '?' : size(value), met: value !== undefined && value <= most };
}

/** A time as people read it. */
export function time(ms: number): string {
  if (ms >= 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  return ms >= 995 ? `${(ms / 1_000).toFixed(2)} s` : `${Math.round(ms)} ms`;
}

/** A number of bytes as people read it, in powers of ten. */
export function size(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB` : `${bytes} B`;
}
