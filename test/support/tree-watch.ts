import * as fs from 'node:fs';
import * as path from 'node:path';
import type { OpenWatch } from '../../src/files/file-watcher.ts';
import { openSystemWatch } from '../../src/files/open-watch.ts';

/** Between two looks (ms). */
const LOOK_EVERY = 10;

/**
 * A recursive watch as macOS and Windows have it: it reports a path below the folder, and what is behind a link only where it
 * really is. Elsewhere imitated by looking; Node's own imitation on Linux loses what is replaced.
 */
export const openTreeWatch: OpenWatch = (folder, { recursive }, listeners) => {
  if (process.platform === 'darwin' || process.platform === 'win32')
    return openSystemWatch(folder, { recursive }, listeners);
  fs.readdirSync(folder);
  let before = look(folder, recursive);
  const timer = setInterval(() => {
    const now = look(folder, recursive);
    for (const [name, { identity, content }] of now) {
      const was = before.get(name);
      if (was?.identity !== identity) listeners.onEvent(name, 'rename');
      else if (was.content !== content) listeners.onEvent(name, 'change');
    }
    for (const name of before.keys()) if (!now.has(name)) listeners.onEvent(name, 'rename');
    before = now;
  }, LOOK_EVERY);
  return { close: () => clearInterval(timer) };
};

interface Entry {
  identity: string;
  content: string;
}

function look(folder: string, recursive: boolean): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const visit = (below: string): void => {
    for (const item of list(path.join(folder, below))) {
      const name = path.join(below, item.name);
      const stat = fs.lstatSync(path.join(folder, name), { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) continue;
      const kind = item.isDirectory() ? 'folder' : item.isSymbolicLink() ? 'link' : 'file';
      entries.set(name, { identity: `${kind} ${stat.ino}`, content: kind === 'folder' ? '' : String(stat.mtimeNs) });
      if (kind === 'folder' && recursive) visit(name);
    }
  };
  visit('');
  return entries;
}

function list(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
