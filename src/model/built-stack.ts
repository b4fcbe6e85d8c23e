import type { Template } from '../template/template.ts';

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
  children: readonly BuiltStack[];
}
