import { ownValue } from '../../support/own-value.ts';
import { isIntrinsic, isMap, mapOf, scalarText } from '../template.ts';
import type { TemplateMap, TemplateValue } from '../template.ts';
import type { DirectProperty } from './direct-settings.ts';
import { isServerless, kindOf } from './kinds.ts';

/*
 * A setting is a property of a resource, or a part of one that a service sets separately: `Tags.KEY` is one tag,
 * `RouteSettings.ROUTE` those of one route of a stage, and `Events.EVENT.PROPERTY` a property of a function's event, which SAM makes an event source mapping of. So what is set
 * directly is remembered by tag and by event, and other tags and events are left alone.
 */

const TAGS = 'Tags';
const EVENTS = 'Events';

/** A setting by its name: how it is set (undefined: by a deployment only), and its value in the template. */
export interface NamedSetting {
  property: DirectProperty | undefined;
  value: TemplateValue | undefined;
}

/** Finds a setting of a resource by its name. Pure. */
export function namedSetting(type: unknown, properties: TemplateMap, name: string): NamedSetting {
  const { direct = {}, directTag, directEvents = {}, tagsUnlessWith } = kindOf(type) ?? {};
  const isWith = (other: string | undefined): boolean => other !== undefined && (properties[other] ?? null) !== null;
  const tag = partOf(name, TAGS);
  if (tag !== undefined) {
    const value = tagsIn(type, properties[TAGS])?.get(tag);
    return { property: isWith(tagsUnlessWith) ? undefined : directTag, value };
  }
  const entry = entryOf(type, name);
  if (entry !== undefined) return { property: entry.property, value: ownValue(mapOf(properties[entry.of]), entry.key) };
  const [event, member] = partOf(name, EVENTS)?.split('.') ?? [];
  if (event === undefined || member === undefined) {
    const property = ownValue(direct, name);
    return { property: isWith(property?.unlessWith) ? undefined : property, value: properties[name] };
  }
  const { Type: eventType, Properties: settings } = mapOf(ownValue(mapOf(properties[EVENTS]), event) ?? null);
  const bySource = ownValue(directEvents, scalarText(eventType) ?? '') ?? {};
  return { property: ownValue(bySource, member), value: ownValue(mapOf(settings), member) };
}

/** Names one tag as a setting. */
export function tagSetting(key: string): string {
  return `${TAGS}.${key}`;
}

/** The key of a setting that is a tag; undefined: it is none. */
export function tagOf(name: string): string | undefined {
  return partOf(name, TAGS);
}

/** Returns whether the setting is a tag that the Tagging API sets. */
export function isTaggedBySetting(type: unknown, name: string): boolean {
  return tagOf(name) !== undefined && kindOf(type)?.taggedArn !== undefined;
}

/** The event of a setting that is an event's; undefined: it is none. */
export function eventOf(name: string): string | undefined {
  return partOf(name, EVENTS)?.split('.')[0];
}

/** Splits the path of a change below a resource's properties into the name of a setting, and the path below that. Pure. */
export function settingAt(
  type: unknown,
  [property = '', ...below]: readonly string[],
): { name: string; below: readonly string[] } {
  const [event, section, member, ...inner] = below;
  const isEvent = property === EVENTS && kindOf(type)?.directEvents !== undefined;
  if (!isEvent || event === undefined || section !== 'Properties' || member === undefined)
    return { name: property, below };
  return { name: `${EVENTS}.${event}.${member}`, below: inner };
}

/** A setting that is an entry of a mapping. */
interface EntrySetting {
  property: DirectProperty;
  /** The property that has the mapping. */
  of: string;
  key: string;
}

/** The entry that a setting is; undefined: it is none. */
export function entryOf(type: unknown, name: string): EntrySetting | undefined {
  for (const [of, property] of Object.entries(kindOf(type)?.directEntries ?? {})) {
    const key = partOf(name, of);
    if (key !== undefined) return { property, of, key };
  }
  return undefined;
}

/**
 * Reads the parts of a property that are settings of their own, tags or other entries, by the names of the settings; undefined: it
 * has no such parts. `unknown`: only CloudFormation knows them. Pure.
 */
export function partsIn(
  type: unknown,
  property: string,
  value: TemplateValue | undefined,
): Map<string, TemplateValue> | 'unknown' | undefined {
  const { directTag, directEntries = {} } = kindOf(type) ?? {};
  const isTags = property === TAGS && directTag !== undefined;
  if (!isTags && !Object.hasOwn(directEntries, property)) return undefined;
  const parts = isTags ? tagsIn(type, value) : mappingIn(value);
  return parts === undefined ? 'unknown' : new Map([...parts].map(([key, part]) => [`${property}.${key}`, part]));
}

function mappingIn(value: TemplateValue | undefined): Map<string, TemplateValue> | undefined {
  if (value === undefined || value === null) return new Map();
  return isMap(value) && !isIntrinsic(value) ? new Map(Object.entries(value)) : undefined;
}

/** Reads tags, in the form that the type takes; undefined: they have another form, or only CloudFormation knows them. */
function tagsIn(type: unknown, value: TemplateValue | undefined): Map<string, TemplateValue> | undefined {
  if (value === undefined || value === null) return new Map();
  if (isIntrinsic(value)) return undefined;
  if (isServerless(type) || kindOf(type)?.tagMap === true)
    return isMap(value) ? new Map(Object.entries(value)) : undefined;
  if (!Array.isArray(value)) return undefined;
  const entries = value.map((item) => [scalarText(mapOf(item)['Key']), mapOf(item)['Value'] ?? null] as const);
  return entries.every((entry): entry is readonly [string, TemplateValue] => entry[0] !== undefined)
    ? new Map(entries)
    : undefined;
}

function partOf(name: string, property: string): string | undefined {
  return name.startsWith(`${property}.`) ? name.slice(property.length + 1) : undefined;
}
