import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureInstalled, readPlugin } from '../../../src/local/installation.ts';
import { userCacheDir } from '../../../src/support/user-cache.ts';
import { FORKS } from './fork.ts';

/**
 * Lets test files fork their clouds (`forkCloud`). The process that forks starts when the first file asks where it is, in this
 * process, which outlives all files. Returns how to end it.
 */
export async function openCloudForks(): Promise<() => Promise<void>> {
  // the same in each project of vitest.config.ts; a fork without exec is safe on Linux only
  if (process.env[FORKS] !== undefined || process.platform !== 'linux') return async () => {};
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-forks-'));
  const socket = path.join(folder, 'server');
  const stopped = new AbortController();
  let started: Promise<string> | undefined;
  const asked = net.createServer((connection) => {
    connection.on('error', () => {});
    // without an answer the cloud starts as usual
    (started ??= startServer(socket, stopped.signal)).then(
      (place) => connection.end(place),
      () => connection.end(),
    );
  });
  await new Promise<void>((resolve) => asked.listen(path.join(folder, 'asked'), resolve));
  asked.unref();
  process.env[FORKS] = path.join(folder, 'asked');
  return async () => {
    stopped.abort();
    asked.close();
    delete process.env[FORKS];
    await fs.rm(folder, { recursive: true, force: true });
  };
}

async function startServer(socket: string, signal: AbortSignal): Promise<string> {
  const cacheDir = userCacheDir(process.env, os.homedir(), process.platform);
  const reporter = { report: () => {} };
  const { python } = await ensureInstalled(await readPlugin(), { cacheDir, env: process.env, reporter, signal });
  const child = spawn(python, [path.join(import.meta.dirname, 'server.py'), socket], {
    env: { ...process.env, PYTHONUNBUFFERED: '1', PYTHONUTF8: '1' },
    // it ends with its input, also if we are killed
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.on('error', () => {});
  signal.addEventListener('abort', () => child.stdin.destroy());
  while (child.exitCode === null && !signal.aborted) {
    if (await fs.stat(socket).catch(() => undefined)) return socket;
    await delay(20);
  }
  throw new Error('no server');
}
