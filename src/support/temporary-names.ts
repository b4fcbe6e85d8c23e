import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import * as os from 'node:os';
import { isRunning } from './running.ts';

// earlier versions left out the second part
const PATTERN = /\.tmp-(\d+)-(?:([0-9a-f]{6})-)?[0-9a-f]{4,8}$/;

/** The end of a name (after a dot) that no other process or call uses, and that says which process made it. */
export function temporarySuffix(): string {
  return `tmp-${process.pid}-${processSpace()}-${randomBytes(4).toString('hex')}`;
}

/** Whether the name ends in such a suffix. */
export function isTemporaryName(name: string): boolean {
  return PATTERN.test(name);
}

/**
 * Whether the process that made the name has surely ended. A folder may be shared with a container or another machine,
 * whose process ids mean nothing here; and an id may have been given to another process since.
 */
export function isMakerGone(name: string): boolean {
  const [, pid, madeIn = processSpace()] = PATTERN.exec(name) ?? [];
  return pid !== undefined && madeIn === processSpace() && !isRunning(Number(pid));
}

/** The same for processes that see each other's ids. */
function processSpace(): string {
  return (space ??= createHash('sha256').update(`${os.hostname()}\0${pidNamespace()}`).digest('hex').slice(0, 6));
}

let space: string | undefined;

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
