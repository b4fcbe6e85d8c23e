import * as path from 'node:path';
import { UserError } from '../../../errors.ts';
import { readTextIfExists } from '../../../support/files.ts';
import { parseJsonFile } from '../../../support/json-file.ts';
import { ownValue } from '../../../support/own-value.ts';
import { isSegment, quoted } from '../../../support/places.ts';
import { either, fields, flag, listOf, recordOf, text } from '../../../support/shapes.ts';
import type { Reader } from '../../../support/shapes.ts';

/** The part of a package.json that we read. Everything else in it is kept. */
export interface NodeManifest {
  name?: string;
  version?: string;
  type?: string;
  packageManager?: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, Readonly<Record<string, unknown>>>;
  bundleDependencies?: string[];
  bundledDependencies?: string[];
  workspaces?: string[] | { packages?: string[] };
  files?: string[];
  bin?: string | Record<string, string>;
  main?: string;
  browser?: string | Readonly<Record<string, unknown>>;
  pnpm?: Readonly<Record<string, unknown>>;
  overrides?: unknown;
  resolutions?: unknown;
}

/** Reads the package.json of a user's folder; undefined if there is none. Rejects invalid values. */
export async function readManifest(dir: string): Promise<NodeManifest | undefined> {
  const file = path.join(dir, 'package.json');
  const json = await readTextIfExists(file);
  if (json === undefined) return undefined;
  const { manifest, wrong } = parseManifest(parseJsonFile(file, json));
  if (wrong.length > 0) throw new UserError(`${file}: ${wrong.join('; ')}`);
  return manifest;
}

/** Reads the package.json of another package, which the user cannot fix: invalid values are left out. */
export async function readForeignManifest(dir: string): Promise<NodeManifest | undefined> {
  const file = path.join(dir, 'package.json');
  const json = await readTextIfExists(file);
  return json === undefined ? undefined : parseManifest(parseJsonFile(file, json)).manifest;
}

/** Whether the name is valid for a package, and thus for its folder in `node_modules`. */
export function isPackageName(name: string): boolean {
  const [scope, ...rest] = name.split('/');
  if (!name.startsWith('@')) return isSegment(name);
  return isSegment(scope ?? '') && scope !== '@' && rest.length === 1 && isSegment(rest[0] ?? '');
}

/** Returns the packages bundled in this one. */
export function bundledPackages({ bundleDependencies, bundledDependencies }: NodeManifest): readonly string[] {
  return bundleDependencies ?? bundledDependencies ?? [];
}

/** Returns all dependencies that the package needs at run time. */
export function runtimeDependencies(manifest: NodeManifest): Record<string, string> {
  const peers = Object.entries(manifest.peerDependencies ?? {}).filter(
    ([name]) => ownValue(manifest.peerDependenciesMeta ?? {}, name)?.['optional'] !== true,
  );
  return { ...Object.fromEntries(peers), ...manifest.optionalDependencies, ...manifest.dependencies };
}

/** Changes the runtime dependencies of a manifest; `change` returns the new value, or undefined to remove one. */
export function mapDependencies(
  manifest: NodeManifest,
  change: (name: string, spec: string) => string | undefined,
): NodeManifest {
  const mapped = { ...manifest };
  for (const field of ['dependencies', 'optionalDependencies', 'peerDependencies'] as const) {
    if (manifest[field] === undefined) continue;
    const entries = Object.entries(manifest[field]).map(([name, spec]) => [name, change(name, spec)] as const);
    mapped[field] = Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }
  return mapped;
}

/** A field's reader; `what` completes the error of an invalid value: "dependencies must be …". */
interface Field {
  read: Reader<unknown>;
  what: string;
}

const VERSIONS: Field = { read: recordOf(text), what: 'an object of package names and versions' };
const TEXTS: Field = { read: listOf(text), what: 'a list of strings' };

const REQUIRED: Readonly<Record<string, Field>> = {
  dependencies: VERSIONS,
  devDependencies: VERSIONS,
  optionalDependencies: VERSIONS,
  peerDependencies: VERSIONS,
  peerDependenciesMeta: { read: recordOf(fields), what: 'an object of objects' },
  scripts: { read: recordOf(text), what: 'an object of names and commands' },
  files: TEXTS,
  bin: { read: either(text, recordOf(text)), what: 'a string or an object of strings' },
  main: { read: text, what: 'a string' },
  workspaces: { read: either(listOf(text), readYarnWorkspaces), what: 'a list of strings' },
};
/** Fields that are left out if invalid: they do not change the build. */
const OPTIONAL: Readonly<Record<string, Reader<unknown>>> = {
  name: text,
  version: text,
  type: text,
  packageManager: text,
  browser: either(text, fields),
  pnpm: fields,
};
const BUNDLED = ['bundleDependencies', 'bundledDependencies'];
const DEPENDENCIES = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

function parseManifest(value: unknown): { manifest: NodeManifest; wrong: string[] } {
  const given = fields(value);
  if (given === undefined) return { manifest: {}, wrong: ['it must be a JSON object'] };
  const manifest: Record<string, unknown> = { ...given };
  const wrong: string[] = [];
  for (const [name, { read, what }] of Object.entries(REQUIRED)) {
    if (isNothing(manifest[name])) delete manifest[name];
    else if (read(manifest[name]) === undefined) {
      delete manifest[name];
      wrong.push(`${name} must be ${what}`);
    }
  }
  for (const [name, read] of Object.entries(OPTIONAL)) if (read(manifest[name]) === undefined) delete manifest[name];
  for (const name of DEPENDENCIES) wrong.push(...removeWrongNames(manifest, name));
  for (const name of BUNDLED) {
    const packages = readBundled(manifest[name], fields(manifest['dependencies']) ?? {});
    if (packages === undefined) delete manifest[name];
    else manifest[name] = packages;
  }
  return { manifest, wrong };
}

/** Reads yarn's other form. */
function readYarnWorkspaces(value: unknown): object | undefined {
  const map = fields(value);
  return map && (map['packages'] === undefined || listOf(text)(map['packages'])) ? map : undefined;
}

/** npm reads these as absent. */
function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function removeWrongNames(manifest: Record<string, unknown>, section: string): string[] {
  const packages = fields(manifest[section]) ?? {};
  const invalid = Object.keys(packages).filter((name) => !isPackageName(name));
  if (invalid.length === 0) return [];
  manifest[section] = Object.fromEntries(Object.entries(packages).filter(([name]) => isPackageName(name)));
  return invalid.map((name) => `${section} has an invalid package name: ${quoted(name)}`);
}

/** Reads a list, an object whose keys count, or `true` for all dependencies. */
function readBundled(value: unknown, dependencies: Readonly<Record<string, unknown>>): string[] | undefined {
  if (flag(value) !== undefined) return value === true ? Object.keys(dependencies) : [];
  const names = Array.isArray(value) ? value : Object.keys(fields(value) ?? {});
  const packages = names.filter((name): name is string => typeof name === 'string' && isPackageName(name));
  return value === undefined ? undefined : packages;
}
