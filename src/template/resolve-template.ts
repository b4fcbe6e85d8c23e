import { Budget, within } from './budget.ts';
import { createConditions } from './conditions.ts';
import { mergeGlobals } from './globals.ts';
import { resolve } from './intrinsics.ts';
import type { ParameterValues } from './parameters.ts';
import type { Scope } from './scope.ts';
import { isMap, mapOf } from './template.ts';
import type { Template, TemplateMap, TemplateValue } from './template.ts';

/** What a template is resolved with. */
export interface KnownValues {
  parameters: ParameterValues;
  pseudoParameters: Readonly<Record<string, string>>;
  /** Contents of included files by their location as the template has it. */
  includes: ReadonlyMap<string, TemplateValue>;
}

/** What the intrinsic functions of this template can look up. */
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
 * The template as we read it: Globals merged into resources, and intrinsic functions in resources and outputs replaced
 * where their value is known. Its loops must have been written out.
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

/** Entry by entry, for an include of whole resources stays: they are not ours to build. */
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
