import type { KeyPart } from '../build-key.ts';
import type { BuildInput, BuildNote } from '../build-result.ts';
import type { BuildOptions } from '../build-options.ts';
import type { BuildCache } from '../cache/build-cache.ts';
import type { BuildDefinition } from '../plan-build.ts';
import type { SourceHasher } from '../cache/source-hash.ts';
import type { Tools } from '../tools/tools.ts';
import type { FolderMemo } from './esbuild/folder-listing.ts';
import type { InstallLockMemo } from './node/install-lock.ts';
import type { LockCache } from './node/locked-version.ts';
import type { WorkspaceCache } from './node/workspace.ts';
import type { WorkflowName } from './select-workflow.ts';

/** The context of one build. */
export interface BuildContext {
  options: BuildOptions;
  cache: BuildCache;
  hasher: SourceHasher;
  tools: Tools;
  /** The tools of this machine, also if `tools` run in a container. */
  hostTools: Tools;
  /** Workspaces of package managers that this run has read. */
  workspaces: WorkspaceCache;
  /** Lock files of package managers that this run has read. */
  locks: LockCache;
  installLocks: InstallLockMemo;
  /** Folders that this run has read. */
  folders: FolderMemo;
  /** The id of the step that reports what this build's tools print. */
  stepId: string;
  /** Adds a remark about this build, once; the ids are added. */
  note(level: BuildNote['level'], text: string): void;
}

/** Installed packages, cached separately from the source, so that all builds with the same packages share them. */
export interface DependencySet {
  /** Hash of everything that decides what is installed. */
  key: string;
  /** Their folder in a layer: `python`, `nodejs`, `java/lib`, `ruby/gems/3.4.0`. */
  folder: string;
  /** Their folder in a function, if not its root: `lib`, `vendor/bundle/ruby/3.4.0`. */
  inFunction?: string;
  /** `runtime`: they are deployed. `build`: only the build needs them (bundled code). */
  use: 'runtime' | 'build';
  /**
   * Installs the packages into the empty folder that becomes `<layer>/<folder>`. Throws `SourceChangedError` if the inputs of
   * `key` changed meanwhile.
   */
  install(target: string): Promise<void>;
  /** How machines share these packages; absent: they do not. */
  share?: PackageSharing | undefined;
}

/** How machines share installed packages without the code that uses them. */
export interface PackageSharing {
  /** Hash (SHA-256, hex) of everything in the project that decides what is installed. Unlike `key`, without settings of the machine. */
  key: string;
  /** Returns why another installation may give other packages; undefined if the key decides them. `installed`: their folder. */
  whyNot(installed: string): Promise<string | undefined>;
}

/** Facts about a built artifact. */
export interface BuildOutput {
  /** The handler that fits the artifact, if it differs from the template's. */
  handler?: string | undefined;
  sourceMaps?: boolean | undefined;
  /** The key of the source that was built, if it is known only afterwards. */
  sourceKey?: string | undefined;
  /** The source kept changing during the build. */
  isUnsettled?: boolean | undefined;
}

/** Whether other machines may use a build: what decides it, in place of `inputs`; or why the project's files do not decide it. */
export type Sharing = { inputs: readonly BuildInput[] } | { reason: string };

/** Returns whether a build may be shared. `reason`: why not, if so. */
export function sharing(reason: string | undefined, inputs: readonly BuildInput[]): Sharing {
  return reason === undefined ? { inputs } : { reason };
}

/** A prepared build: the cache is checked by its keys, and `make` builds it. */
export interface PreparedBuild {
  /** A short label for the step: `pip`, `npm`, `copied`. */
  label: string;
  /** What a watch has to observe. */
  inputs(): Promise<readonly BuildInput[]>;
  /**
   * The definition, the inputs and the `settings` of the workflow decide all keys and notes, also by what is missing there: with the
   * same ones nothing need be prepared.
   */
  isDecidedByInputs?: boolean;
  dependencies?: DependencySet | undefined;
  /**
   * Hashes everything that decides the artifact except the dependencies; undefined if that is unknown before the build. Called
   * again after `make`: a different key means that a file was saved meanwhile, and the build is repeated.
   */
  sourceKey(): Promise<string | undefined>;
  /** Builds into the artifact's folder, which already holds dependencies for the runtime. `dependencies`: their own folder. */
  make(target: string, dependencies: string | undefined): Promise<BuildOutput>;
  /** Decides after the build whether other machines may use it; absent: they may not. `dependencies`: as for `make`. */
  share?(dependencies: string | undefined): Promise<Sharing>;
}

/** A file changed during the build, which starts again. */
export class SourceChangedError extends Error {
  override name = 'SourceChangedError';
}

/**
 * Builds one kind of functions and layers. `prepare` reads manifests and decides; it runs no tool that changes something and
 * writes no artifact. `version` is part of every key: raise it when the same inputs give another result.
 */
export interface Workflow {
  name: WorkflowName;
  version: number;
  /** Returns the settings of this machine that decide its builds; absent: they are not known before a build is prepared. */
  settings?(tools: Tools): Promise<KeyPart>;
  prepare(definition: BuildDefinition, context: BuildContext): Promise<PreparedBuild>;
}
