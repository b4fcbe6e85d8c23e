import * as fs from 'node:fs';
import * as path from 'node:path';
import type { FileWatcherOptions, WatchHandle } from './file-watcher.ts';
import { isLimitReached, isSilent, openSystemWatch } from './open-watch.ts';

/** Opens and closes the notifications of single folders. */
export interface FolderWatches {
  /** Begins with a folder. Throws if it is not there. */
  open(folder: string): void;
  close(folder: string): void;
  closeAll(): void;
}

/** Between two looks at folders that cannot be watched (ms): noticed soon, and hardly any load. */
const POLL_MS = 1_000;

/**
 * Notifications of folders, one by one. Folders for which the system has no more watches, or of whose file system it hears
 * nothing, are looked at regularly instead. `onEvent`: something happened at a name in a folder; null: somewhere in it.
 */
export function openFolderWatches(
  { onLimit, openWatch = openSystemWatch, pollMs = POLL_MS }: FileWatcherOptions,
  onEvent: (folder: string, name: string | null) => void,
): FolderWatches {
  const handles = new Map<string, WatchHandle>();
  const polled = new Map<string, Map<string, string>>();
  let timer: NodeJS.Timeout | undefined;
  let limitTold = false;

  const look = (): void => {
    for (const [folder, before] of polled) {
      const now = readSignatures(folder);
      polled.set(folder, now);
      for (const [name, signature] of now) if (before.get(name) !== signature) onEvent(folder, name);
      for (const name of before.keys()) if (!now.has(name)) onEvent(folder, name);
    }
  };
  const poll = (folder: string, code: string | undefined): void => {
    polled.set(folder, readSignatures(folder));
    timer ??= setInterval(look, pollMs);
    if (code === undefined || limitTold) return;
    limitTold = true;
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
        // Windows tells so of a folder that was removed
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

/** What tells a changed entry from an unchanged one, without reading it. */
function readSignatures(folder: string): Map<string, string> {
  const signatures = new Map<string, string>();
  let names: string[] = [];
  try {
    names = fs.readdirSync(folder);
  } catch {
    // gone: its entries too
  }
  for (const name of names) {
    const stat = fs.lstatSync(path.join(folder, name), { throwIfNoEntry: false });
    if (stat)
      signatures.set(
        name,
        stat.isDirectory() ? `folder ${stat.ino}` : `${stat.mtimeMs} ${stat.size} ${stat.ino} ${stat.mode}`,
      );
  }
  return signatures;
}
