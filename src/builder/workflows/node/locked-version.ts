import * as path from 'node:path';
import { readTextIfExists } from '../../../support/files.ts';
import { oncePerName } from '../../../support/once.ts';
import { fields, listOf, parseJson, text } from '../../../support/shapes.ts';
import { parseYaml } from '../../../template/yaml/yaml.ts';

/** A dependency in a package.json. */
export interface NamedDependency {
  name: string;
  /** The requested version, range or tag. */
  spec: string;
  /** The folder of the package.json, relative to the lock file's folder, with `/`; '' for the same one. */
  place: string;
  /** The name of the package that depends on it. */
  dependent: string | undefined;
}

/** Finds the version of a dependency in a lock file. */
type LockReader = (dependency: NamedDependency) => string | undefined;

/** Lock files that this run has read: many functions share a large one. */
export type LockCache = Map<string, Promise<LockReader>>;

/** Returns the version of a direct dependency in a lock file. */
export async function lockedVersion(
  lock: string,
  dependency: NamedDependency,
  cache: LockCache,
): Promise<string | undefined> {
  const read = await oncePerName(cache, lock, async () => openLock(lock, (await readTextIfExists(lock)) ?? ''));
  return read(dependency);
}

function openLock(lock: string, content: string): LockReader {
  switch (path.basename(lock)) {
    case 'package-lock.json':
    case 'npm-shrinkwrap.json':
      return openNpmLock(content);
    case 'pnpm-lock.yaml':
      return openPnpmLock(content, lock);
    case 'yarn.lock':
      return openYarnLock(content);
    case 'bun.lock':
      return openBunLock(content);
    default:
      return () => undefined; // binary
  }
}

/** Nested packages come first, as in `node_modules`. */
function openNpmLock(content: string): LockReader {
  const lock = fields(parseJson(content));
  const packages = fields(lock?.['packages']);
  const old = fields(lock?.['dependencies']);
  return ({ name, place }) => {
    if (packages === undefined) return text(fields(old?.[name])?.['version']);
    const parts = place === '' ? [] : place.split('/');
    for (let length = parts.length; length >= 0; length--) {
      const at = [...parts.slice(0, length), 'node_modules', name].join('/');
      const version = text(fields(packages[at])?.['version']);
      if (version !== undefined) return version;
    }
    return undefined;
  };
}

const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies'];

function openPnpmLock(content: string, file: string): LockReader {
  // the packages after the importers are most of the file
  const end = content.search(/^packages:/m);
  const lock = fields(parseYaml(end < 0 ? content : content.slice(0, end), file));
  const importers = fields(lock?.['importers']);
  return ({ name, place }) => {
    const importer = importers ? fields(importers[place === '' ? '.' : place]) : place === '' ? lock : undefined;
    for (const section of SECTIONS) {
      const entry = fields(importer?.[section])?.[name];
      const version = text(entry) ?? text(fields(entry)?.['version']);
      // `0.25.0(peer@1.0.0)`, in older files `0.25.0_peer@1.0.0`
      if (version !== undefined) return version.replace(/[(_].*$/, '');
    }
    return undefined;
  };
}

/** Both forms of yarn.lock: entries start with the requests, `"esbuild@npm:^0.25.0, esbuild@npm:0.25.x":`. */
function openYarnLock(content: string): LockReader {
  const lines = content.split(/\r?\n/);
  return ({ name, spec }) => {
    const wanted = `${name}@${spec.replace(/^npm:/, '')}`;
    const start = lines.findIndex(
      (line) =>
        /^["\w@]/.test(line) &&
        line
          .replace(/:$/, '')
          .replaceAll('"', '')
          .split(/,\s*/)
          .some((item) => item.replace('@npm:', '@') === wanted),
    );
    if (start < 0) return undefined;
    const end = lines.findIndex((line, index) => index > start && !line.startsWith(' '));
    const entry = lines.slice(start + 1, end < 0 ? undefined : end);
    const version = entry.map((line) => /^\s+version:?\s+"?([^"\s]+)"?/.exec(line)?.[1]);
    return version.find((item) => item !== undefined);
  };
}

function openBunLock(content: string): LockReader {
  // JSON with commas at the end
  const lock = fields(parseJson(content.replace(/,(\s*[}\]])/g, '$1')));
  const packages = fields(lock?.['packages']);
  return ({ name, dependent }) => {
    const entries = [packages?.[`${dependent ?? ''}/${name}`], packages?.[name]];
    const resolved = entries.map((entry) => (Array.isArray(entry) ? listOf(text)(entry.slice(0, 1))?.[0] : undefined));
    return resolved.find((item) => item !== undefined)?.slice(name.length + 1);
  };
}
