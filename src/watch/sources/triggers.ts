import * as path from 'node:path';
import type { BuildInput } from '../../builder/build-result.ts';
import { compileExcludes } from '../../support/globs.ts';
import { stemsOf } from '../../support/name-stems.ts';
import { flattenStacks, identifierOf } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';
import { findLocalPaths, resolveLocalPath } from '../../template/local-paths.ts';
import { isIgnoredName } from '../../files/ignored-names.ts';
import type { PathChange } from '../../files/path-change.ts';
import { compilePathPatterns } from '../../files/path-patterns.ts';
import type { PathMatcher } from '../../files/path-patterns.ts';
import { startsWithFolder } from '../../files/paths.ts';
import type { WatchedPart } from '../../files/file-snapshot.ts';

/** What determines the watched paths. */
export interface TriggerInput {
  /** undefined until the templates could be read. */
  root: Stack | undefined;
  /** How a change of the resource's code or definition is synced; undefined: not at all, because it is not selected. */
  syncMethod(id: ResourceIdentifier): 'code' | 'set' | 'deploy' | undefined;
  /** Files that builds were made of; a resource without an entry is made of its code. */
  built: ReadonlyMap<ResourceIdentifier, readonly BuildInput[]>;
  /** Templates, the files they include, and files that were missing when they were read. */
  templateFiles: readonly string[];
  /** The samconfig and parameter files. */
  optionFiles: readonly string[];
  /** `--watch-exclude`. */
  excludes: Readonly<Record<ResourceIdentifier, readonly string[]>>;
}

/** What changed paths affect. */
export interface ChangeEffects {
  /** Resources that a code sync updates. */
  ids: Set<ResourceIdentifier>;
  /** A file that only a deployment updates, e.g. the script of a Glue job. */
  deploy: boolean;
  /** A file that is the value of a setting: it is set directly, and deployed. */
  set: boolean;
  /** A template or a file that one includes. */
  templates: boolean;
  options: boolean;
}

/** The paths to watch, and the effects of their changes. */
export interface Triggers {
  /** Files and folders, absolute; they may not exist. */
  roots: readonly string[];
  /** Whether changes directly in this folder may have effects. */
  isWatched(folder: string): boolean;
  /** Whether a root was read: the code of a resource is not before it is built. */
  wasRead(root: string): boolean;
  /** Lists the watched files of these resources. */
  partsOf(ids: readonly ResourceIdentifier[]): WatchedPart[];
  /** Gives the effects of changed paths; a folder that came or went affects everything that is made of a path below it. */
  effectsOf(changes: Iterable<PathChange>): ChangeEffects;
  /** Gives the effects of a change of these resources that no path shows. */
  effectsOn(ids: readonly ResourceIdentifier[]): ChangeEffects;
}

/** One use of a watched path. */
interface Source {
  meaning: Meaning;
  /** Only the entries of the folder count, not what is below them. */
  direct: boolean;
  isExcluded: (target: string) => boolean;
}

type Meaning = { kind: 'resource' | 'set' | 'deploy'; id: ResourceIdentifier } | { kind: 'templates' | 'options' };

/** Plans which paths to watch and what each change means. Pure. */
export function planTriggers(input: TriggerInput): Triggers {
  const sources = new Map<string, Source[]>();
  const read = new Set<string>();
  const matcherOf = createExcludeMatchers();
  const add = (target: string, source: Source): void => {
    const others = sources.get(target);
    if (others) others.push(source);
    else sources.set(target, [source]);
  };
  for (const [meaning, inputs, exclude] of listInputs(input)) {
    for (const buildInput of inputs) {
      const { path: target, direct = false } = buildInput;
      add(target, { meaning, direct, isExcluded: excludedBelow(buildInput, exclude, matcherOf) });
      if (meaning.kind !== 'resource' || input.built.has(meaning.id)) read.add(target);
    }
  }
  return {
    // what was read has a root of its own in a folder that was not: a change before the watch began is reported
    roots: [...sources.keys()].filter(
      (target) => !isCovered(sources, target, (folder) => read.has(folder) || !read.has(target)),
    ),
    wasRead: (root) => read.has(root),
    isWatched: (folder) => sourcesAt(sources, folder).some(({ source, at }) => at === folder || !source.direct),
    partsOf: (ids) =>
      [...sources].flatMap(([target, uses]) =>
        uses.flatMap(({ meaning, direct, isExcluded }) =>
          'id' in meaning && ids.includes(meaning.id) ? [{ path: target, direct, isExcluded }] : [],
        ),
      ),
    effectsOf: (changes) => {
      const effects = noEffects();
      for (const change of changes) {
        for (const { source, at } of sourcesAt(sources, change.path)) {
          const far = source.direct && at !== change.path && path.dirname(change.path) !== at;
          if (!far) addEffect(effects, source.meaning);
        }
        if (!change.folder) continue;
        for (const [target, below] of sources) {
          if (startsWithFolder(target, change.path)) for (const source of below) addEffect(effects, source.meaning);
        }
      }
      return effects;
    },
    effectsOn: (ids) => {
      const effects = noEffects();
      for (const meaning of ids.map((id) => meaningOf(input, id))) if (meaning) addEffect(effects, meaning);
      return effects;
    },
  };
}

function noEffects(): ChangeEffects {
  return { ids: new Set(), deploy: false, set: false, templates: false, options: false };
}

function meaningOf({ syncMethod }: TriggerInput, id: ResourceIdentifier): Meaning | undefined {
  const way = syncMethod(id);
  if (way === undefined) return undefined;
  return { kind: way === 'code' ? 'resource' : way, id };
}

/** Lists the files of each resource, of the templates and of the options. */
function* listInputs(input: TriggerInput): Iterable<[Meaning, readonly BuildInput[], PathMatcher | undefined]> {
  const exclude = (id: ResourceIdentifier): PathMatcher | undefined => {
    const patterns = ownValue(input.excludes, id);
    return patterns && compilePathPatterns(patterns);
  };
  for (const stack of input.root === undefined ? [] : flattenStacks(input.root)) {
    for (const resource of [...stack.functions, ...stack.layers, ...stack.webFunctions]) {
      const { id } = resource;
      const meaning = meaningOf(input, id);
      if (meaning) yield [meaning, input.built.get(id) ?? codeInputs(resource.code), exclude(id)];
    }
    const folder = path.dirname(stack.templateFile);
    for (const { logicalId, content, value } of findLocalPaths(stack.source, stack.resolved)) {
      if (content === 'code' || content === 'template') continue;
      const file = { path: resolveLocalPath(value, folder), excludes: [] };
      if (logicalId === undefined) yield [{ kind: 'templates' }, [file], undefined];
      else {
        const id = identifierOf(stack.path, logicalId);
        const meaning = meaningOf(input, id);
        if (meaning) yield [meaning, [file], exclude(id)];
      }
    }
  }
  yield [{ kind: 'templates' }, input.templateFiles.map(asFile), undefined];
  yield [{ kind: 'options' }, input.optionFiles.map(asFile), undefined];
}

function asFile(file: string): BuildInput {
  return { path: file, excludes: [], direct: true };
}

function codeInputs(code: Stack['functions'][number]['code']): BuildInput[] {
  switch (code.kind) {
    case 'folder':
    case 'file':
    case 'image-archive':
      return [{ path: code.path, excludes: [] }];
    case 'image':
      return [{ path: code.context, excludes: [] }];
    case 'inline':
    case 'local-image':
    case 'remote':
      return [];
  }
}

/** Excludes names that the build leaves out, names that are never watched, and `--watch-exclude`. */
function excludedBelow(
  { path: root, excludes, stems }: BuildInput,
  userExclude: PathMatcher | undefined,
  matcherOf: typeof compileExcludes,
): Source['isExcluded'] {
  const isExcluded = matcherOf(excludes);
  const wanted = stems && new Set(stems);
  return (target) => {
    const names = target === root ? [] : path.relative(root, target).split(path.sep);
    if (names.some((name, depth) => isIgnoredName(name) || isExcluded(name, depth === 0))) return true;
    if (wanted && names[0] !== undefined && !stemsOf(names[0]).some((stem) => wanted.has(stem))) return true;
    return userExclude?.(target, names.length === 0 ? path.basename(target) : names.join('/')) ?? false;
  };
}

/** Compiles lists of names, each list once: many inputs share a few lists. */
function createExcludeMatchers(): typeof compileExcludes {
  const matchers = new Map<string, ReturnType<typeof compileExcludes>>();
  return (patterns) => {
    const key = patterns.join('\0');
    const matcher = matchers.get(key) ?? compileExcludes(patterns);
    matchers.set(key, matcher);
    return matcher;
  };
}

/** Finds the uses of a path and the watched path at or above it that each belongs to. */
function sourcesAt(sources: ReadonlyMap<string, readonly Source[]>, target: string): { source: Source; at: string }[] {
  const uses: { source: Source; at: string }[] = [];
  for (let at = target; ; at = path.dirname(at)) {
    for (const source of sources.get(at) ?? []) if (!source.isExcluded(target)) uses.push({ source, at });
    if (path.dirname(at) === at) return uses;
  }
}

/** Whether the path lies in a watched folder that `counts`, without an excluded one in between: it needs no watch of its own. */
function isCovered(
  sources: ReadonlyMap<string, readonly Source[]>,
  target: string,
  counts: (folder: string) => boolean,
): boolean {
  const isIn = ({ direct, isExcluded }: Source, folder: string): boolean => {
    if (direct) return false;
    for (let at = target; at !== folder; at = path.dirname(at)) if (isExcluded(at)) return false;
    return true;
  };
  for (let folder = path.dirname(target); folder !== path.dirname(folder); folder = path.dirname(folder))
    if (counts(folder) && sources.get(folder)?.some((source) => isIn(source, folder))) return true;
  return false;
}

function addEffect(effects: ChangeEffects, meaning: Meaning): void {
  if (meaning.kind === 'resource') effects.ids.add(meaning.id);
  else effects[meaning.kind] = true;
}
