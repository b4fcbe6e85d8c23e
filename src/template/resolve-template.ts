import { Budget, within } from './budget.ts';
import { createConditions } from './conditions.ts';
import { mergeGlobals } from './globals.ts';
import { resolve } from './intrinsics.ts';
import type { ParameterValues } from './parameters.ts';
import type { Scope } from './scope.ts';
import { isMap, mapOf } from './template.ts';
import type { Template, TemplateMap, TemplateValue } from './template.ts';

/** The values to resolve a template with. */
export interface KnownValues {
  parameters: ParameterValues;
  pseudoParameters: Readonly<Record<string, string>>;
  /** Contents of included files, by location as written in the template. */
  includes: ReadonlyMap<string, TemplateValue>;
}

/** Creates the scope of a template. */
export function createScope(template: Template, values: KnownValues): Scope {
  const { known, secret } = values.parameters;
  const parameter: Scope['parameter'] = (name) => known.get(name) ?? pseudo(values, name);
  const include: Scope['include'] = (location) => values.includes.get(location);
  const bare: Scope = { parameter, include, mappings: {}, condition: () => undefined, budget: new Budget() };
  const mappings = mapOf(within(['Mappings'], () => resolve(template['Mappings'] ?? null, bare)));
  const withSecrets: Scope = { ...bare, mappings, parameter: (name) => parameter(name) ?? secret.get(name) };
  return { ...bare, mappings, condition: createConditions(template, withSecrets) };
}

/**
 * Merges Globals into resources, and replaces intrinsic functions in resources and outputs if their value is known. Expects
 * expanded loops.
 */
export function resolveTemplate(template: Template, scope: Scope): Template {
  const merged = mergeGlobals(template, scope.budget);
  const result: Template = { ...merged };
  for (const section of ['Resources', 'Outputs']) {
    const entries = merged[section];
    if (isMap(entries)) result[section] = resolveEntries(section, entries, scope);
  }
  return result;
}

/** Resolves entry by entry, keeping includes of whole resources, which we do not build. */
function resolveEntries(section: string, entries: TemplateMap, scope: Scope): TemplateMap {
  return Object.fromEntries(
    Object.entries(entries).map(([name, entry]) => [
      name,
      name.startsWith('Fn::') ? entry : within([section, name], () => resolve(entry, scope)),
    ]),
  );
}

function pseudo(values: KnownValues, name: string): string | undefined {
  return Object.hasOwn(values.pseudoParameters, name) ? values.pseudoParameters[name] : undefined;
}
