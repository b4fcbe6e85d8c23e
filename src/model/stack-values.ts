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

/** Source of values that are in no template. `undefined` means: not known. */
export interface ValueSource {
  /** Returns the `Ref` (without `attribute`) or `Fn::GetAtt` of a resource that is no local nested stack. */
  resource(stack: Stack, logicalId: string, attribute: string | undefined): string | undefined;
  /** Returns a pseudo parameter, or a parameter of the root stack not known locally. */
  parameter(stack: Stack, name: string): string | undefined;
}

/** Values as CloudFormation will resolve them, as far as the source knows. */
export interface StackValues {
  /** Replaces every intrinsic function whose result is known. */
  resolve(value: TemplateValue, stack: Stack): TemplateValue;
  /** Evaluates a condition of the stack's template. */
  condition(name: string, stack: Stack): boolean | undefined;
}

/**
 * Resolves values across stacks: parameters to the values the parent passes, `Fn::GetAtt` of `Outputs.X` to the output of the
 * nested stack, at any depth and through any intrinsic functions.
 */
export function createStackValues(root: Stack, source: ValueSource): StackValues {
  const stacks = new Map(flattenStacks(root).map((stack) => [stack.path, stack] as const));
  const scopes = new Map<string, Scope>();
  // one per resolved value, shared by all scopes involved
  let budget = new Budget();
  const scopeOf = (stack: Stack): Scope => {
    const scope = scopes.get(stack.path) ?? createStackScope(stack, { source, stacks, scopeOf, budget: () => budget });
    scopes.set(stack.path, scope);
    return scope;
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

interface ValueContext {
  source: ValueSource;
  stacks: ReadonlyMap<string, Stack>;
  scopeOf(stack: Stack): Scope;
  budget(): Budget;
}

function createStackScope(stack: Stack, context: ValueContext): Scope {
  const declared = mapOf(stack.source['Parameters']);
  const unknown = new Set(Object.keys(declared).filter((name) => !Object.hasOwn(stack.parameters, name)));
  const { known } = readParameters(stack.source, { values: stack.parameters, unknown });
  const memo = new Map<string, string | readonly string[] | undefined>();
  const parameter: Scope['parameter'] = (name) => {
    const value = known.get(name) ?? memo.get(name);
    if (value !== undefined || memo.has(name)) return value;
    // a value that depends on itself is unknown
    memo.set(name, undefined);
    const current = lookUp(stack, name, context);
    // the source may know the value later
    if (current === undefined) memo.delete(name);
    else memo.set(name, current);
    return current;
  };
  const bare = {
    parameter,
    mappings: mapOf(stack.source['Mappings']),
    include: () => undefined,
    get budget(): Budget {
      return context.budget();
    },
  };
  return Object.assign(bare, { condition: createUncachedConditions(stack, bare) });
}

/** Evaluates conditions again each time, because the source may know more. */
function createUncachedConditions(stack: Stack, scope: Omit<Scope, 'condition'>): Scope['condition'] {
  return (name) => createConditions(stack.source, scope)(name);
}

function lookUp(stack: Stack, name: string, context: ValueContext): string | readonly string[] | undefined {
  const declaration = ownValue(mapOf(stack.source['Parameters']), name);
  if (declaration !== undefined) return passedValue(stack, name, { declaration: mapOf(declaration), context });
  if (name.startsWith('AWS::')) return context.source.parameter(stack, name);
  const [logicalId = '', ...rest] = name.split('.');
  const attribute = rest.length === 0 ? undefined : rest.join('.');
  const child = context.stacks.get(stack.path === '' ? logicalId : `${stack.path}/${logicalId}`);
  if (child !== undefined && attribute?.startsWith('Outputs.')) {
    const output = outputOf(child, attribute.slice('Outputs.'.length), context);
    if (output !== undefined) return output;
  }
  return context.source.resource(stack, logicalId, attribute);
}

/** Returns the value that the parent stack passes for the parameter. */
function passedValue(
  stack: Stack,
  name: string,
  { declaration, context }: { declaration: TemplateMap; context: ValueContext },
): string | readonly string[] | undefined {
  const { stackPath } = splitIdentifier(stack.path);
  const parent = stack.path === '' ? undefined : context.stacks.get(stackPath);
  const resource = parent && resourceOf(parent.resolved, stack.logicalId ?? '');
  const passed = resource && ownValue(mapOf(mapOf(resource['Properties'])['Parameters']), name);
  const text =
    parent === undefined || passed === undefined
      ? context.source.parameter(stack, name)
      : textOf(resolve(passed, context.scopeOf(parent)));
  if (text === undefined) return undefined;
  // the declared type determines whether a Ref is a list
  const { known, secret } = readParameters({ Parameters: { [name]: declaration } }, { values: { [name]: text } });
  return known.get(name) ?? secret.get(name);
}

function outputOf(child: Stack, name: string, { scopeOf }: ValueContext): string | undefined {
  const value = mapOf(ownValue(mapOf(child.resolved['Outputs']), name))['Value'];
  return value === undefined ? undefined : textOf(resolve(value, scopeOf(child)));
}

function textOf(value: TemplateValue): string | undefined {
  if (!Array.isArray(value)) return scalarText(value);
  const texts = value.map(scalarText);
  return texts.includes(undefined) ? undefined : texts.join(',');
}
