import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { startsWithFolder } from './paths.ts';
import type { PathChange } from './path-change.ts';

/** Remembers the content of files that were reported as changed. */
export interface ContentMemory {
  /** Keeps the changes of content: not a touch, a save of the same text, or a checkout and back. */
  filter(changes: readonly PathChange[]): PathChange[];
}

/** Larger files (bytes) are compared by size and time stamp. */
const READ_UP_TO = 32 * 1024 * 1024;

/** The first change of a file always counts: nothing is known of its content before. */
export function createContentMemory(): ContentMemory {
  const contents = new Map<string, string>();
  return {
    filter: (changes) =>
      changes.filter(({ path, folder }) => {
        if (folder) {
          for (const file of contents.keys()) if (file === path || startsWithFolder(file, path)) contents.delete(file);
          return true;
        }
        const content = contentOf(path);
        if (contents.get(path) === content) return false;
        contents.set(path, content);
        return true;
      }),
  };
}

/** Identifies the content of a file, and whether it is executable. */
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
