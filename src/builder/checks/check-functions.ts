import { statSync } from 'node:fs';
import type { RunProblem } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { BuildResult, RunProblems } from '../build-result.ts';
import { keyOf } from '../build-key.ts';
import { buildStoreDir } from '../build-options.ts';
import { isKnownRuntime, nearestRuntime } from '../lambda-runtimes.ts';
import type { Tools } from '../tools/tools.ts';
import { checkHandlers } from './check-handlers.ts';
import type { CheckedFunction } from './check-handlers.ts';
import type { FunctionCheck } from './function-check.ts';
import { locateProblem } from './locate-problem.ts';
import type { Pythons } from './python-syntax.ts';
import { openCheckRecords } from './check-records.ts';
import type { CheckResult } from './check-records.ts';

/** The part of a build's result that the checks need. */
type BuiltArtifacts = Pick<BuildResult, 'folders' | 'dependencyLayers' | 'handlers'>;

/** Checks built functions for errors that Lambda would report on the first call. Keeps the results beside the artifacts. */
export interface FunctionChecker {
  /** Never rejects: a check that fails finds nothing. */
  check(checks: readonly FunctionCheck[], built: BuiltArtifacts, tools: Tools): Promise<RunProblems>;
}

/** Raise it when the same code gives other results. */
const VERSION = 2;

/** Creates a checker. Problems name files relative to `projectDir`. */
export function createFunctionChecker(projectDir: string): FunctionChecker {
  const records = openCheckRecords(buildStoreDir(projectDir));
  const pythons: Pythons = new Map();
  const checkAll = async (
    checks: readonly FunctionCheck[],
    built: BuiltArtifacts,
    tools: Tools,
  ): Promise<RunProblems> => {
    const functions = checks.flatMap((check) => findArtifacts(check, built));
    const resultOf = ({ artifact, key }: KeyedFunction): CheckResult | undefined => records.find(artifact, key);
    const unchecked = functions.filter((checked) => resultOf(checked) === undefined);
    const results = await checkHandlers(unchecked, { tools, pythons });
    unchecked.forEach(({ artifact, key }, position) => records.set(artifact, key, results[position] ?? 'none'));
    const problems = new Map<ResourceIdentifier, RunProblem[]>();
    for (const checked of functions) {
      const { check, artifact } = checked;
      const ownProblems = [checkRuntime(check), resultOf(checked) ?? 'none'].filter((result) => result !== 'none');
      const located = ownProblems.map((problem) => locateProblem(problem, check, { artifact, projectDir }));
      if (located.length > 0) problems.set(check.id, located);
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

/** A function with the key of its check. */
interface KeyedFunction extends CheckedFunction {
  key: string;
}

function findArtifacts(check: FunctionCheck, { folders, dependencyLayers, handlers }: BuiltArtifacts): KeyedFunction[] {
  const artifact = folders.get(check.id)?.path;
  if (artifact === undefined) return [];
  const dependencies = dependencyLayers.get(check.id)?.path;
  const checked = { check, artifact, dependencies, handler: handlers.get(check.id) ?? check.handler };
  return [{ ...checked, key: keyOfCheck(checked) }];
}

function keyOfCheck({ check, artifact, handler, dependencies }: CheckedFunction): string {
  const { kind, runtime, codeDir, isBundled, hasLayers, isWrapped } = check;
  const made = [artifact, dependencies].map((folder) => folder && madeAt(folder));
  return keyOf(VERSION, kind, runtime, handler, codeDir, isBundled, hasLayers, isWrapped, dependencies, made);
}

/** An entry of the cache that was removed and made again has its old name, and perhaps another content. */
function madeAt(folder: string): number | undefined {
  return statSync(folder, { throwIfNoEntry: false })?.ctimeMs;
}

function checkRuntime({ runtime }: FunctionCheck): CheckResult {
  if (runtime === undefined || isKnownRuntime(runtime)) return 'none';
  const nearest = nearestRuntime(runtime);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return { property: 'runtime', message: `sam-sync does not know the Lambda runtime ${runtime}${hint}` };
}
