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
import type { CheckProblem } from './check-records.ts';

/** A function that was built. */
export interface CheckedFunction extends FunctionFolders {
  check: FunctionCheck;
  /** As the artifact needs it. */
  handler: string | undefined;
}

/** A file to be parsed, and what it is for. */
interface HandlerCodeCheck {
  checked: CheckedFunction;
  place: HandlerLocation;
  job: CodeCheck;
}

/** What is wrong with each, in their order. */
export async function checkHandlers(
  functions: readonly CheckedFunction[],
  checkers: Checkers,
): Promise<(CheckProblem | 'none')[]> {
  const results = functions.map(checkLocation);
  const tasks = results.filter((one) => one !== 'none' && 'job' in one);
  const problems = await checkCode(tasks, checkers);
  return results.map((one) => {
    if (one === 'none' || !('job' in one)) return one;
    return describe(one, problems.get(one) ?? {});
  });
}

/** Whether the handler's file is there; what is in it is another question. */
function checkLocation(checked: CheckedFunction): CheckProblem | HandlerCodeCheck | 'none' {
  const { check, handler, artifact } = checked;
  if (check.runtime === undefined || check.isWrapped) return 'none';
  const isWeb = check.kind === 'web-function';
  const place = isWeb ? locateEntryPoint(check.runtime, handler) : locateHandler(check.runtime, handler);
  if (place === undefined) return 'none';
  if ('bad' in place)
    return { property: 'handler', message: `Lambda cannot call the handler ${handler}: ${place.bad}` };
  const file = findHandler(place, checked);
  if (file === undefined) return describeMissing(checked, place);
  if (file === 'elsewhere') return 'none';
  if (place.name === undefined && !(isWeb && place.language === 'nodejs')) return 'none';
  return { checked, place, job: { root: artifact, file, name: place.name ?? '', own: check.codeDir } };
}

function describeMissing({ check, artifact, handler }: CheckedFunction, place: HandlerLocation): CheckProblem | 'none' {
  const [file = ''] = place.files;
  const isOwn = (candidate: string): boolean => existsSync(path.join(check.codeDir, candidate));
  const nearest = nearestHandler(place, artifact, isOwn);
  // a layer may hold it, unless it looks like a slip of the pen
  if (check.hasLayers && nearest === undefined) return 'none';
  const leftOut = place.files.find((candidate) => candidate.includes('.') && isOwn(candidate));
  const why =
    leftOut === undefined
      ? `the artifact has no file ${file}`
      : `the build leaves ${leftOut} out (see .gitignore, .npmignore and "files" in package.json)`;
  const property = check.kind === 'web-function' ? 'entry point' : 'handler';
  const what = file === 'bootstrap' ? why : `the ${property} ${handler} cannot be found: ${why}`;
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
  // starting a Python takes longer than what it does
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
  // a Web Function's file is run, nothing in it is called
  if (job.name === '') return parsed;
  return parsed.message === undefined ? lacksExport(job) : parsed;
}

function describe(
  { place, job }: HandlerCodeCheck,
  { message, names, file, line, column }: CodeProblem,
): CheckProblem | 'none' {
  if (message !== undefined) return { message, file: file ?? job.file, line, column };
  if (names === undefined) return 'none';
  const nearest = nearestName(job.name, names);
  const hint = nearest === undefined ? '' : `; did you mean ${handlerOf(place.language, job.file, nearest)}?`;
  return { property: 'handler', message: `${job.file} has no ${job.name} for the handler to call${hint}` };
}
