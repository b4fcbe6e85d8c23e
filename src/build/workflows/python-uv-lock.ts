import * as path from 'node:path';
import { readTextIfExists } from '../../support/files.ts';
import { normalizeName, parseRequirement, parseTomlFile } from './pyproject.ts';
import type { PyProject } from './pyproject.ts';

/** What we read of a `uv.lock`. */
export interface UvLock {
  manifest?: { requirements?: LockedDependency[] };
  package?: LockedPackage[];
}

interface LockedPackage {
  name: string;
  source?: LockedSource;
  dependencies?: LockedDependency[];
  'optional-dependencies'?: Record<string, LockedDependency[]>;
  metadata?: { 'requires-dist'?: { name: string; specifier?: string; marker?: string }[] };
}

interface LockedDependency {
  name: string;
  extra?: string[];
}

/** Exactly one of them is there; all but `registry` with a URL are paths that start at the lock. */
interface LockedSource {
  virtual?: string;
  editable?: string;
  directory?: string;
  path?: string;
  registry?: string;
}

/** By content: a lock of a large workspace takes tens of milliseconds, and all its functions have the same one. */
const parsed = new Map<string, UvLock>();
const KEEP_PARSED = 8;

/** Parses a `uv.lock`. `hash`: of its content. */
export async function readUvLock(file: string, hash: string): Promise<UvLock> {
  const known = parsed.get(hash);
  if (known !== undefined) return known;
  const lock = parseTomlFile(file, (await readTextIfExists(file)) ?? '') as UvLock;
  for (const old of [...parsed.keys()].slice(0, Math.max(0, parsed.size - KEEP_PARSED + 1))) parsed.delete(old);
  parsed.set(hash, lock);
  return lock;
}

/** Folders and archives on this machine that the project needs, also through others, by its lock. Absolute. */
export function lockedLocals(lock: UvLock, lockDir: string, projectDir: string): string[] {
  const byName = new Map<string, LockedPackage[]>();
  for (const locked of lock.package ?? []) byName.set(locked.name, [...(byName.get(locked.name) ?? []), locked]);
  const places = new Set<string>();
  const seen = new Set<LockedPackage>();
  const visitAll = (dependencies: readonly LockedDependency[]): void => {
    for (const { name, extra = [] } of dependencies) for (const locked of byName.get(name) ?? []) visit(locked, extra);
  };
  const visit = (locked: LockedPackage, extras: readonly string[]): void => {
    for (const extra of extras) {
      const more = (locked['optional-dependencies']?.[extra] ?? []).filter(({ name }) => name !== locked.name);
      visitAll(more);
    }
    if (seen.has(locked)) return;
    seen.add(locked);
    const place = placeOf(locked.source);
    if (place !== undefined) places.add(path.resolve(lockDir, place));
    visitAll(locked.dependencies ?? []);
  };
  const own = ownPackage(lock, lockDir, projectDir);
  if (own) visit(own, []);
  visitAll(lock.manifest?.requirements ?? []);
  places.delete(projectDir);
  return [...places].sort();
}

function placeOf(source: LockedSource | undefined): string | undefined {
  const { registry } = source ?? {};
  if (registry !== undefined) return /^\w\w+:/.test(registry) ? undefined : registry;
  return source?.editable ?? source?.directory ?? source?.path ?? source?.virtual;
}

function ownPackage(lock: UvLock, lockDir: string, projectDir: string): LockedPackage | undefined {
  return lock.package?.find(({ source }) => {
    const dir = source?.virtual ?? source?.editable ?? source?.directory;
    return dir !== undefined && path.resolve(lockDir, dir) === projectDir;
  });
}

/** Requirements of the project that the lock was not made for, as they are written; those that it has besides, by name. */
export function differencesToLock({ project, dir }: PyProject, lock: UvLock, lockDir: string): string[] {
  const own = ownPackage(lock, lockDir, dir);
  if (own === undefined || project === undefined || project.isDynamic) return [];
  const locked = (own.metadata?.['requires-dist'] ?? []).filter(({ marker }) => !/\bextra\b/.test(marker ?? ''));
  const known = new Set(locked.map(({ name, specifier }) => `${name} ${clauses(specifier)}`));
  const names = new Set(locked.map(({ name }) => name));
  const missing = project.dependencies.filter((text) => {
    const wanted = parseRequirement(text);
    if (wanted === undefined) return false;
    return wanted.url === undefined
      ? !known.has(`${wanted.name} ${clauses(wanted.specifier)}`)
      : !names.has(wanted.name);
  });
  const wantedNames = new Set(project.dependencies.map((text) => parseRequirement(text)?.name));
  return [...missing, ...[...names].filter((name) => !wantedNames.has(normalizeName(name)))];
}

function clauses(specifier: string | undefined): string {
  const text = (specifier ?? '').replace(/[()\s]/g, '').toLowerCase();
  return text.split(',').sort().join(',');
}
