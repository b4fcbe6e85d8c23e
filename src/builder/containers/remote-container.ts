import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { saysCut } from '../../support/engine/engine-failure.ts';
import { makeFolder } from '../../support/files.ts';
import { isBelow } from '../../support/places.ts';
import { createGate } from '../../support/map-limit.ts';
import type { SpawnResult } from '../../support/process/spawn.ts';
import { changesScript } from './changes-script.ts';
import type { CopiedSource } from './copied-items.ts';
import { containerLost, createCopyCommands, engineFailed, isRunning, shellWord } from './copy-commands.ts';
import type { CopyCommands } from './copy-commands.ts';
import { createFolderCopies } from './folder-copies.ts';
import type { FolderCopies } from './folder-copies.ts';
import { launchContainer } from './launch-container.ts';
import type { BuildContainer, ContainerRequest, ExecOptions, LaunchedContainer } from './launch-container.ts';
import { mountOf, outermostFolders, volumeOption } from './mounts.ts';

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
  const open = async (): Promise<CopyCommands> => {
    const opened = await createCopyCommands(request, settings.endpoint, container);
    await opened.script(opened.ownedBy([target]));
    return opened;
  };
  // from here on the container exists, and only this call can close it
  const commands = await open().catch(async (error: unknown) => {
    await container.stop();
    throw error;
  });
  const copies = createFolderCopies(commands, path.dirname(request.temporaryDir));
  // programs that run at once would each replace the folders of the others
  const inTurn = createGate(1);
  return {
    exec: (program, args, how = {}) =>
      inTurn(() => execWithCopies({ request, settings, container, copies }, [program, ...args], how)),
    reset: async () => {
      const emptied = [path.join(settings.store, 'tmp'), request.temporaryDir];
      for (const folder of emptied) copies.forget(folder);
      if (container.hasEnded()) return false;
      const folders = emptied.map((folder) => mountOf(folder, process.platform).target);
      const words = folders.map(shellWord).join(' ');
      await commands.script([`rm -rf -- ${words}`, `mkdir -p -- ${words}`, ...commands.ownedBy(folders)]);
      return true;
    },
    close: () => container.stop(),
  };
}

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

async function execWithCopies(run: RemoteRun, command: readonly string[], how: ExecOptions): Promise<SpawnResult> {
  const { request, settings, copies } = run;
  const { temporaryDir } = request;
  // the container has them then, whatever the program does
  for (const folder of how.results ?? []) await makeFolder(folder);
  const texts = [...command, how.cwd ?? '', ...Object.values(how.env ?? {})];
  const folders = await foldersIn(texts, settings.store);
  const sources = codeSources(settings, how.cwd);
  await copies.send([...sources.code, ...settings.inputs()], [temporaryDir, ...folders.map(({ folder }) => folder)]);
  const written = folders.filter(({ isWritten }) => isWritten).map(({ folder }) => folder);
  const results = how.results ?? [temporaryDir, ...written];
  const places = [...results, ...sources.written.map((source) => source.path)];
  const { result, changed } = await execWithEnd(run, command, { ...how, places });
  // nothing reads what a failed program left in them
  for (const folder of result.code === 0 ? results : []) if (changed.has(folder)) await copies.fetch(folder);
  for (const source of sources.written) if (changed.has(source.path)) await copies.fetchChanges(source);
  return result;
}

/**
 * Runs a program and returns which places it has changed. An engine's command whose connection is cut may report success, with a
 * part of the output: what is printed last says that it is complete.
 */
async function execWithEnd(
  { request, settings: { endpoint }, container }: RemoteRun,
  command: readonly string[],
  { places, ...how }: ExecOptions & { places: readonly string[] },
): Promise<{ result: SpawnResult; changed: ReadonlySet<string | undefined> }> {
  const token = randomBytes(16).toString('hex');
  const end = new RegExp(`${token} (\\d+)([\\d ]*)\\.`);
  const onLine = (line: string): void => {
    const text = line.replace(end, '');
    if (text !== '' || text === line) how.onLine?.(text);
  };
  const since = path.join(request.temporaryDir, 'started');
  const result = await container.call('sh', ['-c', changesScript(places), token, since, ...command], {
    ...how,
    onLine,
  });
  const [, code, numbers = ''] = end.exec(result.stdout) ?? [];
  if (code !== undefined) {
    const [stdout, output] = [result.stdout.replace(end, ''), result.output.replace(end, '')];
    const changed = new Set(numbers.split(' ').map((number) => places[Number(number || NaN)]));
    return { result: { ...result, stdout, output, code: Number(code) }, changed };
  }
  // the engine could not start it
  if (result.code === 126 || result.code === 127) throw engineFailed(request, endpoint, result.output);
  const isReachable = !container.hasEnded() && !saysCut(result.output) && (await isRunning(request, container));
  // the shell was killed
  if (isReachable && result.code !== 0) return { result, changed: new Set(places) };
  throw await containerLost(request, endpoint, container);
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
      else if (kind !== '' && name !== '') found.set(path.join(store, kind, name), WRITTEN.has(kind));
    }
  }
  const there = await Promise.all(
    [...found.keys()].map(async (folder) => (await fs.stat(folder).catch(() => undefined))?.isDirectory() === true),
  );
  return [...found].filter((_, index) => there[index]).map(([folder, isWritten]) => ({ folder, isWritten }));
}
