import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { note, step, type Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import { isMissing, readTextIfExists, removeTree } from '../support/files.ts';
import { isRunning } from '../support/running.ts';
import { askCloud, probePort, type CloudHealth } from './cloud-client.ts';
import { isCloudProcess } from './cloud-process.ts';
import { ensureInstalled, readPlugin } from './installation.ts';
import { launch, PORT_TAKEN_EXIT_CODE, type CloudFiles, type LaunchedCloud } from './launch.ts';
import { describeCloud, endpointOf, type LocalCloud } from './local-cloud.ts';

/** The port without `SAM_SYNC_CLOUD_PORT`: the one that AWS emulators have in common. */
export const DEFAULT_CLOUD_PORT = 4566;

/** A cold start on a slow disk takes a few seconds; this is when we stop believing in it. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/** Which local cloud: there may be one per port. */
export interface CloudPlace {
  /** From `cloudCacheDir`. Absolute. */
  cacheDir: string;
  port: number;
}

/** What `ensureCloud` needs. */
export interface EnsureCloudOptions extends CloudPlace {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  /** By default the one of this package. */
  pluginDir?: string | undefined;
}

/** What is known of a local cloud; `answering` is false while it starts or hangs. */
export interface CloudStatus {
  pid: number;
  answering: boolean;
  endpoint: string;
  logFile: string;
}

/** The running local cloud; if there is none it is set up (once) and started, and outlives this process. */
export async function ensureCloud(options: EnsureCloudOptions): Promise<LocalCloud> {
  const { port, reporter, signal } = options;
  const files = cloudFiles(options);
  const [plugin, running] = await Promise.all([readPlugin(options.pluginDir), findRunning(options, signal)]);
  if (running) {
    if (running.version !== plugin.version) {
      throw new UserError(`The local cloud on port ${port} was started by another version of sam-sync`, {
        hint: 'End it with `sam-sync cloud stop` (what is deployed in it is lost), then try again.',
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

/** Ends the local cloud and waits until it is gone; false if none was running. */
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

/** The local cloud on the port, or undefined if none runs there. Something else on the port is an error. */
export async function cloudStatus(place: CloudPlace, signal?: AbortSignal): Promise<CloudStatus | undefined> {
  const files = cloudFiles(place);
  const endpoint = endpointOf(place.port);
  const found = await probePort(place.port, signal);
  if (found.kind === 'cloud' && found.health.log === files.log) {
    return { pid: found.health.pid, answering: true, endpoint, logFile: files.log };
  }
  const pid = found.kind === 'silent' ? await silentCloud(files) : undefined;
  if (pid !== undefined) return { pid, answering: false, endpoint, logFile: files.log };
  if (found.kind === 'nothing') return undefined;
  throw portTaken(place.port, found.kind === 'cloud' ? found.health : undefined);
}

/** Forgets everything that is deployed in the running local cloud. */
export async function resetCloud(place: CloudPlace, signal?: AbortSignal): Promise<void> {
  const status = await cloudStatus(place, signal);
  if (!status) throw notRunning(place.port);
  const answer = await askCloud(place.port, 'POST', '/_ministack/reset', { signal, timeoutMs: 60_000 });
  if (answer.status !== 200) {
    throw new UserError(`The local cloud could not be reset (HTTP ${answer.status}): ${answer.body}`, {
      hint: '`sam-sync cloud stop` and `sam-sync cloud start` have the same effect.',
    });
  }
}

/** Where the local cloud on the port writes its log, and what is in it from a byte offset on. */
export async function readCloudLog(place: CloudPlace, from = 0): Promise<{ file: string; text: string; end: number }> {
  const { log } = cloudFiles(place);
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(log, 'r');
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UserError(`There is no log yet: the local cloud on port ${place.port} was never started`, {
      hint: 'Start it with `sam-sync cloud start`, or with a sync: `sam-sync sync --local …`.',
    });
  }
  try {
    const { size } = await handle.stat();
    // a shorter file is a new one: the cloud was started again
    const start = size < from ? 0 : from;
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    return { file: log, text: buffer.toString('utf8', 0, bytesRead), end: start + bytesRead };
  } finally {
    await handle.close();
  }
}

/** Files and folders of the local cloud on one port. */
function cloudFiles(place: CloudPlace): CloudFiles {
  const folder = path.join(place.cacheDir, `cloud-${place.port}`);
  return {
    log: path.join(folder, 'log.txt'),
    state: path.join(folder, 'state.json'),
    temporary: path.join(folder, 'tmp'),
  };
}

/** Waits until the launched cloud answers, or one that another command launched at the same time. */
export async function waitUntilAnswering(
  launched: LaunchedCloud,
  files: CloudFiles,
  port: number,
  signal: AbortSignal | undefined,
): Promise<CloudHealth> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    // read first: one that lost the race for the port has ended when the winner already takes connections
    const exitCode = launched.exitCode();
    const found = await probePort(port, signal);
    if (found.kind === 'cloud' && found.health.log === files.log) return found.health;
    if (found.kind === 'cloud') throw portTaken(port, found.health);
    if (found.kind === 'other') throw portTaken(port);
    if (exitCode !== undefined && exitCode !== PORT_TAKEN_EXIT_CODE) {
      throw await startFailure(`ended with exit code ${exitCode}`, files);
    }
    await delay(25, undefined, { signal });
  }
  throw await startFailure(`did not answer within ${START_TIMEOUT_MS / 1000} s`, files);
}

/** Our cloud if it answers on the port, undefined if nothing is there; anything else is an error. */
async function findRunning(place: CloudPlace, signal: AbortSignal | undefined): Promise<CloudHealth | undefined> {
  const files = cloudFiles(place);
  const found = await probePort(place.port, signal);
  if (found.kind === 'nothing') return undefined;
  if (found.kind === 'cloud' && found.health.log === files.log) return found.health;
  if (found.kind === 'silent' && (await silentCloud(files)) !== undefined) {
    throw new UserError(`The local cloud on port ${place.port} does not answer`, {
      hint: 'End it with `sam-sync cloud stop`, then try again.',
    });
  }
  throw portTaken(place.port, found.kind === 'cloud' ? found.health : undefined);
}

async function startFailure(what: string, files: CloudFiles): Promise<UserError> {
  const lines = ((await readTextIfExists(files.log)) ?? '').trimEnd().split('\n').slice(-20).join('\n');
  return new UserError(`The local cloud ${what}. The end of its log, ${files.log}:\n${lines}`, {
    hint: `If its packages are damaged, remove the folder ${path.dirname(path.dirname(files.log))}: it is set up anew.`,
  });
}

function portTaken(port: number, cloud?: CloudHealth): UserError {
  const what = cloud ? `a local cloud of another user or cache folder (its log: ${cloud.log})` : 'another program';
  return new UserError(`Port ${port}, which the local cloud uses, is taken by ${what}`, {
    hint: `End that program, or choose another port: SAM_SYNC_CLOUD_PORT=${port + 1}`,
  });
}

/** The error of a command that needs a running local cloud. */
function notRunning(port: number): UserError {
  return new UserError(`No local cloud is running on port ${port}`, { hint: 'Start it with `sam-sync cloud start`.' });
}

/** false: it still runs. A process that only has the id of a cloud that ended is not waited for. */
async function waitForEnd(pid: number, files: CloudFiles, signal: AbortSignal | undefined): Promise<boolean> {
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (isRunning(pid)) {
    if (performance.now() > deadline) return (await isCloudProcess(pid, files)) === false;
    await delay(25, undefined, { signal });
  }
  return true;
}

/** Only what is surely ours is killed. */
async function killCloud(pid: number, files: CloudFiles, signal: AbortSignal | undefined): Promise<void> {
  const isOurs = await isCloudProcess(pid, files);
  if (isOurs === false) return;
  if (isOurs === undefined) {
    throw new UserError(
      `The local cloud (process ${pid}) does not end, and this machine does not show how it was started`,
      {
        hint: 'End the process yourself if it is Python with start.py of sam-sync.',
      },
    );
  }
  process.kill(pid, 'SIGKILL');
  await waitForEnd(pid, files, signal);
}

/** The process that has the place without answering; undefined: what is silent there is another program. */
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
