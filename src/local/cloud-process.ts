import * as fs from 'node:fs/promises';
import { isRunning } from '../support/process/running.ts';
import { spawn } from '../support/process/spawn.ts';
import type { CloudFiles } from './launch.ts';

/**
 * Returns whether the process is the local cloud with these files, by its command line: the system may have reused the
 * process ID. undefined: the command line is not readable.
 */
export async function isCloudProcess(pid: number, files: CloudFiles): Promise<boolean | undefined> {
  if (!isRunning(pid)) return false;
  return (await readCommandLine(pid))?.includes(files.state);
}

async function readCommandLine(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return fs.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  const [program, ...args] =
    process.platform === 'win32' ? windowsQuery(pid) : ['ps', '-ww', '-o', 'args=', '-p', `${pid}`];
  const result = await spawn(program, args).catch(() => undefined);
  return result?.code === 0 ? result.stdout : undefined;
}

function windowsQuery(pid: number): [program: string, ...args: string[]] {
  const query = `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`;
  return ['powershell.exe', '-NoProfile', '-NonInteractive', '-Command', query];
}
