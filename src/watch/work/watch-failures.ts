import { isAwsError } from '../../aws/service-errors.ts';
import { BuildError, errorMessage } from '../../errors.ts';
import type { BuildFailure } from '../../errors.ts';
import type { FailureKind } from '../../sync/code/sync-resource.ts';
import { asUserError, SystemError } from '../../system-errors.ts';
import type { SyncedResource, WatchFailure } from '../loop/watch-tasks.ts';

/** The failure as the watch keeps it. `debug` texts of defects of ours carry their stack. */
export function explainFailure(thrown: unknown): WatchFailure {
  const error = asUserError(thrown);
  if (error === undefined) {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { message: errorMessage(thrown), hint: 'This is a defect of sam-sync; please report it.', output: stack };
  }
  const [only] = error instanceof BuildError && error.failures.length === 1 ? error.failures : [];
  if (only) return explainBuildFailure(only);
  const { message, hint } = error;
  if (error instanceof SystemError) return { message, hint, byItself: error.isTransient ? 'system' : undefined };
  return { message, hint, byItself: isAwsError(error) ? byItself(error.kind) : undefined };
}

/** What a failed build says of each resource that shares it. */
export function failedBuilds(failures: readonly BuildFailure[]): SyncedResource[] {
  return failures.flatMap((failure) =>
    failure.ids.map((id): SyncedResource => ({ id, outcome: 'failed', failure: explainBuildFailure(failure) })),
  );
}

/** Whether a failure of this kind may go away without a change of files. */
export function byItself(kind: FailureKind | undefined): WatchFailure['byItself'] {
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

function explainBuildFailure(failure: BuildFailure): WatchFailure {
  const { message, hint, output, file, line, column, isTransient } = failure;
  return { message, hint, output, file, line, column, byItself: isTransient ? 'system' : undefined };
}
