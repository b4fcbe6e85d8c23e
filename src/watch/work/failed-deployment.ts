import { StackFailedError } from '../../deploy/stack-failure.ts';
import { BuildError } from '../../errors.ts';
import { asUserError } from '../../system-errors.ts';
import { requireResources } from '../application-snapshot.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';
import type { FailedDeployment, SyncedResource } from '../loop/results.ts';
import { ALL_RESOURCES, NO_RESOURCES } from '../loop/schedule.ts';
import type { ResourceSet } from '../loop/schedule.ts';
import { neededBy } from './touched.ts';
import { describeFailure, failedBuilds } from './watch-failures.ts';

/** Describes why a deployment failed, and which changes are a reason to try again. `touched`: what it would have changed. */
export function describeFailedDeployment(
  snapshot: ApplicationSnapshot,
  error: unknown,
  touched: ResourceSet,
): FailedDeployment {
  if (error instanceof BuildError) {
    const { selected, deployedOnly } = requireResources(snapshot);
    const failed = failedBuilds(error.failures);
    const ids = new Set(failed.map(({ id }) => id));
    // no code sync can try a Web Function again: the next deployment does
    const transient = failed.find(({ id }) => deployedOnly.includes(id))?.failure?.transient;
    const causes = failed.map((cause) => (deployedOnly.includes(cause.id) ? withoutRetry(cause) : cause));
    const failure = { message: `Not deployed, because ${[...ids].join(', ')} could not be built`, transient };
    const toSync = [...selected].filter((id) => !ids.has(id));
    return { outcome: 'failed', failure, causes, toSync, retryOn: (id) => ids.has(id) };
  }
  const failure = describeFailure(error);
  if (error instanceof StackFailedError) {
    const [name = ''] = error.failure?.id.split('/') ?? [];
    const needed = neededBy([name], requireResources(snapshot).root.source);
    const retryOn: ResourceSet = (id) => touched(id) || needed.has(id.split('/', 1)[0] ?? '');
    return { outcome: 'failed', failure, causes: [], toSync: [], retryOn };
  }
  // changed templates and options are a reason anyway; changed code is one only if the failure is a defect of sam-sync
  const isExplained = asUserError(error) !== undefined;
  return { outcome: 'failed', failure, causes: [], toSync: [], retryOn: isExplained ? NO_RESOURCES : ALL_RESOURCES };
}

function withoutRetry(cause: SyncedResource): SyncedResource {
  return { ...cause, failure: cause.failure && { ...cause.failure, transient: undefined } };
}
