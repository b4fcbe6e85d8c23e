import { readFileSync } from 'node:fs';

/** Whether a process of this id runs here. One that has ended and that its parent has not waited for yet does not. */
export function isRunning(pid: number): boolean {
  // 0 and below would be groups of processes
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // in containers a detached process may stay a zombie for ever
  return !/\) [ZX] /.test(readIfThere(`/proc/${pid}/stat`));
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
