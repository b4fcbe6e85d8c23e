import * as fs from 'node:fs';
import type { OpenWatch } from './file-watcher.ts';

/** The operating system's own notifications. */
export const openSystemWatch: OpenWatch = (folder, { recursive }, { onEvent, onError }) => {
  const watcher = fs.watch(folder, { recursive });
  watcher.on('change', (type, name) =>
    onEvent(name === null ? null : String(name), type === 'rename' ? type : 'change'),
  );
  watcher.on('error', onError);
  return { close: () => watcher.close() };
};

/** 9P, which carries a Windows disk into Linux (WSL 2): changes made on the other side are not notified. */
const SILENT_FILE_SYSTEMS = new Set([0x01021997]);

/** Whether the file system of a folder never tells about changes. */
export function isSilent(folder: string): boolean {
  try {
    return SILENT_FILE_SYSTEMS.has(fs.statfsSync(folder).type);
  } catch {
    return false; // the watch itself will say what is wrong
  }
}

/** Whether the error says that the system has no more watches (or open files) to give. */
export function isLimitReached(error: unknown): error is NodeJS.ErrnoException {
  return ['ENOSPC', 'EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException | null)?.code ?? '');
}
