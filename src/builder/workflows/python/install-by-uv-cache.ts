import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { isMissing } from '../../../support/files.ts';
import { inTurns } from '../../../support/map-limit.ts';
import { placeBelow } from '../../../support/places.ts';
import { makeFolders } from '../../file-tree.ts';
import { ToolError } from '../../tools/tools.ts';
import type { BuildContext } from '../workflow.ts';
import { cleanInstalled } from './clean-installed.ts';
import { targetOptions } from './install-with-uv.ts';
import type { PythonInterpreter } from './interpreter.ts';
import { isPlain, settingsLikePip } from './plain-pip.ts';
import type { Requirements } from './requirements.ts';
import { placeInLambda } from './wheel.ts';
import type { PythonTarget } from './wheel.ts';

/** An installation that pip would do. */
export interface UvCacheJob {
  context: BuildContext;
  requirements: Requirements;
  python: PythonInterpreter;
  target: PythonTarget;
  /** An empty folder. */
  scratch: string;
}

/**
 * Installs plain requirements with uv, if there is one, as pip would: uv chooses and unpacks the wheels, in a third of the time,
 * and their files are copied unchanged from its cache, to which it links. Returns false, and leaves `folder` empty, if pip has to
 * do it: for settings that uv does not read, packages without a wheel, errors, which pip explains, and a cache with other
 * files than those of the wheels.
 */
export async function installByUvCache(job: UvCacheJob, folder: string): Promise<boolean> {
  const { context, requirements, python } = job;
  const { tools } = context;
  if (tools.identity !== undefined || !isPlain(requirements)) return false;
  const [uv] = await tools.find('uv');
  const settings = uv === undefined ? undefined : await settingsLikePip(tools, python);
  if (uv === undefined || settings === undefined) return false;
  const linked = path.join(job.scratch, 'linked');
  try {
    await runUv(job, { uv, settings, linked });
    for (const wheel of await wheelsOf(linked)) await copyWheel(wheel, folder);
  } catch (error) {
    if (!(error instanceof ToolError || error instanceof NotAsInWheel || isMissing(error))) throw error;
    await fs.rm(folder, { recursive: true, force: true });
    await fs.mkdir(folder, { recursive: true });
    return false;
  }
  await cleanInstalled(folder);
  context.note('info', 'uv installed requirements.txt in place of pip, which takes longer for the same files');
  return true;
}

/** uv's cache is not what the wheel is. */
class NotAsInWheel extends Error {}

async function runUv(
  { context: { tools, stepId }, requirements, python, target, scratch }: UvCacheJob,
  { uv, settings, linked }: { uv: string; settings: Readonly<Record<string, string>>; linked: string },
): Promise<void> {
  const args = [
    'pip',
    'install',
    '--quiet',
    '--no-config',
    '--no-compile-bytecode',
    '--only-binary=:all:',
    '--link-mode=symlink',
    '-r',
    requirements.file,
    '--target',
    linked,
    '--python',
    python.program,
    ...targetOptions(target),
  ];
  const env = { ...settings, UV_PYTHON_DOWNLOADS: 'never' };
  await tools.run(uv, args, { cwd: scratch, env, stepId, task: 'uv pip install' });
}

/** An unpacked wheel in uv's cache. */
interface UnpackedWheel {
  root: string;
  /** The folder of its metadata. */
  info: string;
}

async function wheelsOf(linked: string): Promise<UnpackedWheel[]> {
  const names = (await fs.readdir(linked)).filter((name) => name.endsWith('.dist-info')).sort();
  return Promise.all(
    names.map(async (info) => {
      const metadata = path.join(linked, info, 'METADATA');
      const real = await fs.realpath(metadata);
      // where it cannot link, it copies
      if (real === (await fs.realpath(path.dirname(metadata))) + path.sep + 'METADATA') throw new NotAsInWheel();
      return { root: path.dirname(path.dirname(real)), info };
    }),
  );
}

/** Copies the files that the wheel's `RECORD` lists. Environments share the cache, so that an edit in one of them changes it. */
async function copyWheel({ root, info }: UnpackedWheel, folder: string): Promise<void> {
  const record = `${info}/RECORD`;
  const listed = [...recordedFiles(await fs.readFile(path.join(root, record), 'utf8'))];
  const names = new Set(listed.map(([name]) => name));
  for (const item of await fs.readdir(root, { recursive: true, withFileTypes: true })) {
    const name = path.relative(root, path.join(item.parentPath, item.name)).split(path.sep).join('/');
    if (!item.isDirectory() && !names.has(name) && !name.includes('__pycache__/')) throw new NotAsInWheel();
  }
  const files = listed.map(([name, hash]) => {
    const place = placeBelow(folder, placeInLambda(name), `A file of ${info}`);
    return {
      source: placeBelow(root, name, `A file of ${info}`),
      place,
      hash,
      isFree: name.startsWith(`${info}/RECORD`),
    };
  });
  await makeFolders(
    folder,
    files.map(({ place }) => path.dirname(place)),
  );
  await inTurns(files, ({ source, place, hash, isFree }) => {
    const content = readFileSync(source);
    const isSame = hash === `sha256=${createHash('sha256').update(content).digest('base64url')}`;
    if (!isSame && !isFree) throw new NotAsInWheel();
    writeFileSync(place, content, { mode: (statSync(source).mode & 0o111) === 0 ? 0o644 : 0o755 });
  });
}

/** Reads names and hashes from a `RECORD`: lines of comma-separated values. */
function* recordedFiles(text: string): Generator<[name: string, hash: string]> {
  for (const line of text.split(/\r?\n/)) {
    const [, quoted, plain, hash = ''] = /^(?:"((?:[^"]|"")*)"|([^,]*)),([^,]*),[^,]*$/.exec(line) ?? [];
    const name = quoted?.replaceAll('""', '"') ?? plain;
    if (name !== undefined && name !== '') yield [name, hash];
  }
}
