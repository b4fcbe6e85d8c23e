import * as path from 'node:path';
import { isMissing } from '../../../support/files.ts';
import { readTextFile } from '../../../support/regular-file.ts';
import { keyOf, withoutLogins } from '../../build-key.ts';
import { createStatMemo } from '../../cache/stat-memo.ts';
import type { StatMemo } from '../../cache/stat-memo.ts';

/** The parts of a package manager's lock file that decide an installation. */
interface InstallLock {
  /** Hash of its content without logins. */
  key: string;
  /** Paths of the archives that it names: all managers write `file:` and the path. Absolute. */
  archives: readonly string[];
}

/** Lock files that this build has read: the functions of a workspace share one of maybe several megabytes. */
export type InstallLockMemo = StatMemo<InstallLock>;

/** Creates an empty memo of lock files. `clock`: ms since the epoch. */
export function createInstallLockMemo(clock?: () => number): InstallLockMemo {
  return createStatMemo((lock) => {
    const text = readLock(lock);
    const places = text.matchAll(/\bfile:([^"'\s,}#:)]+?\.(?:tgz|tar\.gz|tar))(?![\w.])/g);
    return {
      key: keyOf(withoutLogins(text)),
      archives: [...places].map((match) => path.resolve(path.dirname(lock), match[1] ?? '')),
    };
  }, clock);
}

function readLock(lock: string): string {
  try {
    return readTextFile(lock);
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
