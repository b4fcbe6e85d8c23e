import { readdir, rename, rm, unlink } from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { hashFile, makeFolder, writeFileAtomic } from '../../../support/files.ts';
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

/** An installation by pip. */
export interface PipJob extends PipRun {
  requirements: Requirements;
  /** Local folders in the requirements. Absolute. */
  localDirs: readonly string[];
  /** Whether the requirements list all packages, as an exported lock does. */
  isComplete: boolean;
}

const LOCALS_AT_ONCE = 2;

const QUIET = ['--disable-pip-version-check', '--no-input', '--no-color', '--progress-bar', 'off'];

/** Downloads the required packages, builds those without a wheel, and unpacks them into `target`. */
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
  const foreign = files.find((file) => !runsInLambda(file, job.target));
  if (foreign !== undefined) throw cannotRun(job, foreign);
  for (const file of files) await unpackWheel(path.join(wheels, file), target);
  await rm(wheels, { recursive: true, force: true });
  await cleanInstalled(target);
}

/** Builds wheels of local folders; returns them by folder. pip itself would build each twice, and in the source. */
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

/** Writes a requirements file with built wheels in place of local folders. */
async function requirementsWith(
  { requirements, cwd, scratch }: PipJob,
  built: ReadonlyMap<string, string>,
): Promise<string> {
  if (built.size === 0) return requirements.file;
  const lines: string[] = [...requirements.indexOptions];
  const constraints: string[] = [];
  // with one hash pip requires hashes for all
  const withHash = requirements.lines.some(({ text }) => text.includes('--hash'));
  for (const { text, local, isConstraint, isIndexOption } of requirements.lines) {
    const wheel = local === undefined ? undefined : built.get(path.resolve(cwd, local));
    if (isConstraint) constraints.push(text);
    else if (wheel !== undefined)
      lines.push(`${wheelLine(text, wheel, cwd)}${withHash ? await hashOption(wheel) : ''}`);
    else if (!isIndexOption) lines.push(text);
  }
  const file = path.join(scratch, 'with-wheels.txt');
  if (constraints.length > 0) {
    await writePrivate(path.join(scratch, 'constraints.txt'), constraints);
    lines.push('-c constraints.txt');
  }
  await writePrivate(file, lines);
  return file;
}

/** Replaces the folder in a line by its wheel. */
function wheelLine(text: string, wheel: string, cwd: string): string {
  const [wanted = '', marker] = text.split(/\s*;\s*/);
  const extras = /\[[^\]]*\]/.exec(wanted)?.[0] ?? '';
  // relative to pip's working folder, whose absolute path may differ in a container
  const place = withSlashes(path.relative(cwd, wheel));
  return `${place.startsWith('.') ? place : `./${place}`}${extras}${marker === undefined ? '' : ` ; ${marker}`}`;
}

async function hashOption(wheel: string): Promise<string> {
  return ` --hash=sha256:${await hashFile(wheel, 'sha256', 'hex')}`;
}

/** Returns the options that restrict pip to wheels for Lambda, whatever this machine and its Python are. */
function platformOptions(target: PythonTarget): string[] {
  const platforms = platformTags(target).flatMap((tag) => ['--platform', tag]);
  return ['--only-binary=:all:', '--python-version', target.version, '--implementation', 'cp', ...platforms];
}

/** Whether pip found no wheel for a package, or the requirements demand a build from source. */
function needsSources(output: string): boolean {
  return /No matching distribution found|Could not find a version|--only-binary|no-binary|ResolutionImpossible/i.test(
    output,
  );
}

async function download(job: PipJob, args: readonly string[], wheels: string): Promise<void> {
  const { python } = job;
  const command = ['download', ...QUIET, '--exists-action', 'i', '--dest', wheels, ...args];
  const result = await runPip(job, command, 'pip download');
  if (!result.forTarget && !(python.sameVersion && python.samePlatform)) {
    const text = `pip evaluated environment markers for Python ${python.version} on this machine, not for Lambda's Python`;
    job.context.note('warning', text);
  }
}

/**
 * Replaces files for this machine that Lambda cannot run by wheels that it can: of the same version, from the same indexes, with
 * the same hashes. Packages from a folder, an archive or a repository are not searched in an index, where another package may
 * have the same name.
 */
async function replaceForeign(job: PipJob, wheels: string, own: ReadonlySet<string>): Promise<void> {
  const direct = directFiles(job.requirements);
  for (const file of await readdir(wheels)) {
    if (file.endsWith('.whl') && runsInLambda(file, job.target)) continue;
    const distribution = distributionOf(file);
    // pip packs folders and repositories as .zip
    if (!distribution || own.has(nameOf(file)) || direct.has(file) || file.endsWith('.zip')) continue;
    const pinned = path.join(job.scratch, 'pinned.txt');
    await writePrivate(pinned, pinnedLines(job.requirements, distribution));
    try {
      await download(job, [...platformOptions(job.target), '--no-deps', '-r', pinned], wheels);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      if (file.endsWith('.whl')) throw cannotRun(job, file);
      continue; // buildSources builds it
    }
    await unlink(path.join(wheels, file));
  }
}

/** Returns the names of archives that requirements name by URL. */
function directFiles({ lines }: Requirements): ReadonlySet<string> {
  const urls = lines.flatMap(({ text }) => /\b(?:https?|ftp):\/\/[^\s;#?]+/.exec(text)?.[0] ?? []);
  return new Set(urls.map((url) => decodeURIComponent(path.posix.basename(url))));
}

function pinnedLines(
  { lines, indexOptions }: Requirements,
  { name, version }: { name: string; version: string },
): string[] {
  const wanted = normalizeName(name);
  const withHash = lines.find(({ text }) => text.includes('--hash') && parseRequirement(text)?.name === wanted);
  return [...indexOptions, withHash?.text ?? `${name}==${version}`];
}

/** Builds wheels of source archives and removes the archives. */
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
  // a pure Python wheel may require a newer Python than the one that builds it
  const options = ['--no-deps', '--ignore-requires-python', '--wheel-dir', outDir, ...(await indexFile(job))];
  const args = ['wheel', ...QUIET, ...options, source];
  await runPip(job, args, `Building ${path.basename(source)}`, { env, hint: versionHint(job), native: true });
}

/** The indexes by way of a file: command lines can be seen, and URLs of indexes may hold logins. */
async function indexFile({ requirements: { indexOptions }, scratch }: PipJob): Promise<string[]> {
  if (indexOptions.length === 0) return [];
  const file = path.join(scratch, 'indexes.txt');
  await writePrivate(file, indexOptions);
  return ['-r', file];
}

async function writePrivate(file: string, lines: readonly string[]): Promise<void> {
  await writeFileAtomic(file, `${lines.join('\n')}\n`, { mode: 0o600 });
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
