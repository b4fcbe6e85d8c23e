import { Budget } from './budget.ts';
import type { TemplateMap, TemplateValue } from './template.ts';

/** Values for intrinsic functions. `undefined` means: known only to CloudFormation. */
export interface Scope {
  /** Returns a parameter or pseudo parameter; in scopes with deployed values also a resource or `Resource.Attribute`. */
  parameter(name: string): string | readonly string[] | undefined;
  mappings: TemplateMap;
  condition(name: string): boolean | undefined;
  /** Returns the content of an `AWS::Include` file. */
  include(location: string): TemplateValue | undefined;
  /** Limits the size of results. */
  readonly budget: Budget;
}

/** Creates a scope without any values. */
export function nothingKnown(): Scope {
  return {
    parameter: () => undefined,
    mappings: {},
    condition: () => undefined,
    include: () => undefined,
    budget: new Budget(),
  };
}
