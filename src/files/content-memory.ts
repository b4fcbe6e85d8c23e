import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { isBelow } from './paths.ts';
import type { PathChange } from './path-change.ts';

/** Remembers what files contained when they were last told as changed. */
export interface ContentMemory {
  /** The changes that changed something: not a touch, a save of the same text, or a checkout back. */
  filter(changes: readonly PathChange[]): PathChange[];
}

/** Larger files are told apart by size and time stamp. */
const READ_UP_TO = 32 * 1024 * 1024;

/** A file that was never told as changed counts as changed: only the build knows what it was before. */
export function createContentMemory(): ContentMemory {
  const contents = new Map<string, string>();
  return {
    filter: (changes) =>
      changes.filter(({ path, folder }) => {
        if (folder) {
          // with all that was in it
          for (const known of contents.keys()) if (known === path || isBelow(known, path)) contents.delete(known);
          return true;
        }
        const content = contentOf(path);
        if (contents.get(path) === content) return false;
        contents.set(path, content);
        return true;
      }),
  };
}

/** What tells one content of a file from another. */
export function contentOf(file: string): string {
  try {
    const stat = fs.statSync(file);
    if (!stat.isFile()) return 'no file';
    const executable = (stat.mode & 0o111) === 0 ? '-' : 'x';
    if (stat.size > READ_UP_TO) return `${executable}${stat.size} ${stat.mtimeMs}`;
    return executable + createHash('sha1').update(fs.readFileSync(file)).digest('base64');
  } catch {
    return 'missing';
  }
}
