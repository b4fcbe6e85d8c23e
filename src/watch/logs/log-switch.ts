import { note } from '../../console/reporter.ts';
import { flattenStacks } from '../../model/stack.ts';
import { createAbort } from '../../support/abort.ts';
import { asUserError } from '../../system-errors.ts';
import { isMap } from '../../template/template.ts';
import { isDeployed, requireResources } from '../application-snapshot.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { describeFailure } from '../work/watch-failures.ts';
import { followLogs, logGroupOf } from './follow-logs.ts';
import type { LogSource } from './follow-logs.ts';

/** Turns the log lines of the watched functions on and off. */
export interface LogSwitch {
  toggle(): void;
  turn(on: boolean): void;
}

/** Reports log lines while they are on. Turns them off if the logs cannot be read. */
export function createLogSwitch(application: Pick<WatchedApplication, 'snapshot'>): LogSwitch {
  let running: AbortController | undefined;
  const report = (on: boolean): void =>
    application.snapshot.run.environment.reporter.report({ type: 'watch-logs', on });
  const follow = async ({ signal }: AbortController): Promise<void> => {
    const { aws, environment } = application.snapshot.run;
    try {
      await followLogs({
        aws,
        sources: () => listLogSources(application.snapshot),
        onLine: (line) => environment.reporter.report({ type: 'log-line', ...line }),
        signal,
      });
    } catch (error) {
      if (signal.aborted) return;
      const { message, hint } = describeFailure(error);
      note(environment.reporter, asUserError(error) ? 'warning' : 'error', `Logs: ${message}`, hint);
      turn(false);
    }
  };
  const turn = (on: boolean): void => {
    if (on === (running !== undefined)) return;
    running?.abort();
    running = on ? createAbort() : undefined;
    report(on);
    if (running) void follow(running);
  };
  return { turn, toggle: () => turn(running === undefined) };
}

/** Lists the log groups of the deployed functions. */
export async function listLogSources(snapshot: ApplicationSnapshot): Promise<LogSource[]> {
  const { root, selected } = requireResources(snapshot);
  const functions = flattenStacks(root).flatMap((stack) =>
    stack.functions.flatMap((fn) => (selected.has(fn.id) && isDeployed(snapshot, fn.id) ? [{ fn, stack }] : [])),
  );
  if (functions.length === 0) return [];
  const codeSync = await snapshot.tools.codeSync(snapshot.prepared?.deployed.stack);
  const names = await codeSync.locate(root, new Set(functions.map(({ fn }) => fn.id)));
  const sources: LogSource[] = [];
  for (const { fn, stack } of functions) {
    const functionName = names.get(fn.id);
    if (functionName === undefined) continue;
    const logging = fn.properties['LoggingConfig'];
    const written = isMap(logging) ? logging['LogGroup'] : undefined;
    const group = written === undefined ? undefined : (await codeSync.resolve(root, written, stack)).value;
    sources.push({ id: fn.id, functionName, group: typeof group === 'string' ? group : logGroupOf(functionName) });
  }
  return sources;
}
