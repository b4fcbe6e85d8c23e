import { UsageError } from '../../errors.ts';

/** Throws what is wrong, all of it together; nothing if nothing is. */
export function throwProblems(problems: readonly UsageError[]): void {
  const [first, ...others] = problems;
  if (!first) return;
  if (others.length === 0) throw first;
  const lines = problems.map(({ message, hint }) => (hint === undefined ? message : `${message} (${hint})`));
  throw new UsageError(lines.join('\n'), { cause: first });
}

/** Runs `work`; a `UsageError` is put to the others, and the answer is undefined. */
export function collecting<T>(problems: UsageError[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    problems.push(error);
    return undefined;
  }
}
