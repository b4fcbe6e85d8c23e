import type { RunProblem } from '../errors.ts';
import type { LocalImage } from '../model/built-stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';

/** What a build made: a folder (immutable once built) whose content becomes the zip of a function or layer. */
export interface BuiltFolder {
  /** Absolute, in the artifact cache; the same content is the same folder however many resources use it. */
  path: string;
  /** Whether it came from the cache. */
  cached: boolean;
}

/** What a build reads: when it changes, the build may give another result. */
export interface BuildInput {
  /** A file, or a folder with everything below it. Absolute; it need not exist (yet). */
  path: string;
  /** Names (`*` and `?` as wildcards) that do not count at any depth below a folder; with `/` in front: only directly in it. */
  excludes: readonly string[];
  /** Of a folder only what is directly in it: the names there decide, e.g. which file an import finds. */
  direct?: boolean;
  /** With `direct`: of the names there only these, and those that begin with one of them and a dot. */
  stems?: readonly string[];
}

/** Something about a build that the user should know once. */
export interface BuildNote {
  level: 'debug' | 'info' | 'warning';
  ids: readonly ResourceIdentifier[];
  /** Without the ids. */
  text: string;
}

/** Functions that cannot run, with the reasons. */
export type RunProblems = ReadonlyMap<ResourceIdentifier, readonly RunProblem[]>;

/** What the build of the whole application, or of some resources, made. */
export interface BuildResult {
  /** Functions and layers that were built. What is not built (inline, remote, zip, SkipBuild, plain layer) is absent. */
  folders: ReadonlyMap<ResourceIdentifier, BuiltFolder>;
  /** Functions whose dependencies are apart, in a layer of their own (`--dependency-layer`): the layer's content. */
  dependencyLayers: ReadonlyMap<ResourceIdentifier, BuiltFolder>;
  /** Functions that are container images, on this machine. */
  images: ReadonlyMap<ResourceIdentifier, LocalImage>;
  /** Handlers that the build moved (esbuild), by function. */
  handlers: ReadonlyMap<ResourceIdentifier, string>;
  /** Functions that need `NODE_OPTIONS=--enable-source-maps` (esbuild with `Sourcemap: true`). */
  sourceMaps: ReadonlySet<ResourceIdentifier>;
  /** What each built resource was made of, also of builds that failed. */
  inputs: ReadonlyMap<ResourceIdentifier, readonly BuildInput[]>;
  /** Functions that were built and cannot run, once they have been looked at. Never rejects. */
  runProblems: Promise<RunProblems>;
  /** Said once each: why a function has no dependency layer, what a tool could not do. */
  notes: readonly BuildNote[];
}
