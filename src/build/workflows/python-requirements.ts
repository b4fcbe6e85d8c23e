import * as path from 'node:path';
import { readTextIfExists, statIfExists } from '../../support/files.ts';

/** What a requirements file asks for, with everything that it includes. */
export interface Requirements {
  /** All lines that count, comments and blank lines removed, included files in place. */
  lines: readonly string[];
  /** The file and those that it includes. Absolute. */
  files: readonly string[];
  /** Folders and archives that lines name, as they are written. */
  localPaths: readonly string[];
  /** Whether any line asks for a package (and is not only an option). */
  hasPackages: boolean;
}

/** Reads a requirements file and the files that it includes (`-r`, `-c`), or undefined if there is none. */
export async function readRequirements(file: string): Promise<Requirements | undefined> {
  const found = { lines: [] as string[], files: [] as string[], localPaths: [] as string[], hasPackages: false };
  if (!(await readInto(found, file, 'requirements'))) return undefined;
  return found;
}

interface Found {
  lines: string[];
  files: string[];
  localPaths: string[];
  hasPackages: boolean;
}

async function readInto(found: Found, file: string, kind: 'requirements' | 'constraints'): Promise<boolean> {
  if (found.files.includes(file)) return true;
  const text = await readTextIfExists(file);
  if (text === undefined) return false;
  found.files.push(file);
  for (const line of logicalLines(text)) {
    const include = /^(?:(-r|--requirement)|-c|--constraint)(?:\s*=\s*|\s*)(\S+)$/.exec(line);
    if (include?.[2] !== undefined) {
      const nested = include[1] === undefined ? 'constraints' : kind;
      found.lines.push(nested === 'constraints' ? 'constraints:' : 'requirements:');
      // pip itself says what is wrong with a file that is not there
      if (!/^\w+:\/\//.test(include[2])) await readInto(found, path.resolve(path.dirname(file), include[2]), nested);
      continue;
    }
    found.lines.push(line);
    const local = localPathOf(line);
    if (local !== undefined) found.localPaths.push(local);
    if (kind === 'requirements' && (!line.startsWith('-') || /^(-e|--editable)\b/.test(line))) found.hasPackages = true;
  }
  return true;
}

/** Lines with continuations joined, comments and blank lines removed, as pip reads them. */
export function logicalLines(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\\\r?\n/g, '')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** The folder or archive that a line names (`./pkg`, `-e ../shared[extra]`, `name @ file:///…`), or undefined. */
export function localPathOf(line: string): string | undefined {
  const target = line
    .replace(/^(-e|--editable)(\s*=\s*|\s+)/, '')
    .replace(/^[\w.-]+(\[[^\]]*\])?\s*@\s*(?=file:)/, '')
    .replace(/\s*;.*$/, '')
    .replace(/\s+--.*$/, '')
    .trim();
  const withoutExtras = target.replace(/\[[^\]]*\]$/, '');
  if (withoutExtras.startsWith('file:')) {
    return decodeURIComponent(withoutExtras.replace(/^file:(\/\/(localhost)?(?=\/))?/, '').replace(/[#?].*$/, ''));
  }
  if (/^(\.{1,2}$|\.{0,2}[/\\]|[A-Za-z]:[/\\])/.test(withoutExtras)) return withoutExtras;
  // `packages/shared`: a path without a dot in front; URLs and `git+ssh://` have a scheme
  return /^[\w.-]+[/\\][\w./\\-]*$/.test(withoutExtras) ? withoutExtras : undefined;
}

/**
 * The folder against which pip must resolve the local paths: pip takes its working folder, the peer's users write paths
 * from where they start it, others from the requirements file. The first in which all of them exist.
 */
export async function localPathsBase(localPaths: readonly string[], candidates: readonly string[]): Promise<string> {
  for (const candidate of candidates) {
    const all = await Promise.all(localPaths.map((local) => statIfExists(path.resolve(candidate, local))));
    if (all.every((stat) => stat !== undefined)) return candidate;
  }
  return candidates[0] ?? '.';
}
