import { ownValue } from '../support/own-value.ts';
import { sizeOf } from './budget.ts';
import type { Scope } from './scope.ts';
import { substitute } from './substitute.ts';
import { intrinsicName, isMap, mapOf, scalarText } from './template.ts';
import type { TemplateMap, TemplateValue } from './template.ts';

const NO_VALUE = 'AWS::NoValue';

/**
 * Replaces every intrinsic function whose result is known, and resolves the arguments of the others as far as possible.
 * `{Ref: AWS::NoValue}` removes its property or list item. Unchanged parts are the same objects; mutates nothing.
 */
export function resolve(value: TemplateValue, scope: Scope): TemplateValue {
  if (Array.isArray(value)) return resolveList(value, scope);
  if (!isMap(value)) return value;
  scope.budget.spendCollection();
  const name = intrinsicName(value);
  if (name !== undefined) {
    const result = resolveFunction(name, value, scope);
    if (result !== undefined) return result;
  }
  return resolveMap(value, scope);
}

/** Returns whether the value contains an intrinsic function. */
export function hasIntrinsic(value: TemplateValue): boolean {
  if (Array.isArray(value)) return value.some(hasIntrinsic);
  if (!isMap(value)) return false;
  return intrinsicName(value) !== undefined || Object.values(value).some(hasIntrinsic);
}

/** Returns the resolved location of an `AWS::Include` in the mapping, if it is a text. */
export function includeLocation(map: TemplateMap, scope: Scope): string | undefined {
  const transform = map['Fn::Transform'];
  if (!isMap(transform) || transform['Name'] !== 'AWS::Include') return undefined;
  const location = mapOf(transform['Parameters'])['Location'];
  const resolved = location === undefined ? undefined : resolve(location, scope);
  return typeof resolved === 'string' ? resolved : undefined;
}

function resolveList(list: TemplateValue[], scope: Scope): TemplateValue[] {
  scope.budget.spendCollection();
  let changed = false;
  const items: TemplateValue[] = [];
  for (const item of list) {
    const resolved = resolve(item, scope);
    if (resolved !== item || isNoValue(resolved)) changed = true;
    if (!isNoValue(resolved)) items.push(resolved);
  }
  return changed ? items : list;
}

function resolveMap(map: TemplateMap, scope: Scope): TemplateMap {
  const included = resolveInclude(map, scope);
  if (included !== undefined) return included;
  let changed = false;
  const entries: [string, TemplateValue][] = [];
  for (const key in map) {
    const value = map[key] as TemplateValue;
    const resolved = resolve(value, scope);
    if (resolved !== value || isNoValue(resolved)) changed = true;
    if (!isNoValue(resolved)) entries.push([key, resolved]);
  }
  return changed ? Object.fromEntries(entries) : map;
}

/** Merges the content of an included file with the mapping's own keys. */
function resolveInclude(map: TemplateMap, scope: Scope): TemplateMap | undefined {
  if (!Object.hasOwn(map, 'Fn::Transform')) return undefined;
  const location = includeLocation(map, scope);
  const content = location === undefined ? undefined : scope.include(location);
  if (!isMap(content)) return undefined;
  const { 'Fn::Transform': _transform, ...siblings } = map;
  // CloudFormation does not include from included files
  return resolveMap({ ...content, ...siblings }, { ...scope, include: () => undefined });
}

type Resolver = (args: TemplateValue, scope: Scope) => TemplateValue | undefined;

/** Each returns the result, or undefined if unknown. Receives resolved arguments. */
const FUNCTIONS: Readonly<Record<string, Resolver>> = {
  'Fn::GetAtt': getAtt,
  'Fn::Join': join,
  'Fn::Split': split,
  'Fn::Select': select,
  'Fn::Base64': (args, scope) => mapText(args, (text) => toBase64(text, scope)),
  'Fn::Length': (args) => (isKnownList(args) ? args.length : undefined),
  'Fn::ToJsonString': (args, scope) =>
    typeof args === 'object' && !hasIntrinsic(args) ? toJsonString(args, scope) : undefined,
};

function toBase64(text: string, { budget }: Scope): string {
  budget.spend(text.length * 2);
  return Buffer.from(text, 'utf8').toString('base64');
}

/** Converts to JSON. Each nested call doubles the escapes of quotes. */
function toJsonString(value: TemplateValue, { budget }: Scope): string {
  budget.spend(sizeOf(value) * 2);
  return JSON.stringify(value);
}

function resolveFunction(name: string, map: TemplateMap, scope: Scope): TemplateValue | undefined {
  const args = map[name] as TemplateValue;
  if (name === 'Ref') return ref(map, args, scope);
  if (name === 'Fn::If') return fnIf(args, scope);
  if (name === 'Fn::Sub') return sub(map, args, scope);
  if (name === 'Fn::FindInMap') return findInMap(args, scope);
  // the `Condition` of an IAM policy, or the name of a condition
  if (name === 'Condition' || name === 'Fn::Transform') return undefined;
  const resolved = Array.isArray(args) ? resolveArguments(args, scope) : resolve(args, scope);
  const result = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]?.(resolved, scope) : undefined;
  if (result !== undefined) return result;
  return resolved === args ? map : { [name]: resolved };
}

/** Resolves arguments, which keep their positions: does not remove a `{Ref: AWS::NoValue}`. */
function resolveArguments(args: TemplateValue[], scope: Scope): TemplateValue[] {
  const resolved = args.map((arg) => resolve(arg, scope));
  return resolved.every((value, index) => value === args[index]) ? args : resolved;
}

function ref(map: TemplateMap, args: TemplateValue, scope: Scope): TemplateValue | undefined {
  const name = resolve(args, scope);
  if (typeof name !== 'string') return undefined;
  const value = scope.parameter(name);
  if (value === undefined) return name === args ? map : { Ref: name };
  return typeof value === 'string' ? value : [...value];
}

/** Looks up `Name.Attribute` like a parameter, as in the text of an `Fn::Sub`. */
function getAtt(args: TemplateValue, scope: Scope): TemplateValue | undefined {
  const parts = Array.isArray(args) ? args.map(scalarText) : [scalarText(args)];
  if (parts.includes(undefined)) return undefined;
  const value = scope.parameter(parts.join('.'));
  return typeof value === 'string' || value === undefined ? value : [...value];
}

function fnIf(args: TemplateValue, scope: Scope): TemplateValue | undefined {
  if (!Array.isArray(args) || args.length !== 3) return undefined;
  const [name, whenTrue, whenFalse] = args as [TemplateValue, TemplateValue, TemplateValue];
  const holds = typeof name === 'string' ? scope.condition(name) : undefined;
  if (holds !== undefined) return resolve(holds ? whenTrue : whenFalse, scope);
  return { 'Fn::If': [name, resolve(whenTrue, scope), resolve(whenFalse, scope)] };
}

function sub(map: TemplateMap, args: TemplateValue, scope: Scope): TemplateValue | undefined {
  const [text, variables] = Array.isArray(args) ? args : [args, {}];
  if (typeof text !== 'string' || !isMap(variables)) return undefined;
  const values = resolveMap(variables, scope);
  scope.budget.spend(text.length);
  const result = substitute(text, (name) => {
    const value = Object.hasOwn(values, name) ? scalarText(values[name]) : scope.parameter(name);
    if (typeof value !== 'string') return undefined;
    scope.budget.spend(value.length);
    return value;
  });
  if (result.unknown.length === 0) return result.text;
  const remaining = Object.entries(values).filter(([name]) => result.unknown.includes(name));
  if (remaining.length > 0) return { 'Fn::Sub': [result.text, Object.fromEntries(remaining)] };
  return result.text === args ? map : { 'Fn::Sub': result.text };
}

function findInMap(args: TemplateValue, scope: Scope): TemplateValue | undefined {
  if (!Array.isArray(args) || args.length < 3) return undefined;
  const keys = args.slice(0, 3).map((key) => resolve(key, scope));
  const [name, first, second] = keys.map(scalarText);
  const options = args[3];
  const rest = options === undefined ? [] : [resolve(options, scope)];
  if (name === undefined || first === undefined || second === undefined) return { 'Fn::FindInMap': [...keys, ...rest] };
  const value = ownValue(mapOf(ownValue(mapOf(ownValue(scope.mappings, name)), first)), second);
  if (value !== undefined) return value;
  const fallback = isMap(rest[0]) ? rest[0]['DefaultValue'] : undefined;
  return fallback ?? { 'Fn::FindInMap': [...keys, ...rest] };
}

function join(args: TemplateValue, { budget }: Scope): TemplateValue | undefined {
  if (!Array.isArray(args) || args.length !== 2) return undefined;
  const [delimiter, list] = args;
  if (typeof delimiter !== 'string' || !isKnownList(list)) return undefined;
  const texts = list.map(scalarText);
  for (const text of texts) budget.spend((text?.length ?? 0) + delimiter.length);
  return texts.includes(undefined) ? undefined : texts.join(delimiter);
}

function split(args: TemplateValue, { budget }: Scope): TemplateValue | undefined {
  if (!Array.isArray(args) || args.length !== 2) return undefined;
  const [delimiter, text] = args;
  if (typeof delimiter !== 'string' || delimiter === '') return undefined;
  return mapText(text, (known) => {
    budget.spend(known.length * 2);
    return known.split(delimiter);
  });
}

function select(args: TemplateValue): TemplateValue | undefined {
  if (!Array.isArray(args) || args.length !== 2) return undefined;
  const [position, list] = args;
  const index = Number(scalarText(position) ?? Number.NaN);
  return isKnownList(list) && Number.isInteger(index) ? list[index] : undefined;
}

/** Returns whether all items have their final positions: an unresolved `Fn::If` may still remove one. */
function isKnownList(value: TemplateValue | undefined): value is TemplateValue[] {
  return Array.isArray(value) && value.every((item) => intrinsicName(item) !== 'Fn::If');
}

function mapText(value: TemplateValue | undefined, change: (text: string) => TemplateValue): TemplateValue | undefined {
  const text = scalarText(value);
  return text === undefined ? undefined : change(text);
}

function isNoValue(value: TemplateValue): boolean {
  return isMap(value) && value['Ref'] === NO_VALUE && intrinsicName(value) === 'Ref';
}
