import type { TemplateMap, TemplateValue } from './template.ts';

/** What intrinsic functions can look up. `undefined` always means: only CloudFormation knows. */
export interface Scope {
  /** A parameter or pseudo parameter; in scopes that know the cloud also a resource, or `Resource.Attribute`. */
  parameter(name: string): string | readonly string[] | undefined;
  mappings: TemplateMap;
  condition(name: string): boolean | undefined;
  /** The value in a file that `AWS::Include` names. */
  include(location: string): TemplateValue | undefined;
}
