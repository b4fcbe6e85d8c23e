import { ownValue } from '../support/own-value.ts';
import { Budget } from '../template/budget.ts';
import { createConditions } from '../template/conditions.ts';
import { resolve } from '../template/intrinsics.ts';
import { readParameters } from '../template/parameters.ts';
import type { Scope } from '../template/scope.ts';
import { mapOf, scalarText, resourceOf } from '../template/template.ts';
import type { TemplateMap, TemplateValue } from '../template/template.ts';
import { flattenStacks, splitIdentifier } from './stack.ts';
import type { Stack } from './stack.ts';

/** Where values come from that no template holds. `undefined` always means: not known. */
export interface ValueSource {
  /** What `Ref` (without `attribute`) or `Fn::GetAtt` gives for a resource that is no local nested stack. */
  resource(stack: Stack, logicalId: string, attribute: string | undefined): string | undefined;
  /** A pseudo parameter, or a parameter of the root stack whose value is not known locally. */
  parameter(stack: Stack, name: string): string | undefined;
}

/** Values as CloudFormation will see them when it makes the stacks, as far as the source knows. */
export interface StackValues {
  /** The value with every intrinsic function replaced whose result is known; the others stay. */
  resolve(value: TemplateValue, stack: Stack): TemplateValue;
  /** Whether a condition of the stack's template holds. */
  condition(name: string, stack: Stack): boolean | undefined;
}

/**
 * Follows values through all stacks: a parameter to what the parent passes for it, `Fn::GetAtt` of `Outputs.X` to that
 * output of the nested stack, at any depth and through whatever intrinsic functions stand on the way.
 */
export function createStackValues(root: Stack, source: ValueSource): StackValues {
  const stacks = new Map(flattenStacks(root).map((stack) => [stack.path, stack] as const));
  const scopes = new Map<string, Scope>();
  // for each value that is asked for; all scopes that it leads through share it
  let budget = new Budget();
  const scopeOf = (stack: Stack): Scope => {
    const known = scopes.get(stack.path) ?? createStackScope(stack, { source, stacks, scopeOf, budget: () => budget });
    scopes.set(stack.path, known);
    return known;
  };
  return {
    resolve: (value, stack) => {
      budget = new Budget();
      return resolve(value, scopeOf(stack));
    },
    condition: (name, stack) => {
      budget = new Budget();
      return scopeOf(stack).condition(name);
    },
  };
}

interface Surroundings {
  source: ValueSource;
  stacks: ReadonlyMap<string, Stack>;
  scopeOf(stack: Stack): Scope;
  budget(): Budget;
}

function createStackScope(stack: Stack, surroundings: Surroundings): Scope {
  const declared = mapOf(stack.source['Parameters']);
  const unknown = new Set(Object.keys(declared).filter((name) => !Object.hasOwn(stack.parameters, name)));
  const { known } = readParameters(stack.source, { values: stack.parameters, unknown });
  const memo = new Map<string, string | readonly string[] | undefined>();
  const parameter: Scope['parameter'] = (name) => {
    const value = known.get(name) ?? memo.get(name);
    if (value !== undefined || memo.has(name)) return value;
    // what asks for itself is not known
    memo.set(name, undefined);
    const found = lookUp(stack, name, surroundings);
    // not yet known is not unknown for ever: the source may learn
    if (found === undefined) memo.delete(name);
    else memo.set(name, found);
    return found;
  };
  const bare = {
    parameter,
    mappings: mapOf(stack.source['Mappings']),
    include: () => undefined,
    get budget(): Budget {
      return surroundings.budget();
    },
  };
  return Object.assign(bare, { condition: createForgetfulConditions(stack, bare) });
}

/** Conditions evaluated anew each time, because the source may have learned more. */
function createForgetfulConditions(stack: Stack, scope: Omit<Scope, 'condition'>): Scope['condition'] {
  return (name) => createConditions(stack.source, scope)(name);
}

function lookUp(stack: Stack, name: string, surroundings: Surroundings): string | readonly string[] | undefined {
  const declaration = ownValue(mapOf(stack.source['Parameters']), name);
  if (declaration !== undefined) return passedValue(stack, name, { declaration: mapOf(declaration), surroundings });
  if (name.startsWith('AWS::')) return surroundings.source.parameter(stack, name);
  const [logicalId = '', ...rest] = name.split('.');
  const attribute = rest.length === 0 ? undefined : rest.join('.');
  const child = surroundings.stacks.get(stack.path === '' ? logicalId : `${stack.path}/${logicalId}`);
  if (child !== undefined && attribute?.startsWith('Outputs.')) {
    const output = outputOf(child, attribute.slice('Outputs.'.length), surroundings);
    if (output !== undefined) return output;
  }
  return surroundings.source.resource(stack, logicalId, attribute);
}

/** What the parent stack passes for the parameter. */
function passedValue(
  stack: Stack,
  name: string,
  { declaration, surroundings }: { declaration: TemplateMap; surroundings: Surroundings },
): string | readonly string[] | undefined {
  const { stackPath } = splitIdentifier(stack.path);
  const parent = stack.path === '' ? undefined : surroundings.stacks.get(stackPath);
  const resource = parent && resourceOf(parent.resolved, stack.logicalId ?? '');
  const passed = resource && ownValue(mapOf(mapOf(resource['Properties'])['Parameters']), name);
  const text =
    parent === undefined || passed === undefined
      ? surroundings.source.parameter(stack, name)
      : textOf(resolve(passed, surroundings.scopeOf(parent)));
  if (text === undefined) return undefined;
  // the declaration says whether a Ref gives a list
  const { known, secret } = readParameters({ Parameters: { [name]: declaration } }, { values: { [name]: text } });
  return known.get(name) ?? secret.get(name);
}

function outputOf(child: Stack, name: string, { scopeOf }: Surroundings): string | undefined {
  const value = mapOf(ownValue(mapOf(child.resolved['Outputs']), name))['Value'];
  return value === undefined ? undefined : textOf(resolve(value, scopeOf(child)));
}

function textOf(value: TemplateValue): string | undefined {
  if (!Array.isArray(value)) return scalarText(value);
  const texts = value.map(scalarText);
  return texts.includes(undefined) ? undefined : texts.join(',');
}
