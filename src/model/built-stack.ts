import type { Template } from '../template/template.ts';

/**
 * A file that the peer puts into each dependency layer, a different one for each function. It counts in the layer's key, so
 * that a layer of equal content has one name with both tools, and is not sent, so that equal layers are one zip.
 */
export interface CountedFile {
  path: string;
  text: string;
}

/** A container image on this machine that a function is. */
export interface LocalImage {
  /** `sha256:…` */
  imageId: string;
  /** What it is called here: `hellofunction:latest`. */
  name: string;
  /** Where it is remembered; what is learned when it is pushed may be added. Absolute. */
  recordFile: string;
}

/** A stack as the build leaves it in `.aws-sam`: the template whose local paths point at what is to be uploaded. */
export interface BuiltStack {
  /** '' for the root, else `Child/Grand`; for a dependency layers' stack `Child/AwsSamAutoDependencyLayerNestedStack`. */
  path: string;
  /** Local paths in it are relative to `dir`. Never mutated. */
  template: Template;
  /** The folder of `templateFile`. Absolute. */
  dir: string;
  templateFile: string;
  /** The resource in the parent stack's template; undefined for the root. */
  logicalId: string | undefined;
  /** Folders that were built, in the cache, by logical id of what they are the code of. Absolute. */
  folders: ReadonlyMap<string, string>;
  /** By logical id of the layer, in a dependency layers' stack. */
  countedFiles?: ReadonlyMap<string, CountedFile>;
  /** By logical id of the function. */
  images?: ReadonlyMap<string, LocalImage>;
  children: readonly BuiltStack[];
}
