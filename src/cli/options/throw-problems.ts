import { UsageError } from '../../errors.ts';
import type { Notice } from '../notice.ts';

/** Invalid options, and notes to report before them. */
class InvalidOptionsError extends UsageError {
  readonly notices: readonly Notice[];

  constructor(message: string, options: { cause: unknown; hint?: string | undefined; notices: readonly Notice[] }) {
    super(message, options);
    this.notices = options.notices;
  }
}

/** Throws one error with all problems, if there are any. */
export function throwProblems(problems: readonly UsageError[], notices: readonly Notice[] = []): void {
  const [first, ...others] = problems;
  if (!first) return;
  if (others.length === 0) throw new InvalidOptionsError(first.message, { hint: first.hint, cause: first, notices });
  const lines = problems.map(({ message, hint }) =>
    hint === undefined ? message : `${message} (${hint.replace(/\.$/, '')})`,
  );
  throw new InvalidOptionsError(lines.join('\n'), { cause: first, notices });
}

/** Runs `work`. Adds a `UsageError` to `problems` and returns undefined. */
export function collecting<T>(problems: UsageError[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    problems.push(error);
    return undefined;
  }
}

/** Returns the notes to report before an error. */
export function noticesOf(error: unknown): readonly Notice[] {
  return error instanceof InvalidOptionsError ? error.notices : [];
}
