import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { nearestName } from '../../support/nearest-name.ts';
import type { CodeFinding, CodeJob } from './code-check.ts';
import { findHandler, nearestHandler } from './find-handler.ts';
import type { FunctionFolders } from './find-handler.ts';
import type { FunctionCheck } from './function-check.ts';
import { handlerOf, placeEntryPoint, placeHandler } from './handler-location.ts';
import type { HandlerPlace } from './handler-location.ts';
import { checkJavaScript, lacksExport } from './javascript-syntax.ts';
import { checkPython } from './python-syntax.ts';
import type { Checkers } from './python-syntax.ts';
import type { Finding } from './check-records.ts';

/** A function that was built. */
export interface Subject extends FunctionFolders {
  check: FunctionCheck;
  /** As the artifact needs it. */
  handler: string | undefined;
}

/** A file to be parsed, and what it is for. */
interface CodeTask {
  subject: Subject;
  place: HandlerPlace;
  job: CodeJob;
}

/** What is wrong with each, in their order. */
export async function examine(subjects: readonly Subject[], checkers: Checkers): Promise<(Finding | 'none')[]> {
  const looked = subjects.map(examinePlace);
  const tasks = looked.filter((one) => one !== 'none' && 'job' in one);
  const findings = await examineCode(tasks, checkers);
  return looked.map((one) => {
    if (one === 'none' || !('job' in one)) return one;
    return describe(one, findings.get(one) ?? {});
  });
}

/** Whether the handler's file is there; what is in it is another question. */
function examinePlace(subject: Subject): Finding | CodeTask | 'none' {
  const { check, handler, artifact } = subject;
  if (check.runtime === undefined || check.isWrapped) return 'none';
  const isWeb = check.kind === 'web-function';
  const place = isWeb ? placeEntryPoint(check.runtime, handler) : placeHandler(check.runtime, handler);
  if (place === undefined) return 'none';
  if ('bad' in place)
    return { property: 'handler', message: `Lambda cannot call the handler ${handler}: ${place.bad}` };
  const file = findHandler(place, subject);
  if (file === undefined) return describeMissing(subject, place);
  if (file === 'elsewhere') return 'none';
  if (place.name === undefined && !(isWeb && place.language === 'nodejs')) return 'none';
  return { subject, place, job: { root: artifact, file, name: place.name ?? '', own: check.codeDir } };
}

function describeMissing({ check, artifact, handler }: Subject, place: HandlerPlace): Finding | 'none' {
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

async function examineCode(tasks: readonly CodeTask[], checkers: Checkers): Promise<Map<CodeTask, CodeFinding>> {
  const findings = new Map<CodeTask, CodeFinding>();
  const work: Promise<void>[] = [];
  const python = new Map<string, CodeTask[]>();
  for (const task of tasks) {
    const { place, job, subject } = task;
    const version = /^python(3\.\d+)$/.exec(subject.check.runtime ?? '')?.[1];
    if (version !== undefined && job.file.endsWith('.py')) python.set(version, [...(python.get(version) ?? []), task]);
    if (place.language === 'nodejs')
      work.push(examineJavaScript(task).then((finding) => void findings.set(task, finding)));
  }
  // starting a Python takes longer than what it does
  for (const [version, all] of python) {
    const jobs = all.map(({ job }) => job);
    const looking = checkPython(version, jobs, checkers).then((found) =>
      found.forEach((finding, position) => {
        const task = all[position];
        if (task) findings.set(task, finding);
      }),
    );
    work.push(looking);
  }
  await Promise.all(work);
  return findings;
}

async function examineJavaScript({ job, subject }: CodeTask): Promise<CodeFinding> {
  const parsed = subject.check.isBundled ? {} : await checkJavaScript(job);
  // a Web Function's file is run, nothing in it is called
  if (job.name === '') return parsed;
  return parsed.message === undefined ? lacksExport(job) : parsed;
}

function describe({ place, job }: CodeTask, { message, names, file, line, column }: CodeFinding): Finding | 'none' {
  if (message !== undefined) return { message, file: file ?? job.file, line, column };
  if (names === undefined) return 'none';
  const nearest = nearestName(job.name, names);
  const hint = nearest === undefined ? '' : `; did you mean ${handlerOf(place.language, job.file, nearest)}?`;
  return { property: 'handler', message: `${job.file} has no ${job.name} for the handler to call${hint}` };
}
