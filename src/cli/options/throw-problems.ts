import { UsageError } from '../../errors.ts';

/** Throws one error with all problems, if there are any. */
export function throwProblems(problems: readonly UsageError[]): void {
  const [first, ...others] = problems;
  if (!first) return;
  if (others.length === 0) throw first;
  const lines = problems.map(({ message, hint }) => (hint === undefined ? message : `${message} (${hint})`));
  throw new UsageError(lines.join('\n'), { cause: first });
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
