import type { BuildOptions } from './build-options.ts';
import type { BuildInput, BuildNote } from './build-result.ts';
import type { BuildCache, CacheEntry } from './cache/build-cache.ts';
import type { SourceHasher } from './cache/source-hash.ts';
import type { ImageDefinition } from './images/plan-images.ts';
import type { BuildDefinition } from './plan-build.ts';
import type { Tools } from './tools/tools.ts';
import type { PackageSharing, Sharing, Workflow } from './workflows/workflow.ts';

/** What a cache of builds that machines share needs of one build. */
export interface SharedBuildContext {
  definition: BuildDefinition;
  workflow: Pick<Workflow, 'name' | 'version'>;
  options: BuildOptions;
  cache: BuildCache;
  hasher: SourceHasher;
  /** The tools of this machine. */
  tools: Tools;
  note(level: BuildNote['level'], text: string): void;
}

/** A build from the shared cache, unpacked into the local one. */
export interface SharedBuild {
  artifact: CacheEntry;
  /** Installed packages that become a dependency layer. */
  dependencyLayer: CacheEntry | undefined;
  /** What the build read, in this project. */
  inputs: readonly BuildInput[];
  /** It came from the shared cache just now, not in an earlier run. */
  isNew: boolean;
}

/** Packages that another machine installed, unpacked into the local cache. */
export interface TakenPackages {
  entry: CacheEntry;
  /** How long the other machine installed them (ms). */
  ms: number;
  /** The platform of the other machine, if it is not this one's. */
  platform: string | undefined;
}

/** Packages that this machine installed for a build. */
export interface OwnPackages {
  entry: CacheEntry;
  /** Of the key of `PackageSharing`. */
  key: string;
}

/** A build that this machine made, or found in its own cache. */
export interface OwnBuild {
  artifact: CacheEntry;
  dependencyLayer: CacheEntry | undefined;
  /** Its packages, which other machines may use also with other code; or why not. undefined: it has none. */
  packages: OwnPackages | { reason: string } | undefined;
  /** Whether other machines may use it, and what decides it. */
  sharing: Sharing;
  /** What it read. */
  inputs: readonly BuildInput[];
  /** Programs that ran. Absolute. */
  programs: readonly string[];
  label: string;
  ms: number;
  /** Tests whether the source is still what was built. */
  isCurrent(): Promise<boolean>;
}

/** The source of an image function. */
export interface SharedImageContext {
  definition: ImageDefinition;
  /** Hash of the files that decide the image, in hex. */
  content: string;
}

/** An image that this machine built, or had from an earlier run. */
export interface OwnImage {
  /** `sha256:…` */
  imageId: string;
  ms: number;
}

/** Builds that machines share. Never rejects because of the shared cache: without it, everything is built here. */
export interface SharedBuilds {
  /** Returns a build that another machine made of the same source; undefined: build it here. Runs no tool. */
  find(context: SharedBuildContext): Promise<SharedBuild | undefined>;
  /** Returns packages that another machine installed from the same manifests; undefined: install them here. Runs no tool. */
  findPackages(context: SharedBuildContext, sharing: PackageSharing): Promise<TakenPackages | undefined>;
  /** Remembers a build of this machine, so that the shared cache is not asked for it again, and shares it where that is wanted. */
  add(context: SharedBuildContext, build: OwnBuild): Promise<void>;
  /**
   * Returns the ID of an image that another machine built of the same source and pushed to the repositories of its functions;
   * undefined: build it here. Needs no container engine.
   */
  findImage(context: SharedImageContext): Promise<string | undefined>;
  /** Remembers an image of this machine, which other machines may use once it is pushed. */
  addImage(context: SharedImageContext, image: OwnImage): void;
}
