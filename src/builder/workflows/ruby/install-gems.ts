import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { exists, makeFolder, namesIn, readTextIfExists, removeTree } from '../../../support/files.ts';
import { commonFolder } from '../../../support/places.ts';
import { copyTree, listTree } from '../../file-tree.ts';
import type { Tools } from '../../tools/tools.ts';

export const GEMFILE_LOCK = 'Gemfile.lock';

/** Gems to install. */
export interface GemJob {
  codeDir: string;
  /** Folders of local gems. Absolute. */
  locals: readonly string[];
  target: RubyTarget;
  scratch: string;
  ids: readonly string[];
  tools: Tools;
  stepId: string;
}

/** The Ruby that runs the gems. `abi`: as in folder names, `3.4.0`. */
interface RubyTarget {
  version: string;
  abi: string;
  architecture: 'x86_64' | 'arm64';
}

interface Ruby {
  program: string;
  version: string;
  /** Whether its compiled gems run on Lambda. */
  matchesLambda: boolean;
}

const COPY_EXCLUDES = ['.aws-sam', '.git', '/vendor/bundle', '/.bundle'];
/** Folders of Bundler's own: archives, and build logs with paths of this machine. */
const BOOKKEEPING = ['cache', 'build_info', 'doc', 'plugins'];

/** Installs the gems of the Gemfile, without the groups development and test, and copies the resolved lock beside them. */
export async function installGems(job: GemJob, folder: string): Promise<void> {
  const ruby = await findRuby(job);
  const base = commonFolder([job.codeDir, ...job.locals]);
  const placeOf = (dir: string): string => path.join(job.scratch, 'source', path.relative(base, dir));
  for (const dir of [job.codeDir, ...job.locals])
    if (await exists(dir)) await copyTree(dir, placeOf(dir), COPY_EXCLUDES);
  const bundle = path.join(job.scratch, 'bundle');
  const cwd = placeOf(job.codeDir);
  await job.tools.run(ruby.program, ['-S', 'bundle', 'install', ...(await offline(cwd))], {
    cwd,
    env: {
      BUNDLE_GEMFILE: path.join(cwd, 'Gemfile'),
      BUNDLE_APP_CONFIG: await copyConfig(job),
      BUNDLE_PATH: bundle,
      BUNDLE_WITHOUT: 'development:test',
      BUNDLE_FROZEN: undefined,
      BUNDLE_DEPLOYMENT: undefined,
      BUNDLE_SILENCE_ROOT_WARNING: 'true',
      RUBYOPT: undefined,
    },
    stepId: job.stepId,
    task: 'bundle install',
    displayed: 'bundle install',
    hint: ruby.matchesLambda
      ? undefined
      : `Ruby ${ruby.version} was used, because Ruby ${job.target.version} is not ${job.tools.place}.`,
  });
  if (await moveGems(job, ruby, folder))
    await fs.copyFile(path.join(cwd, GEMFILE_LOCK), path.join(folder, GEMFILE_LOCK));
}

/** Returns `--local`, for no registry, if `vendor/cache` (`bundle cache`) holds every locked gem. */
async function offline(dir: string): Promise<string[]> {
  const lock = (await readTextIfExists(path.join(dir, GEMFILE_LOCK))) ?? '';
  const gems = lock.split(/^(?=\S)/m).find((section) => section.startsWith('GEM\n')) ?? '';
  const locked = [...gems.matchAll(/^ {4}(\S+) \(([^)]+)\)$/gm)].map(([, name, version]) => `${name}-${version}.gem`);
  const cachedGems = new Set(namesIn(path.join(dir, 'vendor', 'cache')));
  return locked.length > 0 && locked.every((file) => cachedGems.has(file)) ? ['--local'] : [];
}

/** Copies the project's settings (sources, mirrors) without those that decide where gems go. */
async function copyConfig(job: GemJob): Promise<string> {
  const text = (await readTextIfExists(path.join(job.codeDir, '.bundle', 'config'))) ?? '---\n';
  const kept = text
    .split('\n')
    .filter((line) => !/^BUNDLE_(?:PATH|WITHOUT|WITH|DEPLOYMENT|FROZEN|BIN|SYSTEM|CACHE)/.test(line));
  const dir = path.join(job.scratch, 'config');
  await makeFolder(dir);
  await fs.writeFile(path.join(dir, 'config'), kept.join('\n'));
  return dir;
}

/** Moves the gems of `<bundle>/ruby/<abi>`, of any Ruby, to the folder. Returns whether there are any. */
async function moveGems(job: GemJob, ruby: Ruby, folder: string): Promise<boolean> {
  const root = path.join(job.scratch, 'bundle', 'ruby');
  const [abi] = namesIn(root);
  if (abi === undefined) return false; // an empty Gemfile
  const home = path.join(root, abi);
  for (const name of BOOKKEEPING) await removeTree(path.join(home, name));
  const compiled = path.join(home, 'extensions');
  if (!ruby.matchesLambda && (await exists(compiled))) await assertNoExtensions(job, ruby, compiled);
  for (const { path: name, absolute } of listTree(home).files)
    if (/(?:^|\/)(?:gem_make\.out|mkmf\.log)$/.test(name)) await fs.rm(absolute);
  for (const name of await fs.readdir(home)) await fs.rename(path.join(home, name), path.join(folder, name));
  return true;
}

/** Refuses compiled gems, which run only with the Ruby and processor that they were compiled for. */
async function assertNoExtensions({ ids, target }: GemJob, ruby: Ruby, compiled: string): Promise<void> {
  const marker = listTree(compiled).files.find((file) => file.path.endsWith('gem.build_complete'));
  if (marker === undefined) return;
  const gem = path.posix.basename(path.posix.dirname(marker.path));
  throw new UserError(
    `${ids.join(', ')}: ${gem} has native extensions, and Ruby ${ruby.version} on this machine cannot build them for ruby${target.version} on ${target.architecture}`,
    { hint: `Install Ruby ${target.version} on Linux with that processor, or build with --use-container.` },
  );
}

const PROBE = 'puts [RUBY_VERSION, RUBY_PLATFORM].join(" ")';

/** Finds Ruby of the function's version, else another one, which can install gems without native extensions. */
async function findRuby({ tools, target, ids }: GemJob): Promise<Ruby> {
  let other: Ruby | undefined;
  for (const name of [`ruby${target.version}`, 'ruby']) {
    for (const program of await tools.find(name)) {
      const result = await tools.probe(program, ['-e', PROBE]);
      const [version, platform = ''] = result?.stdout.trim().split(' ') ?? [];
      if (result?.code !== 0 || !version) continue;
      const machine = target.architecture === 'arm64' ? 'aarch64-linux' : 'x86_64-linux';
      const ruby = {
        program,
        version,
        matchesLambda: version.startsWith(`${target.version}.`) && platform.startsWith(machine),
      };
      if (ruby.matchesLambda) return ruby;
      other ??= ruby;
    }
  }
  if (other !== undefined) return other;
  throw new UserError(`Ruby with Bundler is needed to build ${ids.join(', ')}, and there is none ${tools.place}`, {
    hint: `Install Ruby ${target.version}: https://www.ruby-lang.org/en/downloads.`,
  });
}
