import { ownValue } from '../support/own-value.ts';
import {
  BinaryValue,
  SourceNumber,
  isMap,
  scalarText,
  type Template,
  type TemplateMap,
  type TemplateValue,
} from '../template/template.ts';

/** A place where two templates differ, e.g. `['Resources', 'Fn', 'Properties', 'MemorySize']`. */
export interface TemplateDifference {
  path: readonly string[];
  change: 'added' | 'removed' | 'changed';
}

/**
 * Compares the meaning of two templates. Ignores the order of keys, formatting, `1` against `"1"`, the two spellings of
 * `Fn::GetAtt`, and the `SamResourceId` that SAM CLI's build adds. Pure.
 */
export function compareTemplates(before: Template, after: Template): TemplateDifference[] {
  const differences: TemplateDifference[] = [];
  collect(before, after, [], differences);
  return differences;
}

/** Describes a difference: `Fn: MemorySize changed`, `Fn was added`. */
export function describeDifference({ path, change }: TemplateDifference): string {
  const [section = '', id, ...rest] = path;
  const verb = { added: 'was added', removed: 'was removed', changed: 'changed' }[change];
  if (id === undefined) return `section ${section} ${verb}`;
  const subject = section === 'Resources' ? id : `${section.replace(/s$/, '').toLowerCase()} ${id}`;
  if (rest.length === 0) return `${subject} ${verb}`;
  const inner = rest[0] === 'Properties' && rest.length > 1 ? rest.slice(1) : rest;
  return `${subject}: ${inner.join('.')} ${verb}`;
}

function collect(
  before: TemplateValue,
  after: TemplateValue,
  path: readonly string[],
  differences: TemplateDifference[],
): void {
  if (isMap(before) && isMap(after)) return collectMaps(normalise(before), normalise(after), path, differences);
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    before.forEach((item, index) => collect(item, after[index] ?? null, [...path, String(index)], differences));
    return;
  }
  if (!sameScalar(before, after)) differences.push({ path, change: 'changed' });
}

function collectMaps(
  before: TemplateMap,
  after: TemplateMap,
  path: readonly string[],
  differences: TemplateDifference[],
): void {
  for (const [key, value] of Object.entries(after)) {
    const old = ownValue(before, key);
    if (old === undefined) differences.push({ path: [...path, key], change: 'added' });
    else collect(old, value, [...path, key], differences);
  }
  for (const key of Object.keys(before)) {
    if (ownValue(after, key) === undefined) differences.push({ path: [...path, key], change: 'removed' });
  }
}

function normalise(map: TemplateMap): TemplateMap {
  const attribute = map['Fn::GetAtt'];
  if (typeof attribute === 'string' && attribute.includes('.')) {
    const dot = attribute.indexOf('.');
    return { ...map, 'Fn::GetAtt': [attribute.slice(0, dot), attribute.slice(dot + 1)] };
  }
  const metadata = map['Metadata'];
  if (!isMap(metadata) || metadata['SamResourceId'] === undefined) return map;
  const { SamResourceId: _, ...others } = metadata;
  const { Metadata: __, ...rest } = map;
  return Object.keys(others).length === 0 ? rest : { ...rest, Metadata: others };
}

/** Compares scalars as CloudFormation does, which converts them to text first: `true` is `"true"`, `2.0` is `2`. */
function sameScalar(before: TemplateValue, after: TemplateValue): boolean {
  if (before === null || after === null) return before === after;
  if (before instanceof BinaryValue) return after instanceof BinaryValue && before.source === after.source;
  const text = scalarText(before);
  if (text === undefined || scalarText(after) === undefined) return false;
  if (text === scalarText(after)) return true;
  return isNumeric(before) && isNumeric(after) && numberOf(before) === numberOf(after);
}

function isNumeric(value: TemplateValue): value is number | SourceNumber {
  return typeof value === 'number' || value instanceof SourceNumber;
}

function numberOf(value: number | SourceNumber): number {
  return typeof value === 'number' ? value : value.value;
}
