import type { Aws } from '../../aws/aws.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { pause } from '../../support/pause.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';

/** A function whose log is followed. */
export interface LogSource {
  id: ResourceIdentifier;
  /** Its name in Lambda, which names its log streams in a log group that several functions share. */
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

/** How logs are followed. */
export interface TailOptions {
  aws: Aws;
  /** Asked again in each round: functions come and go. Those that matter most first. */
  sources(): Promise<readonly LogSource[]>;
  onLine(line: LogLine): void;
  signal: AbortSignal;
}

/** Between two calls (ms). CloudWatch Logs allows 5 to 10 FilterLogEvents a second in a Region, and others want some too. */
const CALL_EVERY = 250;
/** Between two looks at the same log (ms). */
const LOOK_EVERY = 1_000;
/** Lines may be found this much later than newer ones (ms). */
const LATE_BY = 10_000;

/** What is known of one log group. */
interface Followed {
  /** Lines before this are old (ms since the epoch). */
  from: number;
  /** The newest line of this look. */
  newest: number;
  /** The next page of this look; undefined: it is over. */
  nextToken: string | undefined;
  /** Lines that were reported already → their time. */
  told: Map<string, number>;
  lookedAt: number;
}

/**
 * Reports the lines that functions log from now on, until the signal. Rejects if the logs may not be read. The groups take
 * turns page by page, so that a function that logs without end hides no other.
 */
export async function tailLogs({ aws, sources, onLine, signal }: TailOptions): Promise<void> {
  const logs = new Map<string, Followed>();
  const started = Date.now();
  while (!signal.aborted) {
    const now = performance.now();
    const isDue = ({ nextToken, lookedAt }: Followed): boolean =>
      nextToken !== undefined || now - lookedAt >= LOOK_EVERY;
    const due = [...byGroup(await sources())].flatMap(([group, functions]) => {
      const log = logs.get(group) ?? newLog(started);
      logs.set(group, log);
      return isDue(log) ? [{ group, functions, log }] : [];
    });
    for (const { group, functions, log } of due) {
      log.lookedAt = performance.now();
      for (const event of await readPage(aws, group, log)) {
        const id = writerOf(functions, event);
        if (id !== undefined) onLine({ id, time: new Date(event.time), text: event.text });
      }
      await pause(CALL_EVERY, signal);
    }
    if (due.length === 0) await pause(CALL_EVERY, signal);
  }
}

function newLog(from: number): Followed {
  return { from, newest: from, nextToken: undefined, told: new Map(), lookedAt: -LOOK_EVERY };
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

/** A page of what is new in the group. */
async function readPage(aws: Aws, group: string, log: Followed): Promise<LogEvent[]> {
  const oldest = log.from - LATE_BY;
  const events: LogEvent[] = [];
  try {
    const { send, FilterLogEventsCommand } = await aws.cloudWatchLogs();
    const { nextToken } = log;
    log.nextToken = undefined;
    const page = await send(new FilterLogEventsCommand({ logGroupName: group, startTime: oldest, nextToken }));
    for (const { eventId, logStreamName: stream = '', timestamp: time = 0, message = '' } of page.events ?? []) {
      const name = eventId ?? `${stream} ${time} ${message}`;
      if (time < oldest || log.told.has(name)) continue;
      log.told.set(name, time);
      log.newest = Math.max(log.newest, time);
      events.push({ stream, time, text: message.replace(/\s+$/, '') });
    }
    log.nextToken = page.nextToken;
  } catch (error) {
    if (!isPassing(error)) throw error;
  }
  if (log.nextToken === undefined) endLook(log);
  return events;
}

function endLook(log: Followed): void {
  log.from = log.newest;
  for (const [name, time] of log.told) if (time < log.from - LATE_BY) log.told.delete(name);
}

/**
 * The function that wrote to the stream. In its own group a function's streams are `2026/11/26/[$LATEST]0123…`, in any other
 * they have its name before the bracket. undefined: a function of another application.
 */
function writerOf(functions: readonly LogSource[], { stream }: LogEvent): ResourceIdentifier | undefined {
  const name = /^\d{4}\/\d{2}\/\d{2}\/([^[\]]*)\[/.exec(stream)?.[1];
  if (name) return functions.find(({ functionName }) => functionName === name)?.id;
  const owner = functions.find(({ functionName, group }) => group === ownGroup(functionName));
  return (owner ?? (functions.length === 1 ? functions[0] : undefined))?.id;
}

/** The log group that Lambda makes for a function. */
export function ownGroup(functionName: string): string {
  return `/aws/lambda/${functionName}`;
}

/** A function that was never called has no log group yet; a busy or lost service is asked again in the next round. */
function isPassing(error: unknown): boolean {
  const passing = ['throttled', 'unavailable', 'unreachable'];
  return isAwsError(error) && (error.code === 'ResourceNotFoundException' || passing.includes(error.kind));
}
