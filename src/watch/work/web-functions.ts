import type { BuildResult } from '../../builder/build-result.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import type { CodeSync } from '../../sync/code/open-code-sync.ts';
import { describeLeftOut, nameWebFunctions } from '../../sync/code/left-out.ts';
import type { SyncedResource } from '../loop/results.ts';
import { ALL_RESOURCES } from '../loop/schedule.ts';
import type { DeployContext } from '../loop/watch-tasks.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { artifactOf } from './build-resources.ts';

/** Reports once how changes reach the cloud that no sync sends: those of Web Functions, and with `--code` of other files. */
export function noteWebFunctions({ snapshot, notes }: WatchedApplication, root: Stack): void {
  const { code, directConfig } = snapshot.run.options;
  const names = nameWebFunctions(root);
  const leftOut = code ? describeLeftOut(root) : undefined;
  if (leftOut !== undefined) notes.report('info', leftOut, 'Press d, or sync without --code, to deploy them.');
  else if (names !== undefined && !directConfig)
    notes.report('info', `Changes of Web Functions are deployed through CloudFormation: ${names}`);
}

/** After a deployment: deletes the revisions that it replaced, and leaves no Web Function at one of them. */
export async function releaseWebFunctions(
  application: WatchedApplication,
  { isOutdated }: Pick<DeployContext, 'isOutdated'>,
  { revisions }: CodeSync,
): Promise<void> {
  const isDecided = (id: ResourceIdentifier): boolean => !isOutdated(id);
  const restored = await revisions.release(isDecided);
  if (restored.length > 0) application.notes.report('info', `The deployed code is live again: ${restored.join(', ')}`);
  application.replace((now) => ({ ...now, revised: new Set([...now.revised].filter((id) => !isDecided(id))) }));
}

/** After a deployment that was rolled back: Web Functions serve what the stack has. Gives a result for each that served other code. */
export async function restoreWebFunctions(
  application: WatchedApplication,
  context: DeployContext,
): Promise<SyncedResource[]> {
  const { tools, prepared } = application.snapshot;
  const codeSync = await tools.codeSync(prepared?.deployed.stack);
  const ids = (await codeSync.revisions.ahead()).filter((id) => !context.isOutdated(id));
  if (ids.length === 0) return [];
  context.reserve(ALL_RESOURCES);
  await context.cleared();
  codeSync.forget();
  await codeSync.revisions.release((id) => ids.includes(id));
  application.replace((now) => ({
    ...now,
    webFunctions: new Map([...now.webFunctions].filter(([id]) => !ids.includes(id))),
    revised: new Set([...now.revised].filter((id) => !ids.includes(id))),
  }));
  return ids.map((id) => ({
    id,
    outcome: 'failed',
    failure: {
      message: `The deployment failed: ${id} has the code that was deployed before`,
      hint: 'The next change of its code goes live again.',
    },
  }));
}

/** Gives the result of each Web Function after a deployment. `changed`: CloudFormation had something to do. */
export function endWebFunctions(
  application: WatchedApplication,
  built: BuildResult,
  { changed }: { changed: boolean },
): SyncedResource[] {
  const { resources, webFunctions: before } = application.snapshot;
  const ids = resources?.webFunctions ?? [];
  const webFunctions = new Map(ids.map((id) => [id, artifactOf(built, id) ?? '']));
  application.replace((now) => ({ ...now, webFunctions }));
  return ids.map((id) => {
    const isNew = changed && before.has(id) && before.get(id) !== webFunctions.get(id);
    return isNew ? { id, outcome: 'synced', detail: 'deployed' } : { id, outcome: 'unchanged' };
  });
}
