import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { nearestName } from '../../support/nearest-name.ts';
import type { CodeProblem, CodeCheck } from './code-check.ts';
import { findHandler, nearestHandler } from './find-handler.ts';
import type { FunctionFolders } from './find-handler.ts';
import type { FunctionCheck } from './function-check.ts';
import { handlerOf, locateEntryPoint, locateHandler } from './handler-location.ts';
import type { HandlerLocation } from './handler-location.ts';
import { checkJavaScript, lacksExport } from './javascript-syntax.ts';
import { checkPython } from './python-syntax.ts';
import type { Checkers } from './python-syntax.ts';
import type { CheckResult } from './check-records.ts';

/** A built function to check. */
export interface CheckedFunction extends FunctionFolders {
  check: FunctionCheck;
  /** The handler that fits the artifact. */
  handler: string | undefined;
}

/** A handler's file to parse. */
interface HandlerCodeCheck {
  checked: CheckedFunction;
  place: HandlerLocation;
  job: CodeCheck;
}

/** Checks the handlers of functions; returns the results in the same order. */
export async function checkHandlers(functions: readonly CheckedFunction[], checkers: Checkers): Promise<CheckResult[]> {
  const results = functions.map(checkLocation);
  const tasks = results.filter((one) => one !== 'none' && 'job' in one);
  const problems = await checkCode(tasks, checkers);
  return results.map((one) => {
    if (one === 'none' || !('job' in one)) return one;
    return describe(one, problems.get(one) ?? {});
  });
}

/** Checks that the handler's file exists; returns the check of its content, if there is one. */
function checkLocation(checked: CheckedFunction): CheckResult | HandlerCodeCheck {
  const { check, handler, artifact } = checked;
  if (check.runtime === undefined || check.isWrapped) return 'none';
  const isWeb = check.kind === 'web-function';
  const place = isWeb ? locateEntryPoint(check.runtime, handler) : locateHandler(check.runtime, handler);
  if (place === undefined) return 'none';
  if ('invalid' in place)
    return { property: 'handler', message: `Lambda cannot call the handler ${handler}: ${place.invalid}` };
  const file = findHandler(place, checked);
  if (file === undefined) return describeMissing(checked, place);
  if (file === 'elsewhere') return 'none';
  if (place.name === undefined && !(isWeb && place.language === 'nodejs')) return 'none';
  return { checked, place, job: { root: artifact, file, name: place.name ?? '', own: check.codeDir } };
}

function describeMissing({ check, artifact, handler }: CheckedFunction, place: HandlerLocation): CheckResult {
  const [file = ''] = place.files;
  const isOwn = (candidate: string): boolean => existsSync(path.join(check.codeDir, candidate));
  const nearest = nearestHandler(place, artifact, isOwn);
  // a layer may hold it, unless a similar name suggests a typo
  if (check.hasLayers && nearest === undefined) return 'none';
  const leftOut = place.files.find((candidate) => candidate.includes('.') && isOwn(candidate));
  const cause =
    leftOut === undefined
      ? `the artifact has no file ${file}`
      : `the build leaves out ${leftOut} (see .gitignore, .npmignore and "files" in package.json)`;
  const property = check.kind === 'web-function' ? 'entry point' : 'handler';
  const what = file === 'bootstrap' ? cause : `the ${property} ${handler} cannot be found: ${cause}`;
  return { property: 'handler', message: nearest === undefined ? what : `${what}; did you mean ${nearest}?` };
}

async function checkCode(
  tasks: readonly HandlerCodeCheck[],
  checkers: Checkers,
): Promise<Map<HandlerCodeCheck, CodeProblem>> {
  const problems = new Map<HandlerCodeCheck, CodeProblem>();
  const work: Promise<void>[] = [];
  const python = new Map<string, HandlerCodeCheck[]>();
  for (const task of tasks) {
    const { place, job, checked } = task;
    const version = /^python(3\.\d+)$/.exec(checked.check.runtime ?? '')?.[1];
    if (version !== undefined && job.file.endsWith('.py')) python.set(version, [...(python.get(version) ?? []), task]);
    if (place.language === 'nodejs')
      work.push(checkJavaScriptCode(task).then((problem) => void problems.set(task, problem)));
  }
  // one process for all: starting Python takes longer than the checks
  for (const [version, all] of python) {
    const jobs = all.map(({ job }) => job);
    const looking = checkPython(version, jobs, checkers).then((found) =>
      found.forEach((problem, position) => {
        const task = all[position];
        if (task) problems.set(task, problem);
      }),
    );
    work.push(looking);
  }
  await Promise.all(work);
  return problems;
}

async function checkJavaScriptCode({ job, checked }: HandlerCodeCheck): Promise<CodeProblem> {
  const parsed = checked.check.isBundled ? {} : await checkJavaScript(job);
  // Lambda runs a Web Function's file and calls nothing in it
  if (job.name === '') return parsed;
  return parsed.message === undefined ? lacksExport(job) : parsed;
}

function describe({ place, job }: HandlerCodeCheck, { message, names, file, line, column }: CodeProblem): CheckResult {
  if (message !== undefined) return { message, file: file ?? job.file, line, column };
  if (names === undefined) return 'none';
  const nearest = nearestName(job.name, names);
  const hint = nearest === undefined ? '' : `; did you mean ${handlerOf(place.language, job.file, nearest)}?`;
  return { property: 'handler', message: `${job.file} does not define ${job.name}, which the handler names${hint}` };
}
