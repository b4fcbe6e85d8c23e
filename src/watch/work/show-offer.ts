import { note } from '../../console/reporter.ts';
import { requireResources } from '../application-snapshot.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';
import { reportOffer } from '../session-reports.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { describeFailure } from './watch-failures.ts';

/** Shows the outputs and endpoints of the stack (key `o`), or reports that it has none. */
export async function showOffer(application: Pick<WatchedApplication, 'snapshot'>): Promise<void> {
  const { snapshot } = application;
  const { environment, options } = snapshot.run;
  const { reporter } = environment;
  try {
    const offer = snapshot.offer ?? (await readNow(snapshot));
    if (offer === undefined) note(reporter, 'info', `Stack ${options.stackName} is not deployed yet.`);
    else if (offer.outputs.length + offer.endpoints.length > 0) reportOffer(reporter, { ...snapshot, offer });
    else note(reporter, 'info', `Stack ${options.stackName} has no outputs and no endpoints.`);
  } catch (error) {
    if (environment.signal.aborted) return;
    const { message, hint } = describeFailure(error);
    note(reporter, 'warning', `Outputs: ${message}`, hint);
  }
}

/** With `--code` no deployment has read them. */
async function readNow(snapshot: ApplicationSnapshot): Promise<ApplicationSnapshot['offer']> {
  const stack = snapshot.prepared?.deployed.stack;
  if (!snapshot.run.options.code || stack === undefined) return undefined;
  const codeSync = await snapshot.tools.codeSync(stack);
  return codeSync.offer(requireResources(snapshot).root, stack.outputs);
}
