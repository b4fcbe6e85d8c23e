import * as fs from 'node:fs';
import type { OpenWatch } from './file-watcher.ts';

/** Watches a folder with the notifications of the operating system. */
export const openSystemWatch: OpenWatch = (folder, { recursive }, { onEvent, onError }) => {
  const watcher = fs.watch(folder, { recursive });
  watcher.on('change', (type, name) =>
    onEvent(name === null ? null : String(name), type === 'rename' ? type : 'change'),
  );
  watcher.on('error', onError);
  return { close: () => watcher.close() };
};

/** 9P, which mounts Windows disks in Linux (WSL 2): changes made in Windows cause no notifications. */
const SILENT_FILE_SYSTEMS = new Set([0x01021997]);

/** Whether the file system of a folder never notifies of changes. */
export function isSilent(folder: string): boolean {
  try {
    return SILENT_FILE_SYSTEMS.has(fs.statfsSync(folder).type);
  } catch {
    return false; // opening the watch reports what is wrong
  }
}

/** Whether the error says that the limit of watches or open files is reached. */
export function isLimitReached(error: unknown): error is NodeJS.ErrnoException {
  return ['ENOSPC', 'EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException | null)?.code ?? '');
}
