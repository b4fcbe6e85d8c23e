import * as path from 'node:path';
import { exists, readTextIfExists, statIfExists } from '../../../support/files.ts';
import { isLocalUrl, pathOfUrl } from '../file-url.ts';

/** A requirements file with the files that it includes. */
export interface Requirements {
  /** Absolute. */
  file: string;
  /** All lines without comments and blank lines, included files in place. */
  lines: readonly RequirementLine[];
  /** The file and the files that it includes, existing or not. Absolute. */
  files: readonly string[];
  /** Included files that do not exist. */
  missing: readonly MissingFile[];
  /** Options for the sources of packages, each in one word (`--index-url=…`), paths absolute. */
  indexOptions: readonly string[];
  /** Folders with archives to choose from (`--find-links`). Absolute. */
  linkedPlaces: readonly string[];
  /** Whether any line requires a package. */
  hasPackages: boolean;
  /** Its files alone decide what it says: no line has a variable of the environment, or names a place where archives may appear. */
  isSelfContained: boolean;
}

/** A line of a requirements file. */
interface RequirementLine {
  text: string;
  /** From a constraints file: it requires nothing itself. */
  isConstraint: boolean;
  /** The local folder or archive that it names, as written. */
  local: string | undefined;
  /** It is an option for the sources of packages. */
  isIndexOption: boolean;
}

/** An included file that does not exist. */
interface MissingFile {
  file: string;
  /** The line that includes it. */
  line: string;
  /** The file with that line. */
  includedBy: string;
}

/** The environment, for `${NAME}` in paths. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a requirements file and the files that it includes (`-r`, `-c`), or undefined if there is none. */
export async function readRequirements(file: string, env: Environment = {}): Promise<Requirements | undefined> {
  const text = await readTextIfExists(file);
  if (text === undefined) return undefined;
  const draft: RequirementsDraft = {
    file,
    lines: [],
    files: [],
    missing: [],
    indexOptions: [],
    linkedPlaces: [],
    hasPackages: false,
    isSelfContained: true,
  };
  await readInto(draft, { file, text, kind: 'requirements', env, read: new Set([`requirements ${file}`]) });
  return draft;
}

type RequirementsDraft = {
  -readonly [Name in keyof Requirements]: Requirements[Name] extends readonly (infer T)[] ? T[] : Requirements[Name];
};

interface Source {
  file: string;
  text: string;
  kind: 'requirements' | 'constraints';
  env: Environment;
  /** The files read so far, with their kind. */
  read: Set<string>;
}

const INCLUDE = /^(?:(-r|--requirements?)|-c|--constraints?)(?:\s*=\s*|\s*)(?:"([^"]+)"|'([^']+)'|(\S+))$/;

async function readInto(draft: RequirementsDraft, source: Source): Promise<void> {
  const { file, text, kind, env } = source;
  if (!draft.files.includes(file)) draft.files.push(file);
  if (text.includes('${') || /(^|\s)(-f|--find-links)/.test(text)) draft.isSelfContained = false;
  for (const line of logicalLines(text)) {
    const include = INCLUDE.exec(line);
    if (include) {
      const nested = include[1] === undefined ? 'constraints' : kind;
      const name = expandVariables(include[2] ?? include[3] ?? include[4] ?? '', env);
      await readIncluded(draft, { ...source, kind: nested }, { name, line });
      continue;
    }
    const isConstraint = kind === 'constraints';
    const isIndexOption = await addOption(draft, line, source);
    draft.lines.push({ text: line, isConstraint, local: localPathOf(expandVariables(line, env)), isIndexOption });
    if (!isConstraint && (!line.startsWith('-') || /^(-e|--editable)\b/.test(line))) draft.hasPackages = true;
  }
}

async function readIncluded(
  draft: RequirementsDraft,
  from: Source,
  { name, line }: { name: string; line: string },
): Promise<void> {
  if (!isLocalUrl(name)) return;
  const file = pathOfUrl(name, path.dirname(from.file));
  // a file can be both requirements and constraints, and constraints alone install nothing
  const reading = `${from.kind} ${file}`;
  if (from.read.has(reading) || from.read.has(`requirements ${file}`)) return;
  from.read.add(reading);
  const text = await readTextIfExists(file);
  if (text !== undefined) return readInto(draft, { ...from, file, text });
  draft.files.push(file);
  draft.missing.push({ file, line, includedBy: from.file });
}

const INDEX_OPTION =
  /^(-i|--index-url|--pypi-url|--extra-index-url|--no-index|-f|--find-links|--trusted-host)(?:\s*=\s*|\s+|$)(.*)$/;

async function addOption(draft: RequirementsDraft, line: string, { file, env }: Source): Promise<boolean> {
  const [, option, value = ''] = INDEX_OPTION.exec(line) ?? [];
  if (option === undefined) return false;
  const name = option === '-i' ? '--index-url' : option === '-f' ? '--find-links' : option;
  const plain = expandVariables(value.replace(/^(["'])(.*)\1$/, '$2'), env);
  const beside = pathOfUrl(plain, path.dirname(file));
  const isPlace = name === '--find-links' && isLocalUrl(plain) && (await exists(beside));
  if (isPlace) draft.linkedPlaces.push(beside);
  draft.indexOptions.push(plain === '' ? name : `${name}=${isPlace ? beside : plain}`);
  return true;
}

/** Replaces `${NAME}` as pip and uv do; a variable that is not set stays. */
function expandVariables(text: string, env: Environment): string {
  return text.replace(/\$\{([A-Z0-9_]+)\}/g, (whole, name: string) => env[name] ?? whole);
}

/** Returns the local folders and archives in requirements, as written. */
export function localPathsOf({ lines }: Requirements): string[] {
  return lines.flatMap(({ local }) => local ?? []);
}

/** Returns the lines as pip reads them: continuations joined, comments and blank lines removed. */
export function logicalLines(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\\\r?\n/g, '')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** Returns the local folder or archive in a line (`./pkg`, `-e ../shared[extra]`, `name @ file:///…`, `pkg-1.0.tar.gz`). */
export function localPathOf(line: string): string | undefined {
  const target = line
    .replace(/^(-e|--editable)(\s*=\s*|\s+)/, '')
    .replace(/^[\w.-]+\s*(\[[^\]]*\])?\s*@\s*(?=file:|\.{0,2}[/\\])/, '')
    .replace(/\s*;.*$/, '')
    .replace(/\s+--.*$/, '')
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2');
  const withoutExtras = target.replace(/\[[^\]]*\]$/, '');
  if (withoutExtras.startsWith('file:')) return localPathOfUrl(withoutExtras);
  if (/^(\.{1,2}$|\.{0,2}[/\\]|[A-Za-z]:[/\\])/.test(withoutExtras)) return withoutExtras;
  // `packages/shared`: a path without a dot in front; URLs and `git+ssh://` have a scheme
  if (/^[\w.+~!-]+[/\\][\w.+~!/\\-]*$/.test(withoutExtras)) return withoutExtras;
  return ARCHIVE.test(withoutExtras) ? withoutExtras : undefined;
}

/** The name of an archive: pip takes it for a file in its working folder. */
const ARCHIVE = /^[\w.+~!-]+\.(whl|zip|tar|tar\.(gz|bz2|xz|lz|lzma)|tgz|tbz|txz|tlz)$/i;

function localPathOfUrl(url: string): string {
  return decodeURIComponent(url.replace(/^file:(\/\/(localhost)?(?=\/))?/, '').replace(/[#?].*$/, ''));
}

/**
 * Returns the first candidate in which all local paths exist: the folder that pip must run in. pip resolves paths against its
 * working folder; users of SAM CLI write them relative to where they start it, others relative to the requirements file.
 */
export async function localPathsBase(localPaths: readonly string[], candidates: readonly string[]): Promise<string> {
  for (const candidate of candidates) {
    const all = await Promise.all(localPaths.map((local) => statIfExists(path.resolve(candidate, local))));
    if (all.every((stat) => stat !== undefined)) return candidate;
  }
  return candidates[0] ?? '.';
}
