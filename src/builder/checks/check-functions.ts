import type { RunProblem } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { BuildResult, RunProblems } from '../build-result.ts';
import { keyOf } from '../build-key.ts';
import { isKnownRuntime, nearestRuntime } from '../lambda-runtimes.ts';
import type { Tools } from '../tools/tools.ts';
import { checkHandlers } from './check-handlers.ts';
import type { CheckedFunction } from './check-handlers.ts';
import type { FunctionCheck } from './function-check.ts';
import { locateProblem } from './locate-problem.ts';
import type { Pythons } from './python-syntax.ts';
import { createRecords } from './check-records.ts';
import type { CheckProblem } from './check-records.ts';

/** The part of a build's result that the checks need. */
type BuiltArtifacts = Pick<BuildResult, 'folders' | 'dependencyLayers' | 'handlers'>;

/** Checks built functions for errors that Lambda would report on the first call. Keeps the results with the artifacts. */
export interface FunctionChecker {
  /** Never rejects: a check that fails finds nothing. */
  check(checks: readonly FunctionCheck[], built: BuiltArtifacts, tools: Tools): Promise<RunProblems>;
}

/** Raise it when the same code gives other results. */
const VERSION = 2;

/** Creates a checker. Problems name files relative to `projectDir`. */
export function createFunctionChecker(projectDir: string): FunctionChecker {
  const records = createRecords();
  const pythons: Pythons = new Map();
  const checkAll = async (
    checks: readonly FunctionCheck[],
    built: BuiltArtifacts,
    tools: Tools,
  ): Promise<RunProblems> => {
    const subjects = checks.flatMap((check) => subjectOf(check, built));
    const keys = new Map(subjects.map((subject) => [subject, keyOfCheck(subject)]));
    const isNew = (subject: CheckedFunction): boolean =>
      records.find(subject.artifact, keys.get(subject) ?? '') === undefined;
    const news = subjects.filter(isNew);
    const findings = await checkHandlers(news, { tools, pythons });
    news.forEach((subject, position) =>
      records.set(subject.artifact, keys.get(subject) ?? '', findings[position] ?? 'none'),
    );
    const problems = new Map<ResourceIdentifier, RunProblem[]>();
    for (const subject of subjects) {
      const { check, artifact } = subject;
      const found = [checkRuntime(check), records.find(artifact, keys.get(subject) ?? '') ?? 'none'];
      const wrong = found.filter((one) => one !== 'none');
      if (wrong.length === 0) continue;
      problems.set(
        check.id,
        wrong.map((finding) => locateProblem(finding, check, { artifact, projectDir })),
      );
    }
    await records.save();
    return problems;
  };
  return {
    check: async (checks, built, tools) => {
      try {
        return await checkAll(checks, built, tools);
      } catch (error) {
        // e.g. the artifact is gone; the deployment goes on
        if (!tools.signal.aborted) tools.report('checks', `Functions could not be checked: ${String(error)}`);
        return new Map();
      }
    },
  };
}

function subjectOf(check: FunctionCheck, { folders, dependencyLayers, handlers }: BuiltArtifacts): CheckedFunction[] {
  const artifact = folders.get(check.id)?.path;
  if (artifact === undefined) return [];
  const dependencies = dependencyLayers.get(check.id)?.path;
  return [{ check, artifact, dependencies, handler: handlers.get(check.id) ?? check.handler }];
}

function keyOfCheck({ check, handler, dependencies }: CheckedFunction): string {
  const { kind, runtime, codeDir, isBundled, hasLayers, isWrapped } = check;
  return keyOf(VERSION, kind, runtime, handler, codeDir, isBundled, hasLayers, isWrapped, dependencies);
}

function checkRuntime({ runtime }: FunctionCheck): CheckProblem | 'none' {
  if (runtime === undefined || isKnownRuntime(runtime)) return 'none';
  const nearest = nearestRuntime(runtime);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return { property: 'runtime', message: `sam-sync does not know the Lambda runtime ${runtime}${hint}` };
}
