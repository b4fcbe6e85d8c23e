import * as path from 'node:path';
import { preciseStatNow, writeFileAtomic } from '../../support/files.ts';
import { readFolderLines } from '../../support/folder-lines.ts';
import type { FolderLines } from '../../support/folder-lines.ts';
import { parseJson, recordOf, text } from '../../support/shapes.ts';
import { createRecordWriter, readRecord } from './zip-record.ts';
import type { RecordWriter, ZipRecord } from './zip-record.ts';

/** The records of zips, each beside its zip. Those of thousands are read from one file, which holds copies of them. */
export interface ZipMemory {
  /** Reads the record in a file. It has `name` if that was ever recorded of this content; another value may be missing. */
  read(recordFile: string, name: string): Promise<ZipRecord>;
  /** Adds values to the record in a file. */
  update: RecordWriter;
  /** Saves the copies for the next run. */
  save(): Promise<void>;
}

/** Below the build cache. */
const FILE = 'zips.json';
/** Raised when the form of the file changes. */
const VERSION = 1;
/** Copies of records that were not read during this many days are dropped. */
const KEEP_DAYS = 30;
const DAY_MS = 86_400_000;
/** The file of copies takes as long to read as so many records. */
const WORTH = 8;
/** The name of the only value in a line. */
const NAME = 'zip';
/** Day, the identity of the content, and the record as JSON. */
const LINE = /^(\d+) (\S+) (.+)$/s;

/** The day of a line. */
function dayOf(line: string): number {
  return Number(line.split(' ', 1)[0]);
}

/** Opens the records of a build cache (absolute). */
export function openZipMemory(storeDir: string): ZipMemory {
  const file = path.join(storeDir, FILE);
  const write = createRecordWriter();
  let opened: FolderLines | undefined;
  const lines = (): FolderLines => (opened ??= readFolderLines(file, { version: VERSION, dayOf }));
  const today = Math.floor(Date.now() / DAY_MS);
  let reads = 0;
  let added = 0;
  let isOutdated = false;
  const folderOf = (recordFile: string): string => path.relative(storeDir, path.dirname(recordFile));
  const copy = (recordFile: string, made: string, record: ZipRecord): void => {
    lines().set(folderOf(recordFile), NAME, `${today} ${made} ${JSON.stringify(record)}`);
    added++;
  };
  const find = (recordFile: string, made: string): { day: number; record: ZipRecord } | undefined => {
    const [, day, madeThen, json = ''] = LINE.exec(lines().get(folderOf(recordFile), NAME) ?? '') ?? [];
    const record = madeThen === made ? recordOf(text)(parseJson(json)) : undefined;
    return record && { day: Number(day), record };
  };
  return {
    read: async (recordFile, name) => {
      const made = ++reads > WORTH ? contentOf(recordFile) : undefined;
      const known = made === undefined ? undefined : find(recordFile, made);
      if (made !== undefined && known?.record[name] !== undefined) {
        if (known.day !== today) copy(recordFile, made, known.record);
        return known.record;
      }
      const record = await readRecord(recordFile);
      if (made !== undefined && record[name] !== undefined) copy(recordFile, made, record);
      return record;
    },
    update: async (recordFile, values) => {
      const made = reads > WORTH ? contentOf(recordFile) : undefined;
      const known = made === undefined ? undefined : find(recordFile, made);
      await write(recordFile, values);
      if (made === undefined || known === undefined) return;
      copy(recordFile, made, { ...known.record, ...values });
      isOutdated = true;
    },
    save: async () => {
      if (added < WORTH && !isOutdated) return;
      added = 0;
      isOutdated = false;
      // a full or read-only disk: the next run reads more
      await writeFileAtomic(file, lines().toText(today - KEEP_DAYS + 1)).catch(() => {});
    },
  };
}

/** Identifies the content that a record describes: an entry of the cache that was removed and made again may have another one. */
function contentOf(recordFile: string): string | undefined {
  const stat = preciseStatNow(path.join(path.dirname(recordFile), 'content'));
  return stat && `${stat.ino}:${stat.ctimeNs}`;
}
