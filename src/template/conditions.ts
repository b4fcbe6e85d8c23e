import { ownValue } from '../support/own-value.ts';
import { resolve } from './intrinsics.ts';
import type { Scope } from './scope.ts';
import { intrinsicName, mapOf, scalarText } from './template.ts';
import type { Template, TemplateValue } from './template.ts';

/** The longest chain of conditions that refer to each other. */
const MAX_CHAIN = 500;

/** Creates a function that evaluates the template's conditions by name, each at most once. */
export function createConditions(
  template: Template,
  scope: Omit<Scope, 'condition'>,
): (name: string) => boolean | undefined {
  const conditions = mapOf(template['Conditions']);
  const results = new Map<string, boolean | undefined>();
  let depth = 0;
  const condition = (name: string): boolean | undefined => {
    if (results.has(name)) return results.get(name);
    // a condition that depends on itself is unknown; the length of chains is limited by the call stack
    results.set(name, undefined);
    const value = ownValue(conditions, name);
    depth++;
    const result = value === undefined || depth > MAX_CHAIN ? undefined : evaluate(value, withConditions);
    depth--;
    results.set(name, result);
    return result;
  };
  const withConditions: Scope = { ...scope, condition };
  return condition;
}

function evaluate(value: TemplateValue, scope: Scope): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const name = intrinsicName(value);
  if (name === undefined) return undefined;
  const args = mapOf(value)[name] as TemplateValue;
  if (name === 'Condition') return typeof args === 'string' ? scope.condition(args) : undefined;
  if (!Array.isArray(args)) return undefined;
  if (name === 'Fn::Equals') return args.length === 2 ? equals(args, scope) : undefined;
  if (name === 'Fn::Not') return args.length === 1 ? negate(evaluate(args[0] as TemplateValue, scope)) : undefined;
  const results = args.map((arg) => evaluate(arg, scope));
  if (name === 'Fn::And') return decide(results, false);
  return name === 'Fn::Or' ? decide(results, true) : undefined;
}

/** Returns `deciding` if any result equals it; otherwise all results must be known. */
function decide(results: readonly (boolean | undefined)[], deciding: boolean): boolean | undefined {
  if (results.includes(deciding)) return deciding;
  return results.includes(undefined) ? undefined : !deciding;
}

function negate(result: boolean | undefined): boolean | undefined {
  return result === undefined ? undefined : !result;
}

/** Compares texts, as CloudFormation does: `true` equals `'true'`. */
function equals(args: readonly TemplateValue[], scope: Scope): boolean | undefined {
  const [left, right] = args.map((arg) => comparable(resolve(arg, scope)));
  return left === undefined || right === undefined ? undefined : left === right;
}

function comparable(value: TemplateValue): string | undefined {
  const text = scalarText(value);
  if (text !== undefined || !Array.isArray(value)) return text;
  const texts = value.map(scalarText);
  return texts.includes(undefined) ? undefined : JSON.stringify(texts);
}
