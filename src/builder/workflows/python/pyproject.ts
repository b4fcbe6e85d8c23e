import * as path from 'node:path';
import { exists, readTextIfExists } from '../../../support/files.ts';
import { fields, text, textsOf } from '../../../support/shapes.ts';
import { parseTomlFile } from '../toml-file.ts';

/** The part of a `pyproject.toml`, or of a script's metadata (PEP 723, the same tables), that we read. */
export interface PyProject {
  /** Absolute. */
  file: string;
  /** The folder that relative paths start from. */
  dir: string;
  /** `[project]`; undefined if there is none. */
  project: ProjectTable | undefined;
  uv: UvTable;
  /** `[tool.poetry.dependencies]`, without Python itself. */
  poetryPackages: readonly string[];
  hasGroups: boolean;
}

interface ProjectTable {
  name: string | undefined;
  requiresPython: string | undefined;
  dependencies: readonly string[];
  extras: ReadonlyMap<string, readonly string[]>;
  /** The build backend computes the dependencies. */
  isDynamic: boolean;
}

/** The part of `[tool.uv]` that names sources of packages. */
interface UvTable {
  /** The workspace of which this is the root. */
  workspace: { members: readonly string[]; exclude: readonly string[] } | undefined;
  /** By normalized name. */
  sources: ReadonlyMap<string, readonly UvSource[]>;
  /** URLs and paths of indexes and of folders with archives. */
  places: readonly string[];
}

/** A source of a package other than the default index. */
export interface UvSource {
  path: string | undefined;
  workspace: boolean;
}

/** The files of which a folder has one that pip and uv can install. */
export const PROJECT_FILES: readonly string[] = ['pyproject.toml', 'setup.py'];

/** Returns whether pip and uv can install the folder. */
export async function isInstallable(dir: string): Promise<boolean> {
  const found = await Promise.all(PROJECT_FILES.map((name) => exists(path.join(dir, name))));
  return found.includes(true);
}

/** Reads a `pyproject.toml`; undefined if there is none. */
export async function readPyProject(dir: string): Promise<PyProject | undefined> {
  const file = path.join(dir, 'pyproject.toml');
  const content = await readTextIfExists(file);
  return content === undefined ? undefined : toPyProject(file, parseTomlFile(file, content));
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

function toPyProject(file: string, value: Table): PyProject {
  const tool = table(value['tool']);
  const project = value['project'] === undefined ? undefined : table(value['project']);
  return {
    file,
    dir: path.dirname(file),
    project: project && toProject(project),
    uv: toUv(table(tool['uv'])),
    poetryPackages: Object.keys(table(table(tool['poetry'])['dependencies'])).filter((name) => name !== 'python'),
    hasGroups: Object.keys(table(value['dependency-groups'])).length > 0,
  };
}

function toUv(uv: Table): UvTable {
  const workspace = fields(uv['workspace']);
  const sources = Object.entries(table(uv['sources'])).map(([name, value]) => {
    const list = (Array.isArray(value) ? value : [value]).map(table);
    const places = list.map((source) => ({ path: text(source['path']), workspace: source['workspace'] === true }));
    return [normalizeName(name), places] as const;
  });
  const indexes = Array.isArray(uv['index']) ? uv['index'].map((index) => text(table(index)['url']) ?? '') : [];
  return {
    workspace: workspace && { members: textsOf(workspace['members']), exclude: textsOf(workspace['exclude']) },
    sources: new Map(sources),
    places: [...textsOf(uv['find-links']), ...indexes],
  };
}

function toProject(project: Table): ProjectTable {
  const extras = Object.entries(table(project['optional-dependencies']));
  return {
    name: text(project['name']),
    requiresPython: text(project['requires-python']),
    dependencies: textsOf(project['dependencies']),
    extras: new Map(extras.map(([name, list]) => [normalizeName(name), textsOf(list)])),
    isDynamic: textsOf(project['dynamic']).includes('dependencies'),
  };
}

type Table = Readonly<Record<string, unknown>>;

/** Returns a mapping; an empty one for any other value. */
export function table(value: unknown): Table {
  return fields(value) ?? {};
}

/** Normalizes a package's name (PEP 503): case and `-`, `_`, `.` make no difference. */
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

/** Parses a requirement; undefined if it does not start with a name. */
export function parseRequirement(line: string): RequirementParts | undefined {
  const match = /^\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|([^;]*))/.exec(line);
  if (match?.[1] === undefined) return undefined;
  const extras = (match[2] ?? '').split(',').map((extra) => normalizeName(extra.trim()));
  return {
    name: normalizeName(match[1]),
    extras: extras.filter((extra) => extra !== ''),
    url: match[3],
    specifier: (match[4] ?? '').trim(),
  };
}
