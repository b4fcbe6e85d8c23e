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
  const { tools: before } = application.snapshot;
  const tools = application.openTools(next);
  application.replace((now) => withRun(now, next, tools));
  // a failure leaves nothing but containers that end with this process
  before.close().catch(() => {});
  return true;
}

/**
 * Whether the configuration says what is in effect already: editors rewrite the samconfig without changing an option. After
 * a failure the answer is no, as each save is a reason to try again.
 */
export async function hasSameOptions(application: WatchedApplication): Promise<boolean> {
  const { run, undeployed, optionFiles } = application.snapshot;
  const { watch } = run.environment;
  if (!watch || undeployed.options || undeployed.beyondTemplates) return false;
  const readSince = Date.now();
  try {
    const { files, isChanged, warnings } = await readChangedOptions(run.options, watch);
    if (isChanged || warnings.length > 0) return false;
    if (JSON.stringify(files) !== JSON.stringify(optionFiles))
      application.replace((now) => ({ ...now, optionFiles: files }), readSince);
    return true;
  } catch {
    // reported by the deployment, which reads them again
    return false;
  }
}
