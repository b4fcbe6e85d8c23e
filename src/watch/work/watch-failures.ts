import { isAwsError } from '../../aws/service-errors.ts';
import { BuildError, errorMessage } from '../../errors.ts';
import type { BuildFailure } from '../../errors.ts';
import type { FailureKind } from '../../sync/code/sync-resource.ts';
import { asUserError, SystemError } from '../../system-errors.ts';
import type { SyncedResource, TransientKind, WatchFailure } from '../loop/results.ts';

/** Describes what was thrown. A defect of sam-sync is described with its stack trace. */
export function describeFailure(thrown: unknown): WatchFailure {
  const error = asUserError(thrown);
  if (error === undefined) {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { message: errorMessage(thrown), hint: 'This is a defect of sam-sync; please report it.', output: stack };
  }
  const [only] = error instanceof BuildError && error.failures.length === 1 ? error.failures : [];
  if (only) return describeBuildFailure(only);
  const { message, hint, place } = error;
  if (error instanceof SystemError) return { message, hint, transient: error.isTransient ? 'system' : undefined };
  return { message, hint, ...place, transient: isAwsError(error) ? transientKind(error.kind) : undefined };
}

/** Gives a failed result for each resource of each failed build. */
export function failedBuilds(failures: readonly BuildFailure[]): SyncedResource[] {
  return failures.flatMap((failure) =>
    failure.ids.map((id): SyncedResource => ({ id, outcome: 'failed', failure: describeBuildFailure(failure) })),
  );
}

/** What a failure of this kind depends on, if it may pass without a change of files. */
export function transientKind(kind: FailureKind | undefined): TransientKind | undefined {
  switch (kind) {
    case 'no-credentials':
    case 'expired-credentials':
    case 'bad-credentials':
      return 'credentials';
    case 'unreachable':
    case 'throttled':
    case 'unavailable':
    case 'clock-skew':
      return 'connection';
    case 'system':
      return 'system';
    default:
      return undefined;
  }
}

function describeBuildFailure(failure: BuildFailure): WatchFailure {
  const { message, hint, output, file, line, column, isTransient } = failure;
  return { message, hint, output, file, line, column, transient: isTransient ? 'system' : undefined };
}
