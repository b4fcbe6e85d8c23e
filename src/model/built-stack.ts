import type { Template } from '../template/template.ts';

/**
 * A file that SAM CLI adds to each dependency layer, different for each function. It is part of the layer's key, so that both
 * tools use the same key for equal content, but it is not uploaded, so that equal layers share one zip.
 */
export interface CountedFile {
  path: string;
  text: string;
}

/** The container image of a function, on this machine. */
export interface LocalImage {
  /** `sha256:…` */
  imageId: string;
  /** Its name on this machine: `hellofunction:latest`. */
  name: string;
  /** The file that records it; a push may add to it. Absolute. */
  recordFile: string;
}

/** A built stack in `.aws-sam`: its template's local paths point at the artifacts to upload. */
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
  /** Built folders in the cache, by logical ID of the function or layer. Absolute. */
  folders: ReadonlyMap<string, string>;
  /** By logical ID of the layer, in a stack of dependency layers. */
  countedFiles?: ReadonlyMap<string, CountedFile>;
  /** By logical ID of the function. */
  images?: ReadonlyMap<string, LocalImage>;
  children: readonly BuiltStack[];
}
