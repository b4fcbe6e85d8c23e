import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { UserError } from '../../errors.ts';
import { unknownFailure } from '../../support/engine/container-engine.ts';
import { lostConnection, saysCut } from '../../support/engine/engine-failure.ts';
import { readTextIfExists } from '../../support/files.ts';
import { isBelow } from '../../support/places.ts';
import { createGate } from '../../support/map-limit.ts';
import type { SpawnResult } from '../../support/process/spawn.ts';
import type { CopiedSource } from './copied-items.ts';
import { createFolderCopies } from './folder-copies.ts';
import type { FolderCopies } from './folder-copies.ts';
import { launchContainer } from './launch-container.ts';
import type { BuildContainer, ContainerRequest, ExecOptions, LaunchedContainer } from './launch-container.ts';
import { outermostFolders, volumeOption } from './mounts.ts';

/** What a container on another machine needs besides the request. */
interface RemoteSettings {
  /** The engine's address, for messages. */
  endpoint: string;
  /** `.aws-sam/sam-sync` of the project. */
  store: string;
  /** The folders of the code, in which programs may write. */
  code: readonly string[];
  /** What else the programs read, as far as the build knows at this moment. */
  inputs(): readonly CopiedSource[];
}

/**
 * Starts a container on an engine that does not see this machine's files. Before each program, its sources are copied to the
 * container; after it, what it wrote is copied back. The tools' caches stay with the engine, in a volume.
 */
export async function startRemoteContainer(
  request: ContainerRequest,
  settings: RemoteSettings,
): Promise<BuildContainer> {
  const { source, target } = request.caches;
  const container = await launchContainer(request, [volumeOption({ source: volumeOf(source), target })]);
  const commands = { ...copyCommands(request, settings, container), temporaryDir: path.dirname(request.temporaryDir) };
  const copies = createFolderCopies({ ...commands, name: container.name });
  // programs that run at once would each replace the folders of the others
  const inTurn = createGate(1);
  return {
    exec: (program, args, how = {}) =>
      inTurn(() => execWithCopies({ request, settings, container, copies }, [program, ...args], how)),
    reset: async () => {
      const folders = [path.join(settings.store, 'tmp'), request.temporaryDir];
      for (const folder of folders) copies.forget(folder);
      return !container.hasEnded() && (await container.call('sh', ['-c', EMPTY, ...folders], {})).code === 0;
    },
    close: () => container.stop(),
  };
}

/** Its words are the script's first ones: `$0` is one of them. */
const EMPTY = 'rm -rf -- "$0" "$@" && mkdir -p -- "$0" "$@"';

/** A name by the project's folder, so that the project finds it again. */
function volumeOf(caches: string): string {
  return `sam-sync-cache-${createHash('sha256').update(caches).digest('hex').slice(0, 16)}`;
}

interface RemoteRun {
  request: ContainerRequest;
  settings: RemoteSettings;
  container: LaunchedContainer;
  copies: FolderCopies;
}

/**
 * Writes the exit code to a file, which is copied back: an engine's command whose connection is cut may report success. The token
 * says that it is this program's.
 */
const WITH_EXIT_CODE = 'token="$1"; shift; "$@"; code=$?; echo "$token $code" > "$0"; exit "$code"';

async function execWithCopies(
  { request, settings, container, copies }: RemoteRun,
  command: readonly string[],
  how: ExecOptions,
): Promise<SpawnResult> {
  const { temporaryDir } = request;
  const texts = [...command, how.cwd ?? '', ...Object.values(how.env ?? {})];
  const folders = await foldersIn(texts, settings.store);
  const sources = codeSources(settings, how.cwd);
  await copies.send([...sources.code, ...settings.inputs()], [temporaryDir, ...folders.map(({ folder }) => folder)]);
  const exitFile = path.join(temporaryDir, 'exit-code');
  const token = randomBytes(8).toString('hex');
  const result = await container.call('sh', ['-c', WITH_EXIT_CODE, exitFile, token, ...command], how);
  await copies.fetch(temporaryDir);
  const [written, text] = ((await readTextIfExists(exitFile)) ?? '').trim().split(' ');
  const code = written === token ? Number(text) : Number.NaN;
  if (Number.isNaN(code)) {
    // the engine could not start it
    if (result.code === 126 || result.code === 127) throw unknownFailure(request.engine.name, result.output);
    throw connectionLost(request, settings);
  }
  for (const { folder, isWritten } of folders) if (isWritten) await copies.fetch(folder);
  for (const source of sources.written) await copies.fetchChanges(source);
  return { ...result, code };
}

/** A program that starts in the code may write there, and use packages that are installed there. */
function codeSources(
  { code }: RemoteSettings,
  cwd: string | undefined,
): { code: readonly CopiedSource[]; written: readonly CopiedSource[] } {
  const sources = outermostFolders(code).map((folder) => {
    const isInside =
      cwd !== undefined && (cwd === folder || isBelow(cwd, folder)) && !isBelow(cwd, path.join(folder, '.aws-sam'));
    return { path: folder, excludes: ['.aws-sam', '.git', ...(isInside ? [] : ['node_modules'])], isInside };
  });
  return { code: sources, written: sources.filter(({ isInside }) => isInside) };
}

/** Folders of the store that programs write: those of this build are named by its commands. */
const WRITTEN = new Set(['tmp', 'gradle', 'dotnet-tools']);

/** Returns the folders of the store that a command names. */
async function foldersIn(
  texts: readonly (string | undefined)[],
  store: string,
): Promise<{ folder: string; isWritten: boolean }[]> {
  const found = new Map<string, boolean>();
  for (const text of texts) {
    const [, ...parts] = (text ?? '').split(store);
    for (const part of parts) {
      const [, kind = '', name = ''] = /^[\\/]([\w-]+)[\\/]?([^\\/\s"';:,=]*)/.exec(part) ?? [];
      if (kind === 'dotnet-tools') found.set(path.join(store, kind), true);
      else if (kind !== '' && name !== '')
        found.set(path.join(store, kind, name), WRITTEN.has(kind));
    }
  }
  const there = await Promise.all(
    [...found.keys()].map(async (folder) => (await fs.stat(folder).catch(() => undefined))?.isDirectory() === true),
  );
  return [...found].filter((_, index) => there[index]).map(([folder, isWritten]) => ({ folder, isWritten }));
}

function copyCommands(
  request: ContainerRequest,
  settings: RemoteSettings,
  container: LaunchedContainer,
): { copy(from: string, to: string): Promise<void>; run(program: string, args: readonly string[]): Promise<void> } {
  const { engine } = request;
  const check = async ({ code, output }: SpawnResult): Promise<void> => {
    if (code === 0 && !container.hasEnded()) return;
    const state = await engine.run(['container', 'inspect', '--format', '{{.State.Running}}', container.name]);
    const isRunning = state.code === 0 && state.stdout.trim() === 'true';
    if (!isRunning || container.hasEnded() || saysCut(output)) throw connectionLost(request, settings);
    throw unknownFailure(engine.name, output);
  };
  return {
    copy: async (from, to) => check(await engine.run(['cp', from, to])),
    run: async (program, args) => check(await container.call(program, args, {})),
  };
}

function connectionLost({ engine, image }: ContainerRequest, { endpoint }: RemoteSettings): UserError {
  return lostConnection(engine, endpoint, `a build in ${image}`);
}
