import type { RunProblem } from '../errors.ts';
import type { LocalImage } from '../model/built-stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';

/** A built folder, immutable from then on, whose content becomes the zip of a function or layer. */
export interface BuiltFolder {
  /** Absolute, in the artifact cache; resources with the same content share the folder. */
  path: string;
  /** Whether it came from the cache. */
  cached: boolean;
}

/** A file or folder that a build reads: when it changes, the result may change. */
export interface BuildInput {
  /** A file, or a folder with everything below it. Absolute; it need not exist yet. */
  path: string;
  /** Patterns of names (`*`, `?`) to leave out at any depth below a folder; with a leading `/`: only directly in it. */
  excludes: readonly string[];
  /** Only what is directly in the folder counts: its names decide, e.g. which file an import finds. */
  direct?: boolean;
  /** With `direct`: only these names count, and those that begin with one of them and a dot. */
  stems?: readonly string[];
}

/** A remark about a build, reported once. */
export interface BuildNote {
  level: 'debug' | 'info' | 'warning';
  ids: readonly ResourceIdentifier[];
  /** Without the ids. */
  text: string;
}

/** Functions that cannot run, with the reasons. */
export type RunProblems = ReadonlyMap<ResourceIdentifier, readonly RunProblem[]>;

/** The result of building the application, or some of its resources. */
export interface BuildResult {
  /** Folders of built functions and layers. Resources that need no build (inline, remote, zip, SkipBuild, plain layer) are absent. */
  folders: ReadonlyMap<ResourceIdentifier, BuiltFolder>;
  /** Content of the dependency layers (`--dependency-layer`), by function. */
  dependencyLayers: ReadonlyMap<ResourceIdentifier, BuiltFolder>;
  /** Images on this machine, by function. */
  images: ReadonlyMap<ResourceIdentifier, LocalImage>;
  /** New handlers of functions whose build moved the file (esbuild). */
  handlers: ReadonlyMap<ResourceIdentifier, string>;
  /** Functions that need `NODE_OPTIONS=--enable-source-maps` (esbuild with `Sourcemap: true`). */
  sourceMaps: ReadonlySet<ResourceIdentifier>;
  /** What each build read, also those that failed. */
  inputs: ReadonlyMap<ResourceIdentifier, readonly BuildInput[]>;
  /** Resolves with the functions that cannot run, after the checks. Never rejects. */
  runProblems: Promise<RunProblems>;
  /** E.g. why a function has no dependency layer, what a tool could not do. */
  notes: readonly BuildNote[];
}

/** What a build changes in the properties of functions. */
export type BuiltProperties = Pick<BuildResult, 'handlers' | 'sourceMaps'>;

/** The result of building nothing. `properties`: of builds before. */
export function emptyBuildResult(properties?: BuiltProperties): BuildResult {
  return {
    folders: new Map(),
    dependencyLayers: new Map(),
    images: new Map(),
    handlers: properties?.handlers ?? new Map(),
    sourceMaps: properties?.sourceMaps ?? new Set(),
    inputs: new Map(),
    runProblems: Promise.resolve(new Map()),
    notes: [],
  };
}
