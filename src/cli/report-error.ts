import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { BuildError, UserError, errorMessage } from '../errors.ts';
import type { BuildFailure } from '../errors.ts';
import { asUserError } from '../system-errors.ts';

/** What an error report needs from the run. */
export interface ErrorContext {
  reporter: Reporter;
  /** The signal of the run; aborted if the user wanted it to end. */
  signal: AbortSignal | undefined;
  debug: boolean;
  version: string;
}

/** Reports the error that ended the run. Returns its exit code: 1, 2 or 130 of a `UserError`, 1 for a defect of ours. */
export function reportError(error: unknown, { reporter, signal, debug, version }: ErrorContext): number {
  // after an abort, errors only follow from it; an InterruptedError says what continues in the cloud
  const thrown = signal?.aborted === true && !(error instanceof UserError) ? signal.reason : error;
  const shown = asUserError(thrown);
  if (shown === undefined) {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : errorMessage(thrown);
    const hint = `This is a bug in sam-sync ${version} (Node ${process.versions.node}, ${process.platform}). Please report it with the lines above and the command you ran.`;
    note(reporter, 'error', withCauses(stack, thrown), hint);
    return 1;
  }
  // first: editors show the last line
  if (debug) note(reporter, 'debug', withCauses(shown.stack ?? shown.message, shown));
  if (shown instanceof BuildError)
    for (const failure of withoutRepeats(shown.failures)) reportBuildFailure(failure, reporter, debug);
  else note(reporter, 'error', shown.message, shown.hint);
  return shown.exitCode;
}

/** Joins failures that differ only in their builds: without Docker, each image fails for the same reason. */
function withoutRepeats(failures: readonly BuildFailure[]): BuildFailure[] {
  const joined = new Map<string, BuildFailure>();
  for (const failure of failures) {
    const { message, hint, output } = failure;
    const key = JSON.stringify([message, hint, output]);
    joined.set(key, { ...failure, ids: [...(joined.get(key)?.ids ?? []), ...failure.ids] });
  }
  return [...joined.values()];
}

/** Reports a failed build. `--debug` printed the tool's output while it ran. */
function reportBuildFailure({ ids, message, hint, output }: BuildFailure, reporter: Reporter, debug: boolean): void {
  if (output && !debug) note(reporter, 'info', `\n${output.trimEnd()}\n`);
  note(reporter, 'error', `${ids.join(', ')}: ${message}`, hint);
}

function withCauses(text: string, error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause === undefined) return text;
  const stack = cause instanceof Error ? (cause.stack ?? cause.message) : errorMessage(cause);
  return withCauses(`${text}\nCaused by: ${stack}`, cause);
}
