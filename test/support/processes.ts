import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isRunning } from '../../src/support/process/running.ts';
import { poll } from './cloud.ts';

/** Ids of the processes that a process started, with those that these started, and so on. */
export async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=']);
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.flatMap(([child = 0, of]) => (of === parent ? [child, ...below(child)] : []));
  return below(pid);
}

/** Waits until the processes are gone. */
export async function noneLeft(pids: readonly number[]): Promise<void> {
  await poll(async () => (pids.some(isRunning) ? undefined : true), 5_000);
}
