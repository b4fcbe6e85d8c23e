import { ownValue } from '../support/own-value.ts';
import { globalsSection, isServerless } from '../template/kinds/kinds.ts';
import { EVENT_TYPES, NESTED_TYPES, RESOURCE_TYPES } from '../template/kinds/sam-types.ts';
import type { TypedProperties } from '../template/kinds/sam-types.ts';
import { getAt } from '../template/template-path.ts';
import { isIntrinsic, isMap, mapOf, SourceNumber } from '../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../template/template.ts';

/**
 * Whether SAM's transform refuses a template, as it is written, because a value is of another type than its property: it takes no
 * text for a number. Pure.
 */
export function hasRefusedType(template: Template): boolean {
  const sections = mapOf(template['Globals']);
  return (
    Object.keys(RESOURCE_TYPES).some(
      (type) => isServerless(type) && isRefused(type, mapOf(sections[globalsSection(type)])),
    ) || isAnyRefused(mapOf(template['Resources']))
  );
}

function isAnyRefused(resources: TemplateMap): boolean {
  return Object.values(resources).some((resource) => {
    // a loop: its variable, its values, and the resources
    if (Array.isArray(resource)) return isAnyRefused(mapOf(resource[2]));
    const { Type: type, Properties: properties } = mapOf(resource);
    return isServerless(type) && isRefused(type, mapOf(properties));
  });
}

function isRefused(type: string, properties: TemplateMap): boolean {
  const types = [RESOURCE_TYPES, NESTED_TYPES].map((table) => ownValue(table, type) ?? {});
  if (types.some((one) => hasOther(one, properties))) return true;
  const ofEvents = ownValue(EVENT_TYPES, type);
  if (ofEvents === undefined) return false;
  return Object.values(mapOf(properties['Events'])).some((event) => {
    const { Type: eventType, Properties: settings } = mapOf(event);
    return typeof eventType === 'string' && hasOther(ownValue(ofEvents, eventType) ?? {}, mapOf(settings));
  });
}

/** Whether a property has a value of none of its types. */
function hasOther(types: TypedProperties, properties: TemplateMap): boolean {
  return Object.entries(types).some(([allowed, names]) =>
    names.split(' ').some((name) => {
      const value = getAt(properties, name.split('.')) ?? null;
      return value !== null && !isIntrinsic(value) && !allowed.split(' ').includes(typeOf(value));
    }),
  );
}

function typeOf(value: TemplateValue): string {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number' || value instanceof SourceNumber)
    // SAM takes no `2.0` for an integer
    return /^-?\d+$/.test(String(value)) ? 'number' : 'decimal';
  return Array.isArray(value) ? 'list' : isMap(value) ? 'map' : 'binary';
}
