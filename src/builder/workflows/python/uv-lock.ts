import * as path from 'node:path';
import { readTextIfExists } from '../../../support/files.ts';
import { text, textsOf } from '../../../support/shapes.ts';
import { normalizeName, parseRequirement, table } from './pyproject.ts';
import { parseTomlFile } from '../toml-file.ts';
import type { PyProject } from './pyproject.ts';

/** The part of a `uv.lock` that we read. */
export interface UvLock {
  packages: readonly LockedPackage[];
  /** Requirements of a script. */
  requirements: readonly LockedDependency[];
}

interface LockedPackage {
  name: string;
  /** Its local path, relative to the lock's folder. */
  place: string | undefined;
  /** Its folder, if it is a project. */
  projectDir: string | undefined;
  dependencies: readonly LockedDependency[];
  extras: ReadonlyMap<string, readonly LockedDependency[]>;
  /** The project's requirements when it was locked. */
  requires: readonly { name: string; specifier: string; marker: string }[];
}

interface LockedDependency {
  name: string;
  extras: readonly string[];
}

/** Parsed locks by content: parsing one of a large workspace takes tens of ms, and all its functions share it. */
const parsed = new Map<string, UvLock>();
const KEEP_PARSED = 8;

/** Reads a `uv.lock`. `hash`: of its content. */
export async function readUvLock(file: string, hash: string): Promise<UvLock> {
  const cached = parsed.get(hash);
  if (cached !== undefined) return cached;
  const content = parseTomlFile(file, (await readTextIfExists(file)) ?? '');
  const lock = {
    packages: tables(content['package']).map(toPackage),
    requirements: tables(table(content['manifest'])['requirements']).map(toDependency),
  };
  for (const old of [...parsed.keys()].slice(0, Math.max(0, parsed.size - KEEP_PARSED + 1))) parsed.delete(old);
  parsed.set(hash, lock);
  return lock;
}

type Table = ReturnType<typeof table>;

function tables(value: unknown): Table[] {
  return Array.isArray(value) ? value.map(table) : [];
}

function toPackage(value: Table): LockedPackage {
  const source = table(value['source']);
  const registry = text(source['registry']);
  const projectDir = text(source['virtual']) ?? text(source['editable']) ?? text(source['directory']);
  const folderOfArchives = registry === undefined || /^\w\w+:/.test(registry) ? undefined : registry;
  return {
    name: text(value['name']) ?? '',
    place: projectDir ?? text(source['path']) ?? folderOfArchives,
    projectDir,
    dependencies: tables(value['dependencies']).map(toDependency),
    extras: new Map(
      Object.entries(table(value['optional-dependencies'])).map(([name, list]) => [
        name,
        tables(list).map(toDependency),
      ]),
    ),
    requires: tables(table(value['metadata'])['requires-dist']).map((wanted) => ({
      name: text(wanted['name']) ?? '',
      specifier: text(wanted['specifier']) ?? '',
      marker: text(wanted['marker']) ?? '',
    })),
  };
}

function toDependency(value: Table): LockedDependency {
  return { name: text(value['name']) ?? '', extras: textsOf(value['extra']) };
}

/** Returns the local folders and archives that the project needs, transitively, by its lock. Absolute. */
export function lockedLocals(lock: UvLock, lockDir: string, projectDir: string): string[] {
  const byName = new Map<string, LockedPackage[]>();
  for (const locked of lock.packages) byName.set(locked.name, [...(byName.get(locked.name) ?? []), locked]);
  const places = new Set<string>();
  /** Visited packages with their extras (`''`: without any). */
  const seen = new Set<string>();
  const visitAll = (dependencies: readonly LockedDependency[]): void => {
    for (const { name, extras } of dependencies)
      for (const [index, locked] of (byName.get(name) ?? []).entries())
        for (const extra of ['', ...extras]) visit(locked, extra, `${name} ${index} ${extra}`);
  };
  const visit = (locked: LockedPackage, extra: string, id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    if (locked.place !== undefined) places.add(path.resolve(lockDir, locked.place));
    visitAll(extra === '' ? locked.dependencies : (locked.extras.get(extra) ?? []));
  };
  visitAll([...(ownPackage(lock, lockDir, projectDir)?.dependencies ?? []), ...lock.requirements]);
  places.delete(projectDir);
  return [...places].sort();
}

function ownPackage(lock: UvLock, lockDir: string, projectDir: string): LockedPackage | undefined {
  return lock.packages.find(({ projectDir: dir }) => dir !== undefined && path.resolve(lockDir, dir) === projectDir);
}

/** Returns requirements of the project that the lock lacks, as written, and names of requirements that only the lock has. */
export function differencesToLock({ project, dir }: PyProject, lock: UvLock, lockDir: string): string[] {
  const own = ownPackage(lock, lockDir, dir);
  if (own === undefined || project === undefined || project.isDynamic) return [];
  const locked = own.requires.filter(({ marker }) => !/\bextra\b/.test(marker));
  const lockedClauses = new Set(locked.map(({ name, specifier }) => `${name} ${clauses(specifier)}`));
  const names = new Set(locked.map(({ name }) => name));
  const missing = project.dependencies.filter((line) => {
    const wanted = parseRequirement(line);
    if (wanted === undefined) return false;
    return wanted.url === undefined
      ? !lockedClauses.has(`${wanted.name} ${clauses(wanted.specifier)}`)
      : !names.has(wanted.name);
  });
  const wantedNames = new Set(project.dependencies.map((line) => parseRequirement(line)?.name));
  return [...missing, ...[...names].filter((name) => !wantedNames.has(normalizeName(name)))];
}

function clauses(specifier: string): string {
  return specifier
    .replace(/[()\s]/g, '')
    .toLowerCase()
    .split(',')
    .sort()
    .join(',');
}
