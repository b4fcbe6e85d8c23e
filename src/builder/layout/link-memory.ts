import { readFileSync } from 'node:fs';
import { preciseStatNow, writeFileAtomic } from '../../support/files.ts';
import { ownValue, setOwn } from '../../support/own-value.ts';
import { parseJson, recordOf, text } from '../../support/shapes.ts';
import { keyOf } from '../build-key.ts';
import { isRacy, signatureOf } from '../cache/stat-index.ts';

/** A folder of the layout. */
export interface LayoutFolder {
  dir: string;
  /** Name → the cached folder to link to. */
  links: ReadonlyMap<string, string>;
  /** Names of templates. */
  files: readonly string[];
  /** Names of the folders of nested stacks. */
  folders: readonly string[];
}

/**
 * Remembers folders of the layout in which each link was looked at. A link is changed by replacing it, which changes its folder: as long
 * as that is the same, so are hundreds of links.
 */
export interface LinkMemory {
  /** Whether the folder is as it was when it had exactly these links, files and folders. */
  isDone(folder: LayoutFolder): boolean;
  /** Remembers a folder that was looked at from `since` on (ms since the epoch), unless it has changed lately. */
  add(folder: LayoutFolder, since: number): void;
  /** Saves what was added for the next run. */
  save(): Promise<void>;
}

/** Opens the memory in a file. A missing or damaged one only costs time. */
export function openLinkMemory(file: string): LinkMemory {
  const stamps = readStamps(file);
  let isChanged = false;
  return {
    isDone: (folder) => {
      const known = ownValue(stamps, folder.dir);
      return known !== undefined && known === stampOf(folder);
    },
    add: (folder, since) => {
      const stamp = stampOf(folder, since);
      if (stamp === undefined) return;
      setOwn(stamps, folder.dir, stamp);
      isChanged = true;
    },
    save: async () => {
      if (!isChanged) return;
      isChanged = false;
      // a full or read-only disk: the next run looks at each link
      await writeFileAtomic(file, JSON.stringify(stamps)).catch(() => {});
    },
  };
}

/** Identifies the state of the folder and what belongs there; undefined if it may change again without a trace. */
function stampOf({ dir, links, files, folders }: LayoutFolder, since?: number): string | undefined {
  const stat = preciseStatNow(dir);
  if (stat === undefined || (since !== undefined && isRacy(stat, since))) return undefined;
  return keyOf(signatureOf(stat), [...links].flat(), files, folders);
}

function readStamps(file: string): Record<string, string> {
  try {
    return recordOf(text)(parseJson(readFileSync(file, 'utf8'))) ?? {};
  } catch {
    return {};
  }
}
