import type { Aws } from '../../aws/aws.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { pause } from '../../support/pause.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';

/** A function whose log lines are reported. */
export interface LogSource {
  id: ResourceIdentifier;
  /** Its name in Lambda; names its log streams in a log group that several functions share. */
  functionName: string;
  /** Name of the log group. */
  group: string;
}

/** A line of a function's log. */
export interface LogLine {
  id: ResourceIdentifier;
  time: Date;
  text: string;
}

/** Options of `followLogs`. */
export interface FollowOptions {
  aws: Aws;
  /** Called in each round, because functions come and go. The most important ones come first. */
  sources(): Promise<readonly LogSource[]>;
  onLine(line: LogLine): void;
  /** Report lines from then on (ms since the epoch); default: from now on. */
  since?: number;
  /** Called when everything written so far was reported; false: ends. */
  onRead?: () => boolean;
  signal: AbortSignal;
}

/** Between two calls (ms). An account may call FilterLogEvents 5 to 10 times a second in a Region; other programs need some of these. */
const CALL_EVERY = 250;
/** Between two reads of the same log group (ms). */
const READ_EVERY = 1_000;
/** A line may become readable this much later than newer lines (ms). */
const LATE_BY = 10_000;

/** The position in one log group. */
interface LogPosition {
  /** Older lines are not reported (ms since the epoch). */
  from: number;
  /** Time of the newest line of this read. */
  newest: number;
  /** The next page of this read; undefined: there is none. */
  nextToken: string | undefined;
  /** Lines that were reported → their time. */
  reported: Map<string, number>;
  /** Equal lines of this read → how many. The local cloud has no IDs for events, and a function may log the same again at once. */
  equal: Map<string, number>;
  readAt: number;
}

/**
 * Reports the lines that functions log from now on, until the signal aborts. Rejects if the logs cannot be read. The log
 * groups take turns page by page, so that a function that logs without end does not hide the others.
 */
export async function followLogs(options: FollowOptions): Promise<void> {
  const { aws, sources, onLine, since = Date.now(), onRead = () => true, signal } = options;
  const logs = new Map<string, LogPosition>();
  while (!signal.aborted) {
    const now = performance.now();
    const isDue = ({ nextToken, readAt }: LogPosition): boolean =>
      nextToken !== undefined || now - readAt >= READ_EVERY;
    const due = [...byGroup(await sources())].flatMap(([group, functions]) => {
      const log = logs.get(group) ?? newLog(since);
      logs.set(group, log);
      return isDue(log) ? [{ group, functions, log }] : [];
    });
    for (const { group, functions, log } of due) {
      log.readAt = performance.now();
      for (const event of await readPage(aws, group, log)) {
        const id = writerOf(functions, event);
        if (id !== undefined) onLine({ id, time: new Date(event.time), text: event.text });
      }
      await pause(CALL_EVERY, signal);
    }
    const isComplete = [...logs.values()].every(({ nextToken }) => nextToken === undefined);
    if (isComplete && !onRead()) return;
    if (due.length === 0) await pause(CALL_EVERY, signal);
  }
}

function newLog(from: number): LogPosition {
  return { from, newest: from, nextToken: undefined, reported: new Map(), equal: new Map(), readAt: -READ_EVERY };
}

function byGroup(sources: readonly LogSource[]): Map<string, LogSource[]> {
  const groups = new Map<string, LogSource[]>();
  for (const source of sources) groups.set(source.group, [...(groups.get(source.group) ?? []), source]);
  return groups;
}

interface LogEvent {
  stream: string;
  time: number;
  text: string;
}

/** Reads a page of new lines. */
async function readPage(aws: Aws, group: string, log: LogPosition): Promise<LogEvent[]> {
  const oldest = Math.max(0, log.from - LATE_BY);
  const events: LogEvent[] = [];
  try {
    const { send, FilterLogEventsCommand } = await aws.cloudWatchLogs();
    const { nextToken } = log;
    log.nextToken = undefined;
    const page = await send(new FilterLogEventsCommand({ logGroupName: group, startTime: oldest, nextToken }));
    for (const { eventId, logStreamName: stream = '', timestamp: time = 0, message = '' } of page.events ?? []) {
      const name = eventId ?? nameOf(log, `${stream} ${time} ${message}`);
      if (time < oldest || log.reported.has(name)) continue;
      log.reported.set(name, time);
      log.newest = Math.max(log.newest, time);
      events.push({ stream, time, text: message.replace(/\s+$/, '') });
    }
    log.nextToken = page.nextToken;
  } catch (error) {
    if (!isTransient(error)) throw error;
  }
  if (log.nextToken === undefined) endRead(log);
  return events;
}

/** Names a line of this read: each read finds equal lines in the same order. */
function nameOf({ equal }: LogPosition, line: string): string {
  const count = (equal.get(line) ?? 0) + 1;
  equal.set(line, count);
  return `${count} ${line}`;
}

function endRead(log: LogPosition): void {
  log.from = log.newest;
  log.equal.clear();
  for (const [name, time] of log.reported) if (time < log.from - LATE_BY) log.reported.delete(name);
}

/**
 * Finds the function that wrote to the stream. Streams in a function's own group are named `2026/11/26/[$LATEST]0123…`; in
 * other groups the function's name precedes the bracket. undefined: a function of another application.
 */
function writerOf(functions: readonly LogSource[], { stream }: LogEvent): ResourceIdentifier | undefined {
  const name = /^\d{4}\/\d{2}\/\d{2}\/([^[\]]*)\[/.exec(stream)?.[1];
  if (name) return functions.find(({ functionName }) => functionName === name)?.id;
  const owner = functions.find(({ functionName, group }) => group === logGroupOf(functionName));
  return (owner ?? (functions.length === 1 ? functions[0] : undefined))?.id;
}

/** Names the log group that Lambda creates for a function. */
export function logGroupOf(functionName: string): string {
  return `/aws/lambda/${functionName}`;
}

/** A function has no log group before its first call; the next round retries a service that is busy or unreachable. */
function isTransient(error: unknown): boolean {
  const kinds = ['throttled', 'unavailable', 'unreachable'];
  return isAwsError(error) && (error.code === 'ResourceNotFoundException' || kinds.includes(error.kind));
}
