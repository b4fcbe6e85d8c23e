import { kindOf } from '../template/kinds/kinds.ts';
import type { GeneratedSettings } from '../template/kinds/resource-kind.ts';
import { ownValue } from '../support/own-value.ts';
import { getAt, setAt } from '../template/template-path.ts';
import { isMap, mapOf, resourceOf, resourcesOf, scalarText } from '../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../template/template.ts';
import type { Stack } from './stack.ts';

/** A resource that SAM generates from a part of another one, such as the rule of an event. */
export interface GeneratedResource {
  /** The logical ID of the resource that SAM generates it for. */
  owner: string;
  logicalId: string;
  type: string;
  /** Those of its properties that the part has, resolved as far as known locally. */
  properties: TemplateMap;
}

/** Returns these resources of a stack, without nested stacks. */
export function generatedResources(stack: Stack): GeneratedResource[] {
  return findParts(stack.resolved).map(({ owner, logicalId, rule, part }) => {
    const entries = Object.entries(part).flatMap(([name, value]) => carriedAs(rule, name, value) ?? []);
    return { owner, logicalId, type: rule.type, properties: Object.fromEntries(entries) };
  });
}

/** The template with these resources as resources of their own, and without the properties that they carry. Pure. */
export function withGenerated(stack: Stack): Template {
  const resources: TemplateMap = { ...mapOf(stack.resolved['Resources']) };
  for (const { owner, rule, path, part } of findParts(stack.resolved)) {
    const left = Object.entries(part).filter(([name, value]) => carriedAs(rule, name, value) === undefined);
    resources[owner] = setAt(mapOf(resources[owner]), ['Properties', ...path], Object.fromEntries(left));
  }
  for (const { logicalId, type, properties } of generatedResources(stack))
    resources[logicalId] = { Type: type, Properties: properties };
  return { ...stack.resolved, Resources: resources };
}

/** A part of a resource of which SAM generates another one. */
interface Part {
  owner: string;
  logicalId: string;
  rule: GeneratedSettings;
  /** Where its settings are, below the owner's properties. */
  path: readonly string[];
  part: TemplateMap;
}

function findParts(template: Template): Part[] {
  return resourcesOf(template).flatMap(([owner, { Type: type, Properties: properties }]) =>
    (kindOf(type)?.generates ?? []).flatMap((rule) =>
      namesAt(mapOf(properties), rule.at).flatMap((names): Part[] => {
        const path = rule.at.map((name, index) => (name === '*' ? (names[index] ?? '') : name));
        const found = partOf(mapOf(properties), path, rule);
        const logicalId = `${owner}${path.slice(1).join('')}${rule.suffix ?? ''}`;
        const isWritten = resourceOf(template, logicalId)['Type'] !== undefined;
        return found === undefined || isWritten ? [] : [{ owner, logicalId, rule, ...found }];
      }),
    ),
  );
}

/** The settings of the part at a path; undefined: they generate something else. */
function partOf(
  properties: TemplateMap,
  path: readonly string[],
  { eventType, onlyWith = {} }: GeneratedSettings,
): Pick<Part, 'path' | 'part'> | undefined {
  const part = mapOf(getAt(properties, path));
  if (Object.entries(onlyWith).some(([name, value]) => part[name] !== value)) return undefined;
  if (eventType === undefined) return { path, part };
  if (scalarText(part['Type']) !== eventType) return undefined;
  return { path: [...path, 'Properties'], part: mapOf(part['Properties']) };
}

/** The names on every path that the pattern matches. */
function namesAt(map: TemplateMap, [first, ...rest]: readonly string[]): string[][] {
  if (first === undefined) return [[]];
  const names = first === '*' ? Object.keys(map) : Object.hasOwn(map, first) ? [first] : [];
  return names.flatMap((name) => namesAt(mapOf(ownValue(map, name)), rest).map((others) => [name, ...others]));
}

/** The generated resource's property and its value; undefined: a deployment decides what becomes of it. */
function carriedAs(
  { settings }: GeneratedSettings,
  name: string,
  value: TemplateValue,
): [string, TemplateValue][] | undefined {
  const target = ownValue(settings, name);
  if (target === undefined || value === null) return undefined;
  if (typeof target === 'string') return [[target, value]];
  const written = isMap(value) ? undefined : ownValue(target.values, scalarText(value) ?? '');
  return written === undefined ? undefined : [[target.property, written]];
}
