import type { DeployedStack } from '../deploy/describe-stack.ts';
import { stackCondition } from '../deploy/stack-status.ts';
import { ownValue } from '../support/own-value.ts';
import { isSecretParameter } from '../template/parameters.ts';
import { globalsFor } from '../template/globals.ts';
import { flattenStacks } from '../model/stack.ts';
import type { Stack } from '../model/stack.ts';
import { kindOf } from '../template/kinds/kinds.ts';
import { isMap, mapOf } from '../template/template.ts';
import type { TemplateValue } from '../template/template.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncResource } from './code/sync-resource.ts';

/**
 * Selects the parameter values that the stack keeps: those of parameters that the template still declares, without secrets. A
 * stack that was never created keeps none: the stack that replaces it gets the given values, or the defaults.
 */
export function deployedParameters(root: Stack, { parameters, status }: DeployedStack): Record<string, string> {
  if (stackCondition(status) === 'never-created') return {};
  const declared = mapOf(root.source['Parameters']);
  return Object.fromEntries(
    Object.entries(parameters).filter(
      ([name, value]) => isMap(ownValue(declared, name)) && !isSecretParameter(mapOf(ownValue(declared, name)), value),
    ),
  );
}

/** Returns the parameters whose values a deployment keeps, secrets too: none of a stack that was never created. */
export function keptParameters(stack: DeployedStack | undefined): ReadonlySet<string> {
  const isNew = stack === undefined || stackCondition(stack.status) === 'never-created';
  return new Set(isNew ? [] : Object.keys(stack.parameters));
}

/** Whether one of these values differs from the value that the template was read with. */
export function changesParameters(
  root: Stack,
  deployed: Readonly<Record<string, string>>,
  { parameterOverrides }: Pick<SyncOptions, 'parameterOverrides'>,
): boolean {
  return Object.entries(deployed).some(
    ([name, value]) => !Object.hasOwn(parameterOverrides, name) && ownValue(root.parameters, name) !== value,
  );
}

/**
 * Whether the resource may depend on the stack's parameters, so that they have to be read. The code of most functions does
 * not.
 */
export function dependsOnParameters(root: Stack, { kind, type, stack, resource }: SyncResource): boolean {
  if (!flattenStacks(root).some(({ source }) => Object.keys(mapOf(source['Parameters'])).length > 0)) return false;
  if (kind !== 'function') return true;
  const written = ownValue(mapOf(stack.source['Resources']), resource.logicalId);
  // a loop generated it
  if (!isMap(written)) return true;
  const properties = { ...globalsFor(written, mapOf(stack.source['Globals'])), ...mapOf(written['Properties']) };
  const { paths = [], image = [], settings = [] } = kindOf(type) ?? {};
  const names = [...paths.map(({ property }) => property[0] ?? ''), ...image.slice(0, 1), ...settings];
  const values = [...names.map((name) => properties[name]), written['Metadata'], written['Condition']];
  return written['Condition'] !== undefined || values.some((value) => value !== undefined && holdsIntrinsic(value));
}

function holdsIntrinsic(value: TemplateValue): boolean {
  if (Array.isArray(value)) return value.some(holdsIntrinsic);
  if (!isMap(value)) return false;
  return Object.entries(value).some(
    ([name, item]) => name === 'Ref' || name.startsWith('Fn::') || holdsIntrinsic(item),
  );
}
