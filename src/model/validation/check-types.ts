import { nearestName } from '../../support/nearest-name.ts';
import type { TemplatePath } from '../../template/template-path.ts';
import { intrinsicName, isMap, mapOf } from '../../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../../template/template.ts';
import type { Findings } from './findings.ts';
import { isKnownType, keysOf, KNOWN_SINCE, knownTypes, propertiesOf, words } from './known-types.ts';
import type { Shape } from './known-types.ts';
import { meantName } from './typos.ts';

/** Checks resource types, and the properties of SAM's and Lambda's types. */
export function checkTypes(template: Template, findings: Findings): void {
  for (const [id, value] of Object.entries(mapOf(template['Resources']))) {
    if (id.startsWith('Fn::') || !isMap(value) || 'Fn::Transform' in value) continue;
    const { Type: type, Properties: properties } = value;
    const at = ['Resources', id];
    if (typeof type !== 'string' || type === '') continue;
    checkType(type, [...at, 'Type'], findings);
    checkKeys(properties ?? null, propertiesOf(type), { path: [...at, 'Properties'], root: 3, type, findings });
  }
}

function checkType(type: string, path: TemplatePath, findings: Findings): void {
  if (type.startsWith('Custom::') || isKnownType(type)) return;
  if (!/^\w+::\w+::\w+(?:::MODULE)?$/.test(type)) {
    const near = knownTypes().find((known) => known.endsWith(`::${type}`)) ?? nearestName(type, knownTypes());
    findings.refused.push({ path, message: `${type} is not a resource type.${didYouMean(near)}` });
    return;
  }
  const meant = meantName(type, knownTypes());
  if (meant !== undefined) {
    findings.refused.push({ path, message: `${type} is not a resource type.${didYouMean(meant)}` });
  } else if (type.startsWith('AWS::') && !type.endsWith('::MODULE')) {
    const near = nearestName(type, knownTypes());
    const message = `AWS CloudFormation has no resource type ${type}, as of ${KNOWN_SINCE}${orNear(near)}`;
    findings.doubtful.push({ path, message });
  }
}

/** Where keys are checked, and the resource type for messages. */
export interface CheckedPlace {
  path: TemplatePath;
  /** How many steps of the path lead to the properties. */
  root: number;
  type: string;
  findings: Findings;
}

/** Checks the keys and words of a value of this shape, and of those below it. */
export function checkKeys(value: TemplateValue, shape: Shape, place: CheckedPlace): void {
  if (shape === 0) return;
  const name = intrinsicName(value);
  if (name === 'Fn::If') {
    const branches = mapOf(value)[name];
    if (Array.isArray(branches))
      for (const index of [1, 2]) checkKeys(branches[index] ?? null, shape, below(place, name, String(index)));
  }
  if (name !== undefined) return;
  if (typeof shape === 'object' && '=' in shape) {
    if (typeof value === 'string') checkWord(value, words(shape['=']), place);
  } else if (Array.isArray(value)) {
    const item = Array.isArray(shape) ? ((shape as readonly Shape[])[0] ?? 0) : 0;
    for (const [index, entry] of value.entries()) checkKeys(entry, item, below(place, String(index)));
  } else if (isMap(value) && !('Fn::Transform' in value)) {
    if (typeof shape === 'number') checkMapping(value, keysOf(shape), place);
    else if ('*' in shape)
      for (const [key, entry] of Object.entries(value)) checkKeys(entry, shape['*'], below(place, key));
  }
}

function checkMapping(value: TemplateMap, keys: ReadonlyMap<string, Shape>, place: CheckedPlace): void {
  for (const [key, entry] of Object.entries(value)) {
    const shape = keys.get(key);
    if (shape === undefined) reportProperty(key, { ...below(place, key), keys, siblings: value });
    else if (shape !== 0) checkKeys(entry, shape, below(place, key));
  }
}

interface UnknownKey extends CheckedPlace {
  keys: ReadonlyMap<string, Shape>;
  siblings: TemplateMap;
}

function reportProperty(key: string, { path, root, type, findings, keys, siblings }: UnknownKey): void {
  if (key.startsWith('Fn::')) return;
  // a property that is set already is not the one that was meant
  const free = [...keys.keys()].filter((name) => !Object.hasOwn(siblings, name));
  const within = namedSteps(path.slice(root, -1));
  const owner = within.length === 0 ? type : `${within.join('.')} of ${type}`;
  const meant = meantName(key, free);
  const message = `${owner} has no property ${key}`;
  if (meant !== undefined) findings.refused.push({ path, message: `${message}.${didYouMean(meant)}`, meant: [meant] });
  else if (within.length === 0 && isOfSam(type, key)) {
    const serverless = type.replace('AWS::Lambda::', 'AWS::Serverless::');
    findings.refused.push({ path, message: `${message}. It is a property of ${serverless}.` });
  } else findings.doubtful.push({ path, message: `${message}, as of ${KNOWN_SINCE}${orNear(nearestName(key, free))}` });
}

/** Reports a text that is none of the words of its property, such as the type of an event. */
function checkWord(word: string, known: readonly string[], { path, root, type, findings }: CheckedPlace): void {
  if (known.includes(word)) return;
  const meant = meantName(word, known);
  const message = `${namedSteps(path.slice(root)).join('.')} of ${type} cannot be ${word}`;
  if (meant !== undefined) findings.refused.push({ path, message: `${message}.${didYouMean(meant)}` });
  else findings.doubtful.push({ path, message: `${message}, as of ${KNOWN_SINCE}${orNear(nearestName(word, known))}` });
}

function namedSteps(path: TemplatePath): string[] {
  return path.filter((step) => !/^(?:Fn::If|\d+)$/.test(step));
}

/** Whether the key is a property of SAM's type of the same name: `CodeUri` of a `AWS::Lambda::Function`. */
function isOfSam(type: string, key: string): boolean {
  const shape = type.startsWith('AWS::Lambda::') ? propertiesOf(type.replace('AWS::Lambda::', 'AWS::Serverless::')) : 0;
  return typeof shape === 'number' && shape !== 0 && keysOf(shape).has(key);
}

function below(place: CheckedPlace, ...keys: readonly string[]): CheckedPlace {
  return { ...place, path: [...place.path, ...keys] };
}

function orNear(name: string | undefined): string {
  return name === undefined ? '' : `.${didYouMean(name)}`;
}

function didYouMean(name: string | undefined): string {
  return name === undefined ? '' : ` Did you mean ${name}?`;
}
