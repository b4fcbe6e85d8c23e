import type { BuildResult } from '../../builder/build-result.ts';
import type { Stack } from '../../model/stack.ts';
import { describeLeftOut, nameWebFunctions } from '../../sync/code/left-out.ts';
import type { SyncedResource } from '../loop/results.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { artifactOf } from './build-resources.ts';

/** Reports once how changes reach the cloud that no code sync sends: those of Web Functions, and with `--code` of other files. */
export function noteWebFunctions({ snapshot, notes }: WatchedApplication, root: Stack): void {
  const names = nameWebFunctions(root);
  const leftOut = snapshot.run.options.code ? describeLeftOut(root) : undefined;
  if (leftOut !== undefined) notes.report('info', leftOut, 'Press d, or sync without --code, to deploy them.');
  else if (names !== undefined)
    notes.report('info', `Changes of Web Functions are deployed through CloudFormation: ${names}`);
}

/** Gives the result of each Web Function after a deployment. `changed`: CloudFormation had something to do. */
export function endWebFunctions(
  application: WatchedApplication,
  built: BuildResult,
  { changed }: { changed: boolean },
): SyncedResource[] {
  const { resources, webFunctions: before } = application.snapshot;
  const ids = resources?.deployedOnly ?? [];
  const webFunctions = new Map(ids.map((id) => [id, artifactOf(built, id) ?? '']));
  application.replace((now) => ({ ...now, webFunctions }));
  return ids.map((id) => {
    const isNew = changed && before.has(id) && before.get(id) !== webFunctions.get(id);
    return isNew ? { id, outcome: 'synced', detail: 'deployed' } : { id, outcome: 'unchanged' };
  });
}
