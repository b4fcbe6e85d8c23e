import { isAwsError } from '../aws/service-errors.ts';
import type { AwsErrorKind } from '../aws/service-errors.ts';
import { BuildError, UserError, errorMessage } from '../errors.ts';
import type { BuildFailure } from '../errors.ts';
import type { SyncedResource, WatchFailure } from './watch-tasks.ts';

/** The failure as the watch keeps it. `debug` texts of defects of ours carry their stack. */
export function explainFailure(error: unknown): WatchFailure {
  if (!(error instanceof UserError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { message: errorMessage(error), hint: 'This is a defect of sam-sync; please report it.', output: stack };
  }
  const [only] = error instanceof BuildError && error.failures.length === 1 ? error.failures : [];
  if (only) return explainBuildFailure(only);
  return { message: error.message, hint: error.hint, byItself: isAwsError(error) ? byItself(error.kind) : undefined };
}

/** What a failed build says of each resource that shares it. */
export function failedBuilds(failures: readonly BuildFailure[]): SyncedResource[] {
  return failures.flatMap((failure) =>
    failure.ids.map((id): SyncedResource => ({ id, outcome: 'failed', failure: explainBuildFailure(failure) })),
  );
}

/** Whether a failure of this kind may go away without a change of files. */
export function byItself(kind: AwsErrorKind | undefined): WatchFailure['byItself'] {
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
    default:
      return undefined;
  }
}

function explainBuildFailure({ message, hint, output }: BuildFailure): WatchFailure {
  return { message, hint, output };
}
