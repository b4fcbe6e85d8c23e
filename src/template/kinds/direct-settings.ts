import { ownValue } from '../../support/own-value.ts';
import { isMap, scalarText } from '../template.ts';
import { isSameJson, toJsonSetting } from './json-setting.ts';
import type { TemplateValue } from '../template.ts';

/** A property that a service sets on the existing resource, without CloudFormation. Pure data. */
export interface DirectProperty {
  /** The member of the request and of the service's answer. */
  member: string;
  shape: Shape;
  /** The request that sets it, if it is another one than the type's own. */
  request?: DirectRequest;
  /** SAM writes the value into this member of `member`. */
  within?: string;
  /**
   * What a deployment sets if the template does not have the property. Without it, a property that comes or goes waits for
   * the deployment.
   */
  absent?: Setting;
  /** Values that mean the same as a missing property. */
  off?: readonly string[];
  /** The request replaces the whole value: what a template leaves out, the service must not have. */
  isWhole?: true;
  /** The template names a local file, and its content is the value. */
  isFile?: true;
  /** With this property, SAM makes the value of both: only a deployment sets it. */
  unlessWith?: string;
  /** Items of the list by this member: where one goes, the property waits for the deployment, which removes it itself. */
  itemKey?: string;
}

/** One tag that the Tagging API sets (`taggedArn`). */
export const TAG: DirectProperty = { member: 'Tags', shape: 'text', absent: null };

/** The requests that set what UpdateFunctionConfiguration does not. */
export type DirectRequest =
  | 'PutFunctionConcurrency'
  | 'PutProvisionedConcurrencyConfig'
  | 'TagResource'
  | 'UpdateEventSourceMapping'
  | 'UpdateFunctionUrlConfig';

/**
 * The form of a value. A value of another form waits for the deployment, which reports what is wrong with it. `ignored` is one of
 * these words, which is not sent; `fixed` is not sent and changes with a deployment only.
 */
export type Shape =
  | 'text'
  | 'number'
  | 'decimal'
  | 'boolean'
  /** A JSON document, as a mapping or as text. */
  | 'json'
  /** The same, as text only. */
  | 'json-text'
  | 'fixed'
  | { ignored: readonly string[] }
  | { list: Shape; isUnordered?: true }
  | { map: Shape }
  | { members: Members };

/** The members of a mapping; `absent`: the value of a missing one. */
type Members = Readonly<Record<string, Member>>;
type Member = Shape | MemberWithDefault;
interface MemberWithDefault {
  shape: Shape;
  absent: Setting;
}

/** A value as the request has it. `null`: the property is removed. */
export type Setting = null | string | number | boolean | readonly Setting[] | { readonly [name: string]: Setting };

/** Converts a resolved value of a template to what the request takes; undefined: it has another form. Pure. */
export function toSetting(property: DirectProperty, value: TemplateValue | undefined): Setting | undefined {
  const { absent, off = [], shape, within } = property;
  if (value === undefined || value === null || off.includes(scalarText(value) ?? '')) return absent;
  const setting = convert(shape, value, true);
  return setting === undefined || within === undefined ? setting : { [within]: setting };
}

/** Reduces a value of the service to the members that the table knows, with defaults. Pure. */
export function shownSetting(property: DirectProperty, value: unknown): Setting | undefined {
  const { absent } = property;
  if (value === undefined || value === null) return absent;
  return convert(shapeOf(property), value as TemplateValue, false) ?? absent;
}

/** Whether the service's value is the wanted one. Members without a default count only if they are wanted. Pure. */
export function isSameSetting(property: DirectProperty, wanted: Setting, shown: Setting | undefined): boolean {
  return isSame(shapeOf(property), { wanted, shown }, property.isWhole === true);
}

/** The items of a list with `itemKey` that the service has and the template has not. Pure. */
export function leavingItems({ itemKey }: DirectProperty, wanted: Setting, shown: Setting | undefined): string[] {
  if (itemKey === undefined) return [];
  const keys = (value: Setting | undefined): string[] =>
    Array.isArray(value) ? value.map((item: Setting) => String(entriesOf(item)?.get(itemKey))) : [];
  const staying = keys(wanted);
  return keys(shown).filter((key) => !staying.includes(key));
}

/** Two values to compare. */
interface Pair {
  wanted: Setting | undefined;
  shown: Setting | undefined;
}

function isSame(shape: Shape, { wanted, shown }: Pair, isWhole: boolean): boolean {
  if (shape === 'json' || shape === 'json-text') return isSameJson(wanted, shown);
  if (typeof shape === 'string' || isIgnored(shape) || wanted === null || shown === null) return wanted === shown;
  if ('list' in shape) {
    if (!Array.isArray(wanted) || !Array.isArray(shown) || shown.length !== wanted.length) return false;
    const isItem = (item: Setting, other: Setting): boolean =>
      isSame(shape.list, { wanted: item, shown: other }, isWhole);
    return wanted.every((item: Setting, index) =>
      shape.isUnordered ? shown.some((other: Setting) => isItem(item, other)) : isItem(item, shown[index] as Setting),
    );
  }
  const [ours, theirs] = [entriesOf(wanted), entriesOf(shown)];
  if (ours === undefined || theirs === undefined) return false;
  if (('map' in shape || isWhole) && ours.size !== theirs.size) return false;
  return [...ours].every(([name, item]) => {
    const at = 'map' in shape ? shape.map : memberShape(ownValue(shape.members, name) ?? 'text');
    return isSame(at, { wanted: item, shown: theirs.get(name) }, isWhole);
  });
}

function entriesOf(value: Setting | undefined): Map<string, Setting> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : undefined;
}

function hasDefault(member: Member): member is MemberWithDefault {
  return typeof member === 'object' && 'shape' in member;
}

function isIgnored(member: Member): member is Extract<Shape, { ignored: unknown }> {
  return typeof member === 'object' && 'ignored' in member;
}

function memberShape(member: Member): Shape {
  return hasDefault(member) ? member.shape : member;
}

/** The form of the member of the request. */
function shapeOf({ shape, within }: DirectProperty): Shape {
  return within === undefined ? shape : { members: { [within]: shape } };
}

/** Returns whether only a deployment changes what is at the path below the property. Pure. */
export function isFixed({ shape }: DirectProperty, [name = '']: readonly string[]): boolean {
  return typeof shape === 'object' && 'members' in shape && ownValue(shape.members, name) === 'fixed';
}

/**
 * Returns whether a value may come or go at the path below the property, without a deployment. `value`: the one there is before or
 * after. Pure.
 */
export function mayComeOrGo(
  { shape, absent, isWhole }: DirectProperty,
  path: readonly string[],
  value?: TemplateValue,
): boolean {
  if (path.length === 0) return absent !== undefined && (isWhole === true || hasAll(shape, absent, value));
  let at: Shape = shape;
  for (const [depth, name] of path.entries()) {
    // below a scalar there are intrinsic functions only: its value changes
    if (typeof at === 'string') return true;
    if ('members' in at) {
      const member = ownValue(at.members, name);
      if (member === undefined) return false;
      const isLast = depth === path.length - 1;
      if (isLast) return isWhole === true || isIgnored(member) || hasDefault(member);
      at = memberShape(member);
    } else if (isIgnored(at)) return true;
    else at = 'list' in at ? at.list : at.map;
  }
  return true;
}

/** Whether it is known what each member of a value is without it. */
function hasAll(shape: Shape, absent: Setting, value: TemplateValue | undefined): boolean {
  if (typeof shape === 'string' || !('members' in shape) || !isMap(value) || absent === null) return true;
  const known = entriesOf(absent);
  return Object.keys(value).every((name) => {
    const member = ownValue(shape.members, name);
    return known?.has(name) === true || (member !== undefined && (isIgnored(member) || hasDefault(member)));
  });
}

function convert(shape: Shape, value: TemplateValue, isStrict: boolean): Setting | undefined {
  if (typeof shape === 'string') return convertScalar(shape, value, isStrict);
  if ('list' in shape) {
    if (!Array.isArray(value)) return undefined;
    const items = value.map((item) => convert(shape.list, item, isStrict));
    return items.includes(undefined) ? undefined : (items as Setting[]);
  }
  if (!isMap(value) || isIgnored(shape)) return undefined;
  return 'map' in shape ? convertMap(shape.map, value, isStrict) : convertMembers(shape.members, value, isStrict);
}

function convertScalar(shape: Extract<Shape, string>, value: TemplateValue, isStrict: boolean): Setting | undefined {
  if (shape === 'json' || (shape === 'json-text' && !isStrict)) return toJsonSetting(value);
  const text = scalarText(value);
  if (text === undefined || shape === 'text' || shape === 'json-text') return text;
  if (shape === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  const pattern = shape === 'decimal' ? /^-?\d+(?:\.\d+)?$/ : /^-?\d+$/;
  return pattern.test(text) ? Number(text) : undefined;
}

function convertMap(shape: Shape, value: Record<string, TemplateValue>, isStrict: boolean): Setting | undefined {
  const entries = Object.entries(value).map(([name, item]) => [name, convert(shape, item, isStrict)] as const);
  return entries.some(([, item]) => item === undefined)
    ? undefined
    : (Object.fromEntries(entries) as Record<string, Setting>);
}

function convertMembers(
  members: Members,
  value: Record<string, TemplateValue>,
  isStrict: boolean,
): Setting | undefined {
  if (isStrict && Object.keys(value).some((name) => !Object.hasOwn(members, name))) return undefined;
  const entries: [string, Setting][] = [];
  for (const [name, member] of Object.entries(members)) {
    if (member === 'fixed') continue;
    const item = ownValue(value, name) ?? null;
    if (isIgnored(member)) {
      if (isStrict && item !== null && !member.ignored.includes(scalarText(item) ?? '')) return undefined;
      continue;
    }
    const absent = hasDefault(member) ? member.absent : undefined;
    const setting = item === null ? absent : convert(memberShape(member), item, isStrict);
    if (setting !== undefined) entries.push([name, setting]);
    else if (item !== null && isStrict) return undefined;
  }
  return Object.fromEntries(entries);
}
