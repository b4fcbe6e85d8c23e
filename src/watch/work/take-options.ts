import { withRun } from '../application-snapshot.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { readChangedOptions } from './read-changed-options.ts';

/** Reads the options again and puts them into effect; gives whether they changed. Rejects if they are wrong. */
export async function takeOptions(application: WatchedApplication): Promise<boolean> {
  const { run } = application.snapshot;
  const { watch } = run.environment;
  if (!watch) return false;
  const { options, files, isChanged, warnings } = await readChangedOptions(run.options, watch);
  application.replace((now) => ({ ...now, optionFiles: files }));
  for (const text of warnings) application.notes.report('warning', text);
  if (!isChanged) return false;
  const next = { ...run, options };
  const tools = application.openTools(next);
  application.replace((now) => withRun(now, next, tools));
  return true;
}
