import { readFileSync } from 'node:fs';
import { parseJson } from './shapes.ts';

/** Values of a folder's files, by name. */
type Names = Map<string, string>;

/** Values of files, by folder, saved as text. */
export interface FolderLines {
  get(folder: string, name: string): string | undefined;
  set(folder: string, name: string, value: string): void;
  /** The text to save, without values of before that day. */
  toText(firstDay: number): string;
}

/** A tab separates the parts of a line: JSON allows it there, and has none inside of texts. */
const SEPARATOR = '\t,';

/**
 * Reads values of files: JSON with a line for each folder, which begins with its path and the newest day in it. A line is parsed when
 * its folder is asked for: a sync of one function asks for a few of thousands. Missing, damaged, or of another version: empty.
 * `dayOf`: the day of a value.
 */
export function readFolderLines(
  file: string,
  { version, dayOf }: { version: number; dayOf: (value: string) => number },
): FolderLines {
  const head = `{"version":${version},"folders":[`;
  /** JSON of the folder → the rest of its line. */
  const saved = readSaved(file, head);
  const folders = new Map<string, Names>();
  const namesOf = (folder: string): Names | undefined => {
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const json = JSON.stringify(folder);
    const line = saved.get(json);
    if (line === undefined) return undefined;
    saved.delete(json);
    const names = parseNames(line);
    folders.set(folder, names);
    return names;
  };
  return {
    get: (folder, name) => namesOf(folder)?.get(name),
    set: (folder, name, value) => {
      const names = namesOf(folder) ?? new Map<string, string>();
      folders.set(folder, names.set(name, value));
    },
    toText: (firstDay) => {
      const lines = [...saved]
        .filter(([, line]) => Number(line.slice(0, line.indexOf(SEPARATOR))) >= firstDay)
        .map(([json, line]) => `[${json}${SEPARATOR}${line}]`);
      for (const [folder, names] of folders) {
        const kept = [...names].filter(([, value]) => dayOf(value) >= firstDay);
        const newest = kept.reduce((latest, [, value]) => Math.max(latest, dayOf(value)), 0);
        if (kept.length > 0)
          lines.push(`[${JSON.stringify(folder)}${SEPARATOR}${newest}${SEPARATOR}${JSON.stringify(kept)}]`);
      }
      return `${head}\n${lines.join(',\n')}\n]}\n`;
    },
  };
}

function readSaved(file: string, head: string): Map<string, string> {
  const saved = new Map<string, string>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return saved;
  }
  const [first, ...lines] = text.split('\n');
  if (first !== head) return saved;
  for (const line of lines) {
    const end = line.indexOf(SEPARATOR);
    const isWhole = line.startsWith('["') && /\],?$/.test(line.slice(-2));
    if (end > 0 && isWhole) saved.set(line.slice(1, end), line.slice(end + SEPARATOR.length, line.lastIndexOf(']')));
  }
  return saved;
}

function parseNames(line: string): Names {
  const names = parseJson(line.slice(line.indexOf(SEPARATOR) + SEPARATOR.length));
  return new Map(Array.isArray(names) ? names.filter(isName) : []);
}

function isName(pair: unknown): pair is [string, string] {
  return Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string';
}
