import type { FileWatcher, FileWatcherOptions } from './file-watcher.ts';
import { FolderWatcher } from './folder-watcher.ts';
import { TreeWatcher } from './tree-watcher.ts';

/** Creates the watcher that fits the operating system. */
export function createFileWatcher(
  options: FileWatcherOptions,
  platform: NodeJS.Platform = process.platform,
): FileWatcher {
  return platform === 'darwin' || platform === 'win32' ? new TreeWatcher(options) : new FolderWatcher(options);
}
