import { ownValue, setOwn } from '../support/own-value.ts';
import { Budget, within } from './budget.ts';
import { globalsSection, isServerless } from './kinds/kinds.ts';
import { isIntrinsic, isMap, mapOf } from './template.ts';
import type { Template, TemplateMap, TemplateResource, TemplateValue } from './template.ts';

/** Exceptions to SAM's merge rules, by `Section.Property.…`. Otherwise mappings merge, lists are joined, and the resource's scalar wins. */
const RULES: Readonly<Record<string, 'replace' | 'own-keys-only'>> = {
  'Function.Architectures': 'replace',
  'CapacityProvider.InstanceRequirements.Architectures': 'replace',
  'CapacityProvider.ManagedResourceTags': 'own-keys-only',
};

/** Moves the `Globals` section into the properties of its resources. */
export function mergeGlobals(template: Template, budget = new Budget()): Template {
  if (!Object.hasOwn(template, 'Globals')) return template;
  const { Globals, ...rest } = template;
  const sections = mapOf(Globals);
  if (!isMap(template['Resources'])) return rest;
  const resources = Object.entries(template['Resources']).map(([id, resource]) => [
    id,
    isMap(resource) ? within(['Resources', id], () => mergeResource(resource, sections, budget)) : resource,
  ]);
  return { ...rest, Resources: Object.fromEntries(resources) };
}

/** Returns the `Globals` of a resource, without those in its `IgnoreGlobals`. */
export function globalsFor(resource: TemplateMap | TemplateResource, sections: TemplateMap): TemplateMap {
  const type = resource['Type'];
  if (!isServerless(type)) return {};
  const section = ownValue(sections, globalsSection(type));
  const ignored = resource['IgnoreGlobals'];
  if (!isMap(section) || ignored === '*') return {};
  if (!Array.isArray(ignored)) return section;
  return Object.fromEntries(Object.entries(section).filter(([name]) => !ignored.includes(name)));
}

function mergeResource(resource: TemplateMap, sections: TemplateMap, budget: Budget): TemplateMap {
  const type = resource['Type'];
  const shared = globalsFor(resource, sections);
  if (!isServerless(type) || Object.keys(shared).length === 0) return resource;
  const own = resource['Properties'];
  return {
    ...resource,
    Properties: own === undefined || own === null ? shared : merge(shared, own, { path: globalsSection(type), budget }),
  };
}

/** The path of merged values, `Section.Property.…`. */
interface MergePlace {
  path: string;
  budget: Budget;
}

function merge(shared: TemplateValue, own: TemplateValue, { path, budget }: MergePlace): TemplateValue {
  // an intrinsic function counts as a scalar, which it becomes at deployment
  if (Array.isArray(shared) && Array.isArray(own)) {
    if (RULES[path] === 'replace') return own;
    budget.spend(4 * (shared.length + own.length));
    return [...shared, ...own];
  }
  if (!isMap(shared) || !isMap(own) || isIntrinsic(shared) || isIntrinsic(own)) return own;
  const ownKeysOnly = RULES[path] === 'own-keys-only' && Object.keys(own).length > 0;
  budget.spend(Object.keys(shared).length);
  const merged: TemplateMap = ownKeysOnly ? {} : { ...shared };
  for (const [key, value] of Object.entries(own)) {
    const below = ownValue(shared, key);
    setOwn(merged, key, below === undefined ? value : merge(below, value, { path: `${path}.${key}`, budget }));
  }
  return merged;
}
