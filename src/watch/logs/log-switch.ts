import { note } from '../../console/reporter.ts';
import { asUserError } from '../../system-errors.ts';
import { flattenStacks } from '../../model/stack.ts';
import { createAbort } from '../../support/abort.ts';
import { isMap } from '../../template/template.ts';
import type { Application } from '../application.ts';
import { explainFailure } from '../work/watch-failures.ts';
import { ownGroup, tailLogs } from './follow-logs.ts';
import type { LogSource } from './follow-logs.ts';

/** Log lines of the watched functions, on and off. */
export interface LogTail {
  toggle(): void;
  show(on: boolean): void;
  stop(): void;
}

export function createLogTail(application: Application): LogTail {
  let running: AbortController | undefined;
  const start = async (abort: AbortController): Promise<void> => {
    const { aws, environment } = application.run;
    try {
      await tailLogs({
        aws,
        sources: () => listLogs(application),
        onLine: (line) => environment.reporter.report({ type: 'log-line', ...line }),
        signal: abort.signal,
      });
    } catch (error) {
      if (abort.signal.aborted) return;
      const { message, hint } = explainFailure(error);
      note(environment.reporter, asUserError(error) ? 'warning' : 'error', `Logs: ${message}`, hint);
      stop();
    }
  };
  const stop = (): void => {
    if (!running) return;
    running.abort();
    running = undefined;
    application.run.environment.reporter.report({ type: 'watch-logs', on: false });
  };
  const show = (on: boolean): void => {
    if (!on) return stop();
    if (running) return;
    running = createAbort();
    application.run.environment.reporter.report({ type: 'watch-logs', on: true });
    void start(running);
  };
  return { stop, show, toggle: () => show(running === undefined) };
}

/** The log groups of the functions that are deployed. */
async function listLogs(application: Application): Promise<LogSource[]> {
  const { root, selected } = application.requireResources();
  const functions = flattenStacks(root).flatMap((stack) =>
    stack.functions.flatMap((fn) => (selected.has(fn.id) && application.isDeployed(fn.id) ? [{ fn, stack }] : [])),
  );
  if (functions.length === 0) return [];
  const codeSync = await application.codeSync();
  const places = await codeSync.locate(root, new Set(functions.map(({ fn }) => fn.id)));
  const sources: LogSource[] = [];
  for (const { fn, stack } of functions) {
    const functionName = places.get(fn.id);
    if (functionName === undefined) continue;
    const logging = fn.properties['LoggingConfig'];
    const written = isMap(logging) ? logging['LogGroup'] : undefined;
    const group = written === undefined ? undefined : (await codeSync.resolve(root, written, stack)).value;
    sources.push({ id: fn.id, functionName, group: typeof group === 'string' ? group : ownGroup(functionName) });
  }
  return sources;
}
