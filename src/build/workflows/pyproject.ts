import { parse as parseToml } from 'smol-toml';
import { UserError } from '../../errors.ts';
import { readTextIfExists } from '../../support/files.ts';
import * as path from 'node:path';

/** What we read of a `pyproject.toml`, or of the metadata in a script (PEP 723), which has the same tables. */
export interface PyProject {
  /** Absolute. */
  file: string;
  /** Relative paths in it start here. */
  dir: string;
  /** `[project]`; undefined if there is none. */
  project: ProjectTable | undefined;
  uv: UvTable;
  poetry: { dependencies?: Record<string, unknown> } | undefined;
  hasGroups: boolean;
}

interface ProjectTable {
  name: string | undefined;
  requiresPython: string | undefined;
  dependencies: readonly string[];
  extras: Readonly<Record<string, readonly string[]>>;
  /** The build backend says what the dependencies are. */
  isDynamic: boolean;
}

/** `[tool.uv]`. */
export interface UvTable {
  workspace?: { members?: string[]; exclude?: string[] };
  sources?: Record<string, UvSource | UvSource[]>;
  'find-links'?: string[];
  index?: { url?: string }[];
}

/** Where uv takes a package from, instead of the default index. */
export interface UvSource {
  path?: string;
  workspace?: boolean;
  index?: string;
}

/** Reads a `pyproject.toml`; undefined if there is none. */
export async function readPyProject(dir: string): Promise<PyProject | undefined> {
  const file = path.join(dir, 'pyproject.toml');
  const text = await readTextIfExists(file);
  return text === undefined ? undefined : toPyProject(file, parseTomlFile(file, text));
}

/** Reads the metadata of a script, a comment between `# /// script` and `# ///`; undefined if it has none. */
export async function readScriptMetadata(file: string): Promise<PyProject | undefined> {
  const block = /^# \/\/\/ script[ \t]*\r?\n((?:#(?:| .*)\r?\n)+?)# \/\/\/[ \t]*$/m.exec(
    (await readTextIfExists(file)) ?? '',
  );
  if (block?.[1] === undefined) return undefined;
  const { tool, ...project } = parseTomlFile(file, block[1].replace(/^# ?/gm, ''));
  return toPyProject(file, { project, tool });
}

/** Parses TOML; an error names the file and the line. */
export function parseTomlFile(file: string, text: string): Record<string, unknown> {
  try {
    return parseToml(text);
  } catch (error) {
    throw new UserError(`${file} is not valid TOML: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
}

function toPyProject(file: string, value: Record<string, unknown>): PyProject {
  const tool = table(value['tool']);
  const project = value['project'] === undefined ? undefined : table(value['project']);
  return {
    file,
    dir: path.dirname(file),
    project: project && toProject(project),
    uv: table(tool['uv']),
    poetry: tool['poetry'] === undefined ? undefined : table(tool['poetry']),
    hasGroups: Object.keys(table(value['dependency-groups'])).length > 0,
  };
}

function toProject(project: Record<string, unknown>): ProjectTable {
  const extras = Object.entries(table(project['optional-dependencies']));
  return {
    name: typeof project['name'] === 'string' ? project['name'] : undefined,
    requiresPython: typeof project['requires-python'] === 'string' ? project['requires-python'] : undefined,
    dependencies: strings(project['dependencies']),
    extras: Object.fromEntries(extras.map(([name, list]) => [normalizeName(name), strings(list)])),
    isDynamic: strings(project['dynamic']).includes('dependencies'),
  };
}

/** A mapping, whatever was written. */
export function table(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The strings of a list, whatever was written. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** Names that differ in case and `-`, `_`, `.` are one (PEP 503). */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** The parts of a requirement (PEP 508): `name[extra] @ url ; marker` or `name[extra]>=1 ; marker`. */
export interface RequirementParts {
  /** Normalized. */
  name: string;
  extras: readonly string[];
  url: string | undefined;
  specifier: string;
}

/** Takes a requirement apart; undefined if it begins with no name. */
export function parseRequirement(text: string): RequirementParts | undefined {
  const match = /^\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|([^;]*))/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const extras = (match[2] ?? '').split(',').map((extra) => normalizeName(extra.trim()));
  return {
    name: normalizeName(match[1]),
    extras: extras.filter((extra) => extra !== ''),
    url: match[3],
    specifier: (match[4] ?? '').trim(),
  };
}
