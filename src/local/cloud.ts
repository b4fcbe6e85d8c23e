import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { note, step, type Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import { isMissing, readTextIfExists, removeTree } from '../support/files.ts';
import { isRunning } from '../support/process/running.ts';
import { askCloud, probePort, type CloudHealth } from './cloud-client.ts';
import { isCloudProcess } from './cloud-process.ts';
import { ensureInstalled, readPlugin } from './installation.ts';
import { launch, PORT_TAKEN_EXIT_CODE, type CloudFiles, type LaunchedCloud } from './launch.ts';
import { describeCloud, endpointOf, type LocalCloud } from './local-cloud.ts';

/** The default port, which AWS emulators have in common. */
export const DEFAULT_CLOUD_PORT = 4566;

/** A cold start on a slow disk takes a few seconds. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/** Identifies a local cloud; each port has its own. */
export interface CloudPlace {
  /** From `userCacheDir`. Absolute. */
  cacheDir: string;
  port: number;
}

/** What `ensureCloud` needs. */
export interface EnsureCloudOptions extends CloudPlace {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  /** Default: the plugin of this package. */
  pluginDir?: string | undefined;
}

/** Status of a local cloud. `answering` is false while it starts or hangs. */
export interface CloudStatus {
  pid: number;
  answering: boolean;
  endpoint: string;
  logFile: string;
}

/** Returns the running local cloud. Installs it once and starts it if needed; it outlives this process. */
export async function ensureCloud(options: EnsureCloudOptions): Promise<LocalCloud> {
  const { port, reporter, signal } = options;
  const files = cloudFiles(options);
  const [plugin, running] = await Promise.all([readPlugin(options.pluginDir), findRunning(options, signal)]);
  if (running) {
    if (running.version !== plugin.version) {
      throw new UserError(`The local cloud on port ${port} was started by another version of sam-sync`, {
        hint: 'Stop it with `sam-sync cloud stop`, which discards everything deployed to it, then try again.',
      });
    }
    note(reporter, 'debug', `Local cloud already on port ${port} (process ${running.pid})`);
    return describeCloud(files, port, { pid: running.pid, started: false });
  }
  const installation = await ensureInstalled(plugin, options);
  return step(reporter, { kind: 'start', id: 'start:local-cloud', label: 'the local cloud' }, async () => {
    const launched = await launch({ installation, port, env: options.env, files, detached: true });
    try {
      const { pid } = await waitUntilAnswering(launched, files, port, signal);
      launched.release();
      return { value: describeCloud(files, port, { pid, started: true }), detail: `port ${port}` };
    } catch (error) {
      launched.kill();
      throw error;
    }
  });
}

/** Stops the local cloud and waits until it is gone. Returns false if none was running. */
export async function stopCloud(place: CloudPlace, signal?: AbortSignal): Promise<boolean> {
  const status = await cloudStatus(place, signal);
  if (!status) return false;
  const files = cloudFiles(place);
  if (status.answering) await askCloud(place.port, 'POST', '/_sam-sync/stop', { signal });
  const ended = status.answering && (await waitForEnd(status.pid, files, signal));
  if (!ended) await killCloud(status.pid, files, signal);
  await fs.rm(files.state, { force: true });
  await removeTree(files.temporary);
  return true;
}

/** Returns the status of the local cloud on the port; undefined if none is running. Throws if another program has the port. */
export async function cloudStatus(place: CloudPlace, signal?: AbortSignal): Promise<CloudStatus | undefined> {
  const files = cloudFiles(place);
  const endpoint = endpointOf(place.port);
  const occupant = await probePort(place.port, signal);
  if (occupant.kind === 'cloud' && occupant.health.log === files.log) {
    return { pid: occupant.health.pid, answering: true, endpoint, logFile: files.log };
  }
  const pid = occupant.kind === 'silent' ? await silentCloud(files) : undefined;
  if (pid !== undefined) return { pid, answering: false, endpoint, logFile: files.log };
  if (occupant.kind === 'nothing') return undefined;
  throw portTaken(place.port, occupant.kind === 'cloud' ? occupant.health : undefined);
}

/** Returns the running local cloud. Throws if none is running. */
export async function runningCloud(place: CloudPlace, signal?: AbortSignal): Promise<LocalCloud> {
  const status = await cloudStatus(place, signal);
  if (!status) throw notRunning(place.port);
  return describeCloud(cloudFiles(place), place.port, { pid: status.pid, started: false });
}

/** Discards everything deployed to the running local cloud. */
export async function resetCloud(place: CloudPlace, signal?: AbortSignal): Promise<void> {
  await runningCloud(place, signal);
  const answer = await askCloud(place.port, 'POST', '/_ministack/reset', { signal, timeoutMs: 60_000 });
  if (answer.status !== 200) {
    throw new UserError(`Could not reset the local cloud (HTTP ${answer.status}): ${answer.body}`, {
      hint: '`sam-sync cloud stop` and `sam-sync cloud start` have the same effect.',
    });
  }
}

/** Reads the log of the local cloud on the port from a byte offset. */
export async function readCloudLog(place: CloudPlace, from = 0): Promise<{ file: string; text: string; end: number }> {
  const { log } = cloudFiles(place);
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(log, 'r');
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UserError(`The local cloud on port ${place.port} has no log: it was never started`, {
      hint: 'Start it with `sam-sync cloud start` or `sam-sync sync --local …`.',
    });
  }
  try {
    const { size } = await handle.stat();
    // a shorter file is new: the cloud was restarted
    const start = size < from ? 0 : from;
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    return { file: log, text: buffer.toString('utf8', 0, bytesRead), end: start + bytesRead };
  } finally {
    await handle.close();
  }
}

/** Returns the files of the local cloud on a port. */
function cloudFiles(place: CloudPlace): CloudFiles {
  const folder = path.join(place.cacheDir, `cloud-${place.port}`);
  return {
    log: path.join(folder, 'log.txt'),
    state: path.join(folder, 'state.json'),
    temporary: path.join(folder, 'tmp'),
  };
}

/** Waits until the launched cloud responds, or one that another command launched at the same time. */
export async function waitUntilAnswering(
  launched: LaunchedCloud,
  files: CloudFiles,
  port: number,
  signal: AbortSignal | undefined,
): Promise<CloudHealth> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    // read first: the loser of a race for the port has exited before the winner accepts connections
    const exitCode = launched.exitCode();
    const occupant = await probePort(port, signal);
    if (occupant.kind === 'cloud' && occupant.health.log === files.log) return occupant.health;
    if (occupant.kind === 'cloud') throw portTaken(port, occupant.health);
    if (occupant.kind === 'other') throw portTaken(port);
    if (exitCode !== undefined && exitCode !== PORT_TAKEN_EXIT_CODE) {
      throw await startFailure(`ended with exit code ${exitCode}`, files);
    }
    await delay(25, undefined, { signal });
  }
  throw await startFailure(`did not respond within ${START_TIMEOUT_MS / 1000} s`, files);
}

/** Returns our cloud on the port; undefined if the port is free. Throws if another program has the port or our cloud hangs. */
async function findRunning(place: CloudPlace, signal: AbortSignal | undefined): Promise<CloudHealth | undefined> {
  const files = cloudFiles(place);
  const occupant = await probePort(place.port, signal);
  if (occupant.kind === 'nothing') return undefined;
  if (occupant.kind === 'cloud' && occupant.health.log === files.log) return occupant.health;
  if (occupant.kind === 'silent' && (await silentCloud(files)) !== undefined) {
    throw new UserError(`The local cloud on port ${place.port} does not respond`, {
      hint: 'Stop it with `sam-sync cloud stop`, then try again.',
    });
  }
  throw portTaken(place.port, occupant.kind === 'cloud' ? occupant.health : undefined);
}

async function startFailure(event: string, files: CloudFiles): Promise<UserError> {
  const lines = ((await readTextIfExists(files.log)) ?? '').trimEnd().split('\n').slice(-20).join('\n');
  return new UserError(`The local cloud ${event}. The end of its log, ${files.log}:\n${lines}`, {
    hint: `If its packages are damaged, remove the folder ${path.dirname(path.dirname(files.log))} to install them again.`,
  });
}

function portTaken(port: number, cloud?: CloudHealth): UserError {
  const owner = cloud ? `a local cloud of another user or cache folder (log: ${cloud.log})` : 'another program';
  return new UserError(`Port ${port} of the local cloud is in use by ${owner}`, {
    hint: `Stop that program, or choose another port: SAM_SYNC_CLOUD_PORT=${port + 1}`,
  });
}

/** Creates the error of a command that needs a running local cloud. */
function notRunning(port: number): UserError {
  return new UserError(`No local cloud is running on port ${port}`, { hint: 'Start it with `sam-sync cloud start`.' });
}

/** Waits until the process ends. Returns false if it still runs. Does not wait for another process that reused the ID. */
async function waitForEnd(pid: number, files: CloudFiles, signal: AbortSignal | undefined): Promise<boolean> {
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (isRunning(pid)) {
    if (performance.now() > deadline) return (await isCloudProcess(pid, files)) === false;
    await delay(25, undefined, { signal });
  }
  return true;
}

/** Kills the process only if it is certainly ours. */
async function killCloud(pid: number, files: CloudFiles, signal: AbortSignal | undefined): Promise<void> {
  const isOurs = await isCloudProcess(pid, files);
  if (isOurs === false) return;
  if (isOurs === undefined) {
    throw new UserError(
      `The local cloud (process ${pid}) does not end, and its command line cannot be read to identify it`,
      {
        hint: 'End the process yourself if it is Python running start.py of sam-sync.',
      },
    );
  }
  process.kill(pid, 'SIGKILL');
  await waitForEnd(pid, files, signal);
}

/** Returns our process that does not respond; undefined if another program has the port. */
async function silentCloud(files: CloudFiles): Promise<number | undefined> {
  const pid = await readPid(files.state);
  return pid !== undefined && (await isCloudProcess(pid, files)) !== false ? pid : undefined;
}

async function readPid(file: string): Promise<number | undefined> {
  try {
    const pid: unknown = JSON.parse((await readTextIfExists(file)) ?? '{}').pid;
    return typeof pid === 'number' && Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
