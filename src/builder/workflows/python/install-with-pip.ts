import { readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { hashFile, makeFolder } from '../../../support/files.ts';
import { mapLimit } from '../../../support/map-limit.ts';
import { withSlashes } from '../../../support/places.ts';
import { ToolError } from '../../tools/tools.ts';
import { normalizeName, parseRequirement } from './pyproject.ts';
import { cleanInstalled } from './clean-installed.ts';
import { obtainWheel } from './local-wheels.ts';
import { runPip } from './run-pip.ts';
import type { PipRun } from './run-pip.ts';
import type { Requirements } from './requirements.ts';
import { buildWheel } from './build-wheel.ts';
import { distributionOf, noWheelMessage, noWheelHint, platformTags, runsInLambda, unpackWheel } from './wheel.ts';
import type { PythonTarget } from './wheel.ts';

/** What pip is to install, and for what. */
export interface PipJob extends PipRun {
  requirements: Requirements;
  /** Folders on this machine that the requirements name. Absolute. */
  localDirs: readonly string[];
  /** Whether the requirements name everything, as an exported lock does. */
  isComplete: boolean;
}

const LOCALS_AT_ONCE = 2;

const QUIET = ['--disable-pip-version-check', '--no-input', '--no-color', '--progress-bar', 'off'];

/** Downloads, builds where there is no wheel, and unpacks what the requirements ask for. */
export async function installWithPip(job: PipJob, target: string): Promise<void> {
  const wheels = path.join(job.scratch, 'wheels');
  await makeFolder(wheels);
  const built = await buildLocals(job);
  const own = new Set([...built.values()].map((file) => nameOf(file)));
  const from = [...(job.isComplete ? ['--no-deps'] : []), '-r', await requirementsWith(job, built)];
  if (job.requirements.hasPackages) {
    try {
      await download(job, [...platformOptions(job.target), ...from], wheels);
    } catch (error) {
      if (!(error instanceof ToolError) || !needsSources(error.output)) throw error;
      await download(job, from, wheels);
      await replaceForeign(job, wheels, own);
    }
  }
  await buildSources(job, wheels);
  const files = (await readdir(wheels)).filter((file) => file.endsWith('.whl')).sort();
  const wrong = files.find((file) => !runsInLambda(file, job.target));
  if (wrong !== undefined) throw cannotRun(job, wrong);
  await mapLimit(files, 4, (file) => unpackWheel(path.join(wheels, file), target));
  await rm(wheels, { recursive: true, force: true });
  await cleanInstalled(target);
}

/** Wheels of the folders on this machine, by folder: pip itself would build each twice, and in the source. */
async function buildLocals(job: PipJob): Promise<Map<string, string>> {
  const { context, python, target, scratch } = job;
  const hint = versionHint(job);
  const build = (source: string, outDir: string, env: Record<string, string>): Promise<void> =>
    runBuild(job, { source, outDir, env });
  const built = await mapLimit(job.localDirs, LOCALS_AT_ONCE, async (dir) => {
    return [dir, await obtainWheel(dir, { context, python, target, scratch, tool: 'pip', hint, build })] as const;
  });
  return new Map(built);
}

/** A requirements file in which folders on this machine are the wheels that were built of them. */
async function requirementsWith(
  { requirements, cwd, scratch }: PipJob,
  built: ReadonlyMap<string, string>,
): Promise<string> {
  if (built.size === 0) return requirements.file;
  const wanted: string[] = [...requirements.indexOptions];
  const constraints: string[] = [];
  // then pip wants them for everything
  const withHash = requirements.lines.some(({ text }) => text.includes('--hash'));
  for (const { text, local, isConstraint, isIndexOption } of requirements.lines) {
    const wheel = local === undefined ? undefined : built.get(path.resolve(cwd, local));
    if (isConstraint) constraints.push(text);
    else if (wheel !== undefined)
      wanted.push(`${wheelLine(text, wheel, cwd)}${withHash ? await hashOption(wheel) : ''}`);
    else if (!isIndexOption) wanted.push(text);
  }
  const file = path.join(scratch, 'with-wheels.txt');
  if (constraints.length > 0) {
    await writeFile(path.join(scratch, 'constraints.txt'), `${constraints.join('\n')}\n`);
    wanted.push('-c constraints.txt');
  }
  await writeFile(file, `${wanted.join('\n')}\n`);
  return file;
}

/** A line that names a folder, with the wheel in its place. */
function wheelLine(text: string, wheel: string, cwd: string): string {
  const [wanted = '', marker] = text.split(/\s*;\s*/);
  const extras = /\[[^\]]*\]/.exec(wanted)?.[0] ?? '';
  // pip takes relative paths from where it runs, which may be another machine's name for the same folder (a container)
  const place = withSlashes(path.relative(cwd, wheel));
  return `${place.startsWith('.') ? place : `./${place}`}${extras}${marker === undefined ? '' : ` ; ${marker}`}`;
}

async function hashOption(wheel: string): Promise<string> {
  return ` --hash=sha256:${await hashFile(wheel, 'sha256', 'hex')}`;
}

/** The wheels that Lambda can run, and nothing else: also when this machine, or its Python, is another one. */
function platformOptions(target: PythonTarget): string[] {
  const platforms = platformTags(target).flatMap((tag) => ['--platform', tag]);
  return ['--only-binary=:all:', '--python-version', target.version, '--implementation', 'cp', ...platforms];
}

/** pip found no wheel for a package, or the requirements ask for one to be built from source. */
function needsSources(output: string): boolean {
  return /No matching distribution found|Could not find a version|--only-binary|no-binary|ResolutionImpossible/i.test(
    output,
  );
}

async function download(job: PipJob, args: readonly string[], wheels: string): Promise<void> {
  const { python } = job;
  const all = ['download', ...QUIET, '--exists-action', 'i', '--dest', wheels, ...args];
  const result = await runPip(job, all, 'pip download');
  if (!result.forTarget && !(python.sameVersion && python.samePlatform)) {
    const text = `environment markers were evaluated for Python ${python.version} on this machine, not for Lambda's`;
    job.context.note('warning', text);
  }
}

/**
 * Swaps what pip chose for this machine, and Lambda cannot run, for wheels that it can: of the same version, from the same
 * indexes, with the same hashes. What came from a folder, an archive or a repository is not looked for in an index, where
 * another package may have its name.
 */
async function replaceForeign(job: PipJob, wheels: string, own: ReadonlySet<string>): Promise<void> {
  const direct = directFiles(job.requirements);
  for (const file of await readdir(wheels)) {
    if (file.endsWith('.whl') && runsInLambda(file, job.target)) continue;
    const distribution = distributionOf(file);
    // pip packs folders and repositories as .zip
    if (!distribution || own.has(nameOf(file)) || direct.has(file) || file.endsWith('.zip')) continue;
    const pinned = path.join(job.scratch, 'pinned.txt');
    await writeFile(pinned, pinnedText(job.requirements, distribution));
    try {
      await download(job, [...platformOptions(job.target), '--no-deps', '-r', pinned], wheels);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      if (file.endsWith('.whl')) throw cannotRun(job, file);
      continue; // built from source below
    }
    await unlink(path.join(wheels, file));
  }
}

/** Names of archives that requirements take from a URL. */
function directFiles({ lines }: Requirements): ReadonlySet<string> {
  const urls = lines.flatMap(({ text }) => /\b(?:https?|ftp):\/\/[^\s;#?]+/.exec(text)?.[0] ?? []);
  return new Set(urls.map((url) => decodeURIComponent(path.posix.basename(url))));
}

function pinnedText(
  { lines, indexOptions }: Requirements,
  { name, version }: { name: string; version: string },
): string {
  const wanted = normalizeName(name);
  const withHash = lines.find(({ text }) => text.includes('--hash') && parseRequirement(text)?.name === wanted);
  return `${[...indexOptions, withHash?.text ?? `${name}==${version}`].join('\n')}\n`;
}

/** Turns source archives into wheels, and removes them. */
async function buildSources(job: PipJob, wheels: string): Promise<void> {
  const files = await readdir(wheels);
  for (const file of files.filter((name) => !name.endsWith('.whl'))) {
    const built = files.some((name) => name.endsWith('.whl') && isSame(distributionOf(name), distributionOf(file)));
    if (!built) await buildSource(job, path.join(wheels, file), wheels);
    await unlink(path.join(wheels, file));
  }
}

async function buildSource(job: PipJob, source: string, wheels: string): Promise<void> {
  const { scratch, target } = job;
  const build = (outDir: string, env: Record<string, string>): Promise<void> => runBuild(job, { source, outDir, env });
  const wheel = await buildWheel(source, { scratch, target, hint: versionHint(job), build });
  await rename(wheel, path.join(wheels, path.basename(wheel)));
}

async function runBuild(
  job: PipJob,
  { source, outDir, env }: { source: string; outDir: string; env: Record<string, string> },
): Promise<void> {
  // a wheel of plain Python may ask for a newer Python than the one that builds it
  const options = ['--no-deps', '--ignore-requires-python', ...job.requirements.indexOptions];
  const args = ['wheel', ...QUIET, ...options, '--wheel-dir', outDir, source];
  await runPip(job, args, `Building ${path.basename(source)}`, { env, hint: versionHint(job), native: true });
}

function nameOf(file: string): string {
  return normalizeName(distributionOf(file)?.name ?? file);
}

function isSame(a: ReturnType<typeof distributionOf>, b: ReturnType<typeof distributionOf>): boolean {
  return (
    a !== undefined && b !== undefined && normalizeName(a.name) === normalizeName(b.name) && a.version === b.version
  );
}

function cannotRun(job: PipJob, file: string): UserError {
  const { name, version } = distributionOf(file) ?? { name: file, version: undefined };
  return new UserError(noWheelMessage(name, version, job.target), { hint: versionHint(job) ?? noWheelHint() });
}

function versionHint(job: PipJob): string | undefined {
  if (job.python.sameVersion) return undefined;
  return `Python ${job.python.version} was used, because python${job.target.version} is not on PATH; packages that have to be compiled need it.`;
}
