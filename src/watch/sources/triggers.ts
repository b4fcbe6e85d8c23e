import * as path from 'node:path';
import type { BuildInput } from '../../builder/artifact.ts';
import { compileNames, stemsOf } from '../../support/name-patterns.ts';
import type { NameMatcher } from '../../support/name-patterns.ts';
import { flattenStacks, identifierOf } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';
import { findLocalPaths, resolveLocalPath } from '../../template/local-paths.ts';
import { isIgnoredName } from '../../files/ignored-names.ts';
import type { PathChange } from '../../files/path-change.ts';
import { compilePathPatterns } from '../../files/path-patterns.ts';
import type { PathMatcher } from '../../files/path-patterns.ts';
import type { WatchedPart } from '../../files/snapshot.ts';

/** What the watched paths follow from. */
export interface TriggerInput {
  /** undefined: the templates could not be read yet. */
  root: Stack | undefined;
  /** How a change of the resource's code or definition is brought; undefined: not at all, it was not asked for. */
  syncMethod(id: ResourceIdentifier): 'code' | 'deploy' | undefined;
  /** What builds were made of; a resource without an entry is made of its code. */
  built: ReadonlyMap<ResourceIdentifier, readonly BuildInput[]>;
  /** Templates, the files that they include, and what was looked for when they were read. */
  templateFiles: readonly string[];
  /** The samconfig and files of parameters. */
  optionFiles: readonly string[];
  /** `--watch-exclude`. */
  excludes: Readonly<Record<ResourceIdentifier, readonly string[]>>;
}

/** What changed paths concern. */
export interface ChangeEffects {
  /** Resources that a code sync brings. */
  ids: Set<ResourceIdentifier>;
  /** A file that only a deployment brings, e.g. the script of a Glue job. */
  deploy: boolean;
  /** A template or a file that one includes. */
  templates: boolean;
  options: boolean;
}

/** Where to look for changes, and what they mean. */
export interface Triggers {
  /** Files and folders, absolute; they need not exist. */
  roots: readonly string[];
  /** Whether changes directly in this folder may concern something. */
  isWatched(folder: string): boolean;
  /** What these resources are made of, as far as it is watched. */
  partsOf(ids: readonly ResourceIdentifier[]): WatchedPart[];
  /** What a changed path concerns; a folder that came or went concerns all that is made of something below it. */
  effectsOf(changes: Iterable<PathChange>): ChangeEffects;
}

/** A part of what something is made of. */
interface Source {
  meaning: Meaning;
  /** Only what is directly in the folder counts. */
  direct: boolean;
  isExcluded: (target: string) => boolean;
}

type Meaning = { kind: 'resource' | 'deploy'; id: ResourceIdentifier } | { kind: 'templates' | 'options' };

/** Decides what is watched and what each change means. Pure. */
export function planTriggers(input: TriggerInput): Triggers {
  const sources = new Map<string, Source[]>();
  const matcherOf = createNameMatchers();
  const add = (target: string, source: Source): void => {
    const known = sources.get(target);
    if (known) known.push(source);
    else sources.set(target, [source]);
  };
  for (const [meaning, inputs, exclude] of listInputs(input)) {
    for (const buildInput of inputs) {
      const { path: target, direct = false } = buildInput;
      add(target, { meaning, direct, isExcluded: excludedBelow(buildInput, exclude, matcherOf) });
    }
  }
  return {
    roots: [...sources.keys()],
    isWatched: (folder) => sourcesAt(sources, folder).some(({ source, at }) => at === folder || !source.direct),
    partsOf: (ids) =>
      [...sources].flatMap(([target, those]) =>
        those.flatMap(({ meaning, direct, isExcluded }) =>
          'id' in meaning && ids.includes(meaning.id) ? [{ path: target, direct, isExcluded }] : [],
        ),
      ),
    effectsOf: (changes) => {
      const effects: ChangeEffects = { ids: new Set(), deploy: false, templates: false, options: false };
      for (const change of changes) {
        for (const { source, at } of sourcesAt(sources, change.path)) {
          const far = source.direct && at !== change.path && path.dirname(change.path) !== at;
          if (!far) addEffect(effects, source.meaning);
        }
        if (!change.folder) continue;
        for (const [target, below] of sources) {
          if (isBelow(target, change.path)) for (const source of below) addEffect(effects, source.meaning);
        }
      }
      return effects;
    },
  };
}

/** Each resource with what it is made of, and what stands for the application as a whole. */
function* listInputs(input: TriggerInput): Iterable<[Meaning, readonly BuildInput[], PathMatcher | undefined]> {
  const exclude = (id: ResourceIdentifier): PathMatcher | undefined => {
    const patterns = ownValue(input.excludes, id);
    return patterns && compilePathPatterns(patterns);
  };
  const meaningOf = (id: ResourceIdentifier): Meaning | undefined => {
    const way = input.syncMethod(id);
    if (way === undefined) return undefined;
    return { kind: way === 'code' ? 'resource' : 'deploy', id };
  };
  for (const stack of input.root === undefined ? [] : flattenStacks(input.root)) {
    for (const resource of [...stack.functions, ...stack.layers]) {
      const { id } = resource;
      const meaning = meaningOf(id);
      if (meaning) yield [meaning, input.built.get(id) ?? codeInputs(resource.code), exclude(id)];
    }
    const folder = path.dirname(stack.templateFile);
    for (const { logicalId, content, value } of findLocalPaths(stack.source, stack.resolved)) {
      if (content === 'code' || content === 'template') continue;
      const file = { path: resolveLocalPath(value, folder), excludes: [] };
      if (logicalId === undefined) yield [{ kind: 'templates' }, [file], undefined];
      else {
        const id = identifierOf(stack.path, logicalId);
        const meaning = meaningOf(id);
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

/** Names that the build leaves out, those that nobody means, and `--watch-exclude`. */
function excludedBelow(
  { path: root, excludes, stems }: BuildInput,
  userExclude: PathMatcher | undefined,
  matcherOf: (patterns: readonly string[]) => NameMatcher,
): Source['isExcluded'] {
  const anywhere = matcherOf(excludes.filter((pattern) => !pattern.startsWith('/')));
  const atTop = matcherOf(excludes.filter((pattern) => pattern.startsWith('/')).map((pattern) => pattern.slice(1)));
  const wanted = stems && new Set(stems);
  return (target) => {
    const names = target === root ? [] : path.relative(root, target).split(path.sep);
    if (names.some((name) => isIgnoredName(name) || anywhere(name))) return true;
    if (names[0] !== undefined && atTop(names[0])) return true;
    if (wanted && names[0] !== undefined && !stemsOf(names[0]).some((stem) => wanted.has(stem))) return true;
    return userExclude?.(target, names.length === 0 ? path.basename(target) : names.join('/')) ?? false;
  };
}

/** Compiles lists of names, each once: most inputs have one of a few. */
function createNameMatchers(): (patterns: readonly string[]) => NameMatcher {
  const matchers = new Map<string, NameMatcher>();
  return (patterns) => {
    const key = patterns.join('\0');
    const matcher = matchers.get(key) ?? compileNames(patterns);
    matchers.set(key, matcher);
    return matcher;
  };
}

/** What a path belongs to, and where that begins. */
function sourcesAt(sources: ReadonlyMap<string, readonly Source[]>, target: string): { source: Source; at: string }[] {
  const found: { source: Source; at: string }[] = [];
  for (let at = target; ; at = path.dirname(at)) {
    for (const source of sources.get(at) ?? []) if (!source.isExcluded(target)) found.push({ source, at });
    if (path.dirname(at) === at) return found;
  }
}

function addEffect(effects: ChangeEffects, meaning: Meaning): void {
  if (meaning.kind === 'resource') effects.ids.add(meaning.id);
  else effects[meaning.kind] = true;
}

function isBelow(target: string, folder: string): boolean {
  return target.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}
