import { readFileSync } from 'node:fs';

/** Returns whether a process with this ID is running. A zombie is not. */
export function isRunning(pid: number): boolean {
  // 0 and below are process groups
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // in containers a detached process may stay a zombie forever
  return !/\) [ZX] /.test(readIfThere(`/proc/${pid}/stat`));
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
