import type { Aws } from '../../aws/aws.ts';
import { formatTimeOfDay } from '../../console/format.ts';
import { followLogs, logGroupOf } from '../../watch/logs/follow-logs.ts';
import type { LogLine } from '../../watch/logs/follow-logs.ts';
import { listLocalFunctions, pickFunction } from './local-functions.ts';

/** Which logs to print. */
export interface LogRequest {
  ids: readonly string[];
  stackName: string | undefined;
  /** Keep printing until the signal aborts. */
  follow: boolean;
}

/** Prints what functions of the local cloud logged, each line with time and function. */
export async function printFunctionLogs(
  aws: Aws,
  { ids, stackName, follow }: LogRequest,
  { stdout, signal }: { stdout: { write(text: string): unknown }; signal: AbortSignal },
): Promise<void> {
  const functions = await listLocalFunctions(aws);
  const chosen = ids.map((id) => pickFunction(functions, id, stackName));
  const { send, GetFunctionCommand } = await aws.lambda();
  const sources = await Promise.all(
    chosen.map(async ({ id, functionName }) => {
      const { Configuration } = await send(new GetFunctionCommand({ FunctionName: functionName }));
      return { id, functionName, group: Configuration?.LoggingConfig?.LogGroup ?? logGroupOf(functionName) };
    }),
  );
  const past: LogLine[] = [];
  const print = ({ id, time, text }: LogLine): void => {
    const start = `${formatTime(time)} ${id}`;
    for (const line of text.split('\n')) stdout.write(`${start} ${line}\n`);
  };
  const onRead = (): boolean => {
    // the logs of several functions, in the order in which they were written
    for (const line of past.splice(0).sort((a, b) => a.time.getTime() - b.time.getTime())) print(line);
    return follow;
  };
  await followLogs({ aws, sources: async () => sources, onLine: (line) => past.push(line), since: 0, onRead, signal });
}

/** Time of day with milliseconds, in the user's time zone. */
function formatTime(time: Date): string {
  return `${formatTimeOfDay(time)}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}
