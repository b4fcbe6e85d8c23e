import type { RunProblems } from '../builder/build-result.ts';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { formatProblem } from '../errors.ts';

/** Warns about built functions that Lambda cannot run, and returns them for `--output json`, if there are any. */
export async function reportRunProblems(
  reporter: Reporter,
  problems: Promise<RunProblems>,
): Promise<{ cannotRun?: readonly object[] }> {
  const all = [...(await problems)].flatMap(([id, problemsOfOne]) =>
    problemsOfOne.map((problem) => ({ id, ...problem })),
  );
  for (const { id, ...problem } of all) note(reporter, 'warning', `${id} cannot run: ${formatProblem(problem)}`);
  return all.length === 0 ? {} : { cannotRun: all };
}
