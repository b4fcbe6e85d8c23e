import type { BuildInput, BuildNote } from '../build-result.ts';
import type { BuildOptions } from '../build-options.ts';
import type { BuildCache } from '../cache/build-cache.ts';
import type { BuildDefinition } from '../plan-build.ts';
import type { SourceHasher } from '../cache/source-hash.ts';
import type { Tools } from '../tools/tools.ts';
import type { LockCache } from './node/locked-version.ts';
import type { WorkspaceCache } from './node/workspace.ts';
import type { WorkflowName } from './select-workflow.ts';

/** What a workflow works with. */
export interface BuildContext {
  options: BuildOptions;
  cache: BuildCache;
  hasher: SourceHasher;
  tools: Tools;
  /** The tools of this machine, where `tools` are those of a container. */
  hostTools: Tools;
  /** Workspaces of package managers that this run has seen. */
  workspaces: WorkspaceCache;
  /** Lock files of package managers that this run has read. */
  locks: LockCache;
  /** The id of the step that reports what this build's tools print. */
  stepId: string;
  /** Says something once for this build; who it is about is added. */
  note(level: BuildNote['level'], text: string): void;
}

/** Installed packages, kept apart from the source so that everything with the same ones shares them. */
export interface DependencySet {
  /** From everything that decides what is installed. */
  key: string;
  /** Where Lambda looks for them in a layer: `python`, `nodejs`, `java/lib`, `ruby/gems/3.4.0`. */
  folder: string;
  /** Where it looks for them in a function, if not at its root: `lib`, `vendor/bundle/ruby/3.4.0`. */
  inFunction?: string;
  /** `runtime`: part of what is deployed. `build`: only the build needs them (bundled code). */
  use: 'runtime' | 'build';
  /**
   * Fills the (empty) folder that becomes `<layer>/<folder>`. `SourceChangedError`: what the key is made of is another
   * by now, so that the result must not have that key.
   */
  install(target: string): Promise<void>;
}

/** What a build found out besides its files. */
export interface BuildOutput {
  /** The handler that fits what was built, if it is not the template's. */
  handler?: string | undefined;
  sourceMaps?: boolean | undefined;
  /** The key of what was really built, where that is known only afterwards. */
  sourceKey?: string | undefined;
  /** The source changed meanwhile, and changed again when it was read once more. */
  isUnsettled?: boolean | undefined;
}

/** A build that is ready to be looked up in the cache, or made. */
export interface PreparedBuild {
  /** A few words for the step: `pip`, `npm`, `copied`. */
  label: string;
  inputs(): Promise<readonly BuildInput[]>;
  dependencies?: DependencySet | undefined;
  /**
   * From everything but the dependencies that decides the artifact; undefined: it cannot be known without building.
   * Asked again after `make`: if it is another one by then, a file was saved in the meantime and the build is repeated.
   */
  sourceKey(): Promise<string | undefined>;
  /** Fills the artifact's folder, in which dependencies for the runtime are already. `dependencies`: where they are installed. */
  make(target: string, dependencies: string | undefined): Promise<BuildOutput>;
}

/** Thrown when a file was saved while it was read: the build begins again. */
export class SourceChangedError extends Error {
  override name = 'SourceChangedError';
}

/**
 * How one kind of function or layer is built. `prepare` reads manifests and decides; it neither runs tools that change
 * something nor fills folders. `version` takes part in every key: raise it when the same inputs give another result.
 */
export interface Workflow {
  name: WorkflowName;
  version: number;
  prepare(definition: BuildDefinition, context: BuildContext): Promise<PreparedBuild>;
}
