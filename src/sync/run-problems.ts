import type { RunProblems } from '../builder/artifact.ts';
import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { formatProblem } from '../errors.ts';

/** Warns of functions that were built and cannot run. What `--output json` says of them, if there are any. */
export async function reportRunProblems(
  reporter: Reporter,
  problems: Promise<RunProblems>,
): Promise<{ cannotRun?: readonly object[] }> {
  const found = [...(await problems)].flatMap(([id, all]) => all.map((problem) => ({ id, ...problem })));
  for (const { id, ...problem } of found) note(reporter, 'warning', `${id} cannot run: ${formatProblem(problem)}`);
  return found.length === 0 ? {} : { cannotRun: found };
}
