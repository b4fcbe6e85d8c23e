import { Budget } from './budget.ts';
import type { TemplateMap, TemplateValue } from './template.ts';

/** What intrinsic functions can look up. `undefined` always means: only CloudFormation knows. */
export interface Scope {
  /** A parameter or pseudo parameter; in scopes that know the cloud also a resource, or `Resource.Attribute`. */
  parameter(name: string): string | readonly string[] | undefined;
  mappings: TemplateMap;
  condition(name: string): boolean | undefined;
  /** The value in a file that `AWS::Include` names. */
  include(location: string): TemplateValue | undefined;
  /** What the functions may still make. */
  readonly budget: Budget;
}

/** For values that mean the same whatever is known. */
export function nothingKnown(): Scope {
  return {
    parameter: () => undefined,
    mappings: {},
    condition: () => undefined,
    include: () => undefined,
    budget: new Budget(),
  };
}
