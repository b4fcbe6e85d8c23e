import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import { pause } from '../deploy/pause.ts';
import type { ResourceIdentifier } from '../model/stack.ts';

/** A function whose log is followed. */
export interface LogSource {
  id: ResourceIdentifier;
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

/** What is known of one log. */
interface Followed {
  /** Lines before this are old (ms since the epoch). */
  from: number;
  /** Lines that were told already → their time. */
  told: Map<string, number>;
  lookedAt: number;
}

/** Tells the lines that functions log from now on, until the signal. Rejects if the logs may not be read. */
export async function tailLogs({ aws, sources, onLine, signal }: TailOptions): Promise<void> {
  const logs = new Map<string, Followed>();
  const started = Date.now();
  while (!signal.aborted) {
    const now = performance.now();
    const due = (await sources()).filter(({ group }) => now - (logs.get(group)?.lookedAt ?? -LOOK_EVERY) >= LOOK_EVERY);
    for (const source of due) {
      const log = logs.get(source.group) ?? { from: started, told: new Map(), lookedAt: 0 };
      logs.set(source.group, log);
      log.lookedAt = performance.now();
      for (const line of await readNewLines(aws, source, log)) onLine(line);
      await pause(CALL_EVERY, signal);
    }
    if (due.length === 0) await pause(CALL_EVERY, signal);
  }
}

async function readNewLines(aws: Aws, { id, group }: LogSource, log: Followed): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  try {
    const { send, FilterLogEventsCommand } = await aws.cloudWatchLogs();
    let nextToken: string | undefined;
    do {
      const page = await send(
        new FilterLogEventsCommand({ logGroupName: group, startTime: log.from - LATE_BY, nextToken }),
      );
      for (const { eventId, logStreamName, timestamp = 0, message = '' } of page.events ?? []) {
        const name = eventId ?? `${logStreamName} ${timestamp} ${message}`;
        if (timestamp < log.from - LATE_BY || log.told.has(name)) continue;
        log.told.set(name, timestamp);
        lines.push({ id, time: new Date(timestamp), text: message.replace(/\s+$/, '') });
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  } catch (error) {
    if (!isPassing(error)) throw error;
  }
  log.from = Math.max(log.from, ...lines.map(({ time }) => time.getTime()));
  for (const [name, time] of log.told) if (time < log.from - LATE_BY) log.told.delete(name);
  return lines;
}

/** A function that was never called has no log group yet; a busy or lost service is asked again in the next round. */
function isPassing(error: unknown): boolean {
  const passing = ['throttled', 'unavailable', 'unreachable'];
  return isAwsError(error) && (error.code === 'ResourceNotFoundException' || passing.includes(error.kind));
}
