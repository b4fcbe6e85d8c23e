import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import * as os from 'node:os';
import { isRunning } from './process/running.ts';

// earlier versions have no second part
const PATTERN = /\.tmp-(\d+)-(?:([0-9a-f]{6})-)?[0-9a-f]{4,8}$/;

/** Returns a unique end of a name (after a dot) that identifies this process. */
export function temporarySuffix(): string {
  number = (number + 1) % 0x1_0000_0000;
  return `tmp-${process.pid}-${processSpace()}-${number.toString(16).padStart(8, '0')}`;
}

/** Random at first, so that threads of a process, which count by themselves, do not meet. */
let number = randomBytes(4).readUInt32BE();

/** Returns whether the name ends with such a suffix. */
export function isTemporaryName(name: string): boolean {
  return PATTERN.test(name);
}

/**
 * Returns whether the process that created the name has certainly ended. In a folder shared with a container or another
 * machine, process IDs of those are unknown here; an ID may also have been reused.
 */
export function isMakerGone(name: string): boolean {
  const [, pid, madeIn = processSpace()] = PATTERN.exec(name) ?? [];
  return pid !== undefined && madeIn === processSpace() && !isRunning(Number(pid));
}

/** Identifies the PID namespace: equal for processes that see each other's IDs. */
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
