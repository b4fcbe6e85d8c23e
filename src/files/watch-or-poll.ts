import * as fs from 'node:fs';
import * as path from 'node:path';
import type { FileWatcherOptions, WatchHandle } from './file-watcher.ts';
import { isLimitReached, isSilent, openSystemWatch } from './open-watch.ts';
import { lstatNow } from './paths.ts';

/** Opens and closes watches of single folders. */
export interface FolderWatches {
  /** Throws if the folder does not exist. */
  open(folder: string): void;
  close(folder: string): void;
  closeAll(): void;
}

/** Time between two polls (ms): changes are noticed soon, and the load is small. */
const POLL_MS = 1_000;

/**
 * Opens watches of folders. Folders for which the system has no more watches, and those of file systems without
 * notifications, are polled. `onEvent`: an entry of the folder may have changed; null: any entry.
 */
export function openFolderWatches(
  { onLimit, openWatch = openSystemWatch, pollMs = POLL_MS }: FileWatcherOptions,
  onEvent: (folder: string, name: string | null) => void,
): FolderWatches {
  const handles = new Map<string, WatchHandle>();
  const polled = new Map<string, Map<string, string>>();
  let timer: NodeJS.Timeout | undefined;
  let isLimitReported = false;

  const pollAll = (): void => {
    for (const [folder, before] of polled) {
      const now = readSignatures(folder);
      polled.set(folder, now);
      for (const [name, signature] of now) if (before.get(name) !== signature) onEvent(folder, name);
      for (const name of before.keys()) if (!now.has(name)) onEvent(folder, name);
    }
  };
  const poll = (folder: string, code: string | undefined): void => {
    polled.set(folder, readSignatures(folder));
    timer ??= setInterval(pollAll, pollMs);
    if (code === undefined || isLimitReported) return;
    isLimitReported = true;
    onLimit({ code, folder });
  };
  const close = (folder: string): void => {
    handles.get(folder)?.close();
    handles.delete(folder);
    polled.delete(folder);
    if (polled.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    open: (folder) => {
      if (isSilent(folder)) return poll(folder, undefined);
      const onError = (error: NodeJS.ErrnoException): void => {
        close(folder);
        if (isLimitReached(error)) poll(folder, error.code);
        // on Windows this is the removal of the folder
        else onEvent(folder, null);
      };
      try {
        handles.set(
          folder,
          openWatch(folder, { recursive: false }, { onEvent: (name) => onEvent(folder, name), onError }),
        );
      } catch (error) {
        if (!isLimitReached(error)) throw error;
        poll(folder, error.code);
      }
    },
    close,
    closeAll: () => {
      for (const folder of [...handles.keys(), ...polled.keys()]) close(folder);
    },
  };
}

/** Describes the entries of a folder so that a changed one differs, without reading them. */
function readSignatures(folder: string): Map<string, string> {
  const signatures = new Map<string, string>();
  let names: string[] = [];
  try {
    names = fs.readdirSync(folder);
  } catch {
    // gone: its entries too
  }
  for (const name of names) {
    const stat = lstatNow(path.join(folder, name));
    if (stat)
      signatures.set(
        name,
        stat.isDirectory() ? `folder ${stat.ino}` : `${stat.mtimeMs} ${stat.size} ${stat.ino} ${stat.mode}`,
      );
  }
  return signatures;
}
