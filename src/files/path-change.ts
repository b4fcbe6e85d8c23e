import * as fs from 'node:fs';

/** A path at which something changed. */
export interface PathChange {
  path: string;
  /** The path is or was a folder: everything below it came or went with it. */
  folder: boolean;
  /** Nothing was at the path before. Only watches of single folders (Linux) know. */
  isNew?: boolean | undefined;
}

/**
 * Names the changed paths: not the files that an editor creates and removes again while it saves another one, unless nothing
 * else changed.
 */
export function namesOf(changes: readonly PathChange[]): string[] {
  const lasting = changes.filter(({ path, isNew }) => !isNew || fs.existsSync(path));
  return (lasting.length > 0 ? lasting : changes).map(({ path }) => path);
}
