import { UserError } from '../../errors.ts';
import { Budget } from '../../template/budget.ts';
import { DYNAMIC_REFERENCE } from '../../template/dynamic-references.ts';
import { isIntrinsic, isMap, scalarText } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import { parseYaml } from '../../template/yaml/yaml.ts';
import { canonicalJson, definitionHash, parseJson, toJson } from '../definition-text.ts';

/** Encloses a value that only CloudFormation knows: a private-use character, which JSON does not escape. */
const MARK = '\uE000';
const UNKNOWN = /\uE000([^\uE000]*)\uE000/;

/**
 * Fills in `DefinitionSubstitutions` and writes JSON, in CloudFormation's order: a file is filled in before it is parsed as
 * JSON or YAML, a definition in the template once it is JSON. Unknown values become marks, which `fillFromDeployed` replaces:
 * intrinsic functions, and dynamic references of the template (those in a file have no effect). Pure.
 */
export function composeDefinition(
  id: string,
  source: { text: string; file?: string } | { value: TemplateValue },
  substitutions: TemplateMap,
): string {
  const fill = (text: string): string => substitute(text, substitutions);
  if ('value' in source) return fill(toJson(markUnknown(source.value)));
  if (source.file === undefined) return fill(markReferences(source.text));
  const text = fill(source.text);
  if (parseJson(text) !== undefined) return text;
  const value = parseYaml(text, source.file);
  if (isMap(value)) return toJson(value);
  throw new UserError(`${id}: ${source.file} is not a state machine: it is not a mapping`, {
    hint: 'A definition has StartAt and States, in JSON or YAML.',
  });
}

/**
 * Replaces each mark by the deployed definition's value at the same place: what only CloudFormation knows, such as a stream's
 * ARN, does not change without a deployment. undefined: a value is not in the deployed definition. Pure.
 */
export function fillFromDeployed(definition: string, deployed: string): string | undefined {
  const values = new Map<string, string>();
  findValues(parseJson(definition), parseJson(deployed), values);
  const all = new RegExp(UNKNOWN, 'g');
  const names = [...definition.matchAll(all)].map(([, name = '']) => name);
  if (names.some((name) => !values.has(name))) return undefined;
  return definition.replace(all, (_, name: string) => JSON.stringify(values.get(name)).slice(1, -1));
}

/** Whether two definitions in JSON mean the same. Pure. */
export function sameDefinition(ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  const [left, right] = [parseJson(ours), parseJson(theirs)];
  return left !== undefined && right !== undefined && canonicalJson(left) === canonicalJson(right);
}

/** Hashes a definition: equal for definitions that `sameDefinition` finds equal. Pure. */
export function definitionName(definition: string): string {
  const value = parseJson(definition);
  return definitionHash(value === undefined ? definition : canonicalJson(value));
}

function substitute(text: string, substitutions: TemplateMap): string {
  const budget = new Budget();
  let result = text;
  for (const [name, value] of Object.entries(substitutions)) {
    const known = scalarText(value);
    const filling = known === undefined ? mark(value) : markReferences(known);
    result = result.replaceAll(`\${${name}}`, () => {
      // a substitution may contain other names
      budget.spend(filling.length);
      return filling;
    });
  }
  return result;
}

function markUnknown(value: TemplateValue): TemplateValue {
  if (typeof value === 'string') return markReferences(value);
  if (Array.isArray(value)) return value.map(markUnknown);
  if (!isMap(value)) return value;
  if (isIntrinsic(value) && !Object.hasOwn(value, 'Condition')) return mark(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, markUnknown(item)]));
}

function markReferences(text: string): string {
  return text.replaceAll(DYNAMIC_REFERENCE, (reference) => mark(reference));
}

function mark(value: TemplateValue): string {
  return `${MARK}${encodeURIComponent(toJson(value))}${MARK}`;
}

/** Finds the values of marks where both definitions have a text at the same place. */
function findValues(ours: unknown, theirs: unknown, values: Map<string, string>): void {
  if (typeof ours === 'string' && typeof theirs === 'string') return findInText(ours, theirs, values);
  if (typeof ours !== 'object' || typeof theirs !== 'object' || ours === null || theirs === null) return;
  for (const [key, value] of Object.entries(ours)) {
    if (Object.hasOwn(theirs, key)) findValues(value, (theirs as Record<string, unknown>)[key], values);
  }
}

function findInText(ours: string, theirs: string, values: Map<string, string>): void {
  // texts and names alternate
  const parts = ours.split(UNKNOWN);
  if (parts.length === 1) return;
  const pattern = parts
    .map((part, index) => (index % 2 === 1 ? '(.+?)' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)))
    .join('');
  const found = new RegExp(`^${pattern}$`, 's').exec(theirs);
  found?.slice(1).forEach((value, index) => values.set(parts[index * 2 + 1] ?? '', value));
}
