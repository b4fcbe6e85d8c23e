import { readdir, rename, rm, unlink } from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { ToolError } from '../tools.ts';
import type { Tools } from '../tools.ts';
import type { PythonWithPip } from './python-interpreter.ts';
import { distributionOf, machineOf, platformTags, runsInLambda, unpackWheel } from './python-wheel.ts';
import type { PythonTarget } from './python-wheel.ts';
import { makeFolder } from '../../support/files.ts';

/** The user's compiler, then none: most packages with optional compiled parts notice. */
const COMPILERS: readonly Record<string, string>[] = [{}, { CC: '/var/false', CXX: '/var/false' }];

/** What pip is to install, and for what. */
export interface PipJob {
  tools: Tools;
  python: PythonWithPip;
  target: PythonTarget;
  requirementsFile: string;
  /** Folders that the requirements name. Absolute. */
  localDirs: readonly string[];
  /** pip resolves relative paths against its working folder. */
  cwd: string;
  /** An empty folder for downloads. */
  scratch: string;
  stepId: string;
  note(text: string): void;
}

const QUIET = ['--disable-pip-version-check', '--no-input', '--no-color', '--progress-bar', 'off'];

/**
 * Starts pip with markers (`; python_version < "3.12"`, `; sys_platform == "win32"`) evaluated for Lambda. pip has
 * options for the platform of wheels, but evaluates markers for the Python that runs it (pypa/pip issue 11664). With a
 * pip whose parts have other names it goes on without, and says so.
 */
const START_PIP = `
import json, runpy, sys
values = json.loads(sys.argv[1])
sys.argv = ["pip"] + sys.argv[2:]
try:
    from pip._vendor.packaging import markers
    running = markers.default_environment
    def environment():
        return {**running(), **values}
    markers.default_environment = environment
except Exception:
    print("sam-sync: markers are evaluated for this Python")
runpy.run_module("pip", run_name="__main__", alter_sys=True)
`;
const NOT_PATCHED = 'sam-sync: markers are evaluated for this Python';

/** Downloads, builds where there is no wheel, and unpacks what the requirements ask for. Returns the number of packages. */
export async function installWithPip(job: PipJob, target: string): Promise<number> {
  const wheels = path.join(job.scratch, 'wheels');
  await makeFolder(wheels);
  for (const dir of job.localDirs) await buildWheel(job, dir, wheels);
  try {
    await download(job, [...platformOptions(job.target), '-r', job.requirementsFile], wheels);
  } catch (error) {
    if (!(error instanceof ToolError) || !needsSources(error.output)) throw error;
    await downloadWithSources(job, wheels);
  }
  await buildSources(job, wheels);
  const files = (await readdir(wheels)).filter((file) => file.endsWith('.whl')).sort();
  assertAllRun(job, files);
  await mapLimit(files, 4, (file) => unpackWheel(path.join(wheels, file), target));
  await rm(wheels, { recursive: true, force: true });
  return files.length;
}

/** The wheels that Lambda can run, and nothing else: also when this machine, or its Python, is another one. */
function platformOptions(target: PythonTarget): string[] {
  return [
    '--only-binary=:all:',
    '--python-version',
    target.version,
    '--implementation',
    'cp',
    ...platformTags(target).flatMap((tag) => ['--platform', tag]),
  ];
}

/** pip found no wheel for a package, or was told by the requirements to build one from source. */
function needsSources(output: string): boolean {
  return /No matching distribution found|Could not find a version|--only-binary|no-binary|ResolutionImpossible/i.test(
    output,
  );
}

async function download(job: PipJob, args: readonly string[], wheels: string): Promise<void> {
  const result = await pip(job, ['download', ...QUIET, '--exists-action', 'i', '--dest', wheels, ...args], {
    task: 'pip download',
  });
  if (result.includes(NOT_PATCHED) && !(job.python.sameVersion && job.python.samePlatform)) {
    job.note(`environment markers were evaluated for Python ${job.python.version} on this machine, not for Lambda's`);
  }
}

/** Lets pip choose as for this machine, then swaps what Lambda cannot run for wheels that it can. */
async function downloadWithSources(job: PipJob, wheels: string): Promise<void> {
  await download(job, ['-r', job.requirementsFile], wheels);
  for (const file of await readdir(wheels)) {
    if (file.endsWith('.whl') && runsInLambda(file, job.target)) continue;
    const distribution = distributionOf(file);
    if (!distribution) continue;
    const pinned = `${distribution.name}==${distribution.version}`;
    try {
      await download(job, [...platformOptions(job.target), '--no-deps', pinned], wheels);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      if (file.endsWith('.whl')) throw cannotRun(job, file);
      continue; // built from source below
    }
    await unlink(path.join(wheels, file));
  }
}

/** Turns source archives into wheels, and removes them. */
async function buildSources(job: PipJob, wheels: string): Promise<void> {
  const files = await readdir(wheels);
  for (const file of files.filter((name) => !name.endsWith('.whl'))) {
    const distribution = distributionOf(file);
    const built = files.some((name) => name.endsWith('.whl') && sameDistribution(distributionOf(name), distribution));
    if (!built) await buildWheel(job, path.join(wheels, file), wheels);
    await unlink(path.join(wheels, file));
  }
}

/**
 * Builds a wheel from source on this machine. If it would not run in Lambda because of compiled parts, once more without
 * a compiler: many packages have such parts only to be faster.
 */
async function buildWheel(job: PipJob, source: string, wheels: string): Promise<void> {
  for (const env of COMPILERS) {
    const made = path.join(job.scratch, 'built');
    await rm(made, { recursive: true, force: true });
    await pip(job, ['wheel', ...QUIET, '--no-deps', '--wheel-dir', made, source], {
      task: `Building ${path.basename(source)}`,
      env,
      hint: versionHint(job),
      native: true,
    });
    const [file] = (await readdir(made)).filter((name) => name.endsWith('.whl'));
    if (file === undefined) continue;
    if (runsInLambda(file, job.target)) {
      return rename(path.join(made, file), path.join(wheels, file));
    }
    if (Object.keys(env).length > 0) throw cannotRun(job, file);
  }
}

async function pip(
  job: PipJob,
  args: readonly string[],
  how: { task: string; env?: Record<string, string>; hint?: string | undefined; native?: boolean },
): Promise<string> {
  const { python, target } = job;
  // a build must see the Python that does it
  const plain = how.native === true || (python.sameVersion && python.samePlatform);
  const start = plain ? ['-m', 'pip'] : ['-c', START_PIP, JSON.stringify(markerValues(target))];
  const result = await job.tools.run(python.program, [...start, ...args], {
    cwd: job.cwd,
    // nothing is installed into an environment, so none has to be active
    env: { PYTHONDONTWRITEBYTECODE: '1', PIP_REQUIRE_VIRTUALENV: 'false', ...how.env },
    stepId: job.stepId,
    task: how.task,
    shown: `${path.basename(python.program)} -m pip ${args.join(' ')}`,
    hint: how.hint,
  });
  return result.stdout;
}

/** What markers see in Lambda. The patch level is not known; `.0` is what ranges expect. */
function markerValues(target: PythonTarget): Record<string, string> {
  return {
    python_version: target.version,
    python_full_version: `${target.version}.0`,
    implementation_name: 'cpython',
    implementation_version: `${target.version}.0`,
    platform_python_implementation: 'CPython',
    os_name: 'posix',
    sys_platform: 'linux',
    platform_system: 'Linux',
    platform_machine: machineOf(target.architecture),
  };
}

function sameDistribution(a: ReturnType<typeof distributionOf>, b: ReturnType<typeof distributionOf>): boolean {
  return a !== undefined && b !== undefined && plainName(a.name) === plainName(b.name) && a.version === b.version;
}

/** Names that differ in case and `-`, `_`, `.` are one (PEP 503). */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

function assertAllRun(job: PipJob, files: readonly string[]): void {
  const wrong = files.find((file) => !runsInLambda(file, job.target));
  if (wrong !== undefined) throw cannotRun(job, wrong);
}

function cannotRun(job: PipJob, file: string): UserError {
  const { name, version } = distributionOf(file) ?? { name: file, version: '' };
  const { target } = job;
  return new UserError(
    `${name} ${version} has no wheel for Python ${target.version} on Linux ${target.architecture}, and could not be built for it here`,
    {
      hint:
        versionHint(job) ??
        'Ask for a version that has such a wheel, change the architecture, or build in a container with --use-container.',
    },
  );
}

function versionHint(job: PipJob): string | undefined {
  if (job.python.sameVersion) return undefined;
  return `Python ${job.python.version} was used, because python${job.target.version} is not on PATH; packages that have to be compiled need it.`;
}
