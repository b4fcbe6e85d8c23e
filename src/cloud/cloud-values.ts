import { createStackValues } from '../model/stack-values.ts';
import type { StackValues } from '../model/stack-values.ts';
import { identifierOf, splitIdentifier } from '../model/stack.ts';
import type { Stack } from '../model/stack.ts';
import { ownValue } from '../support/own-value.ts';
import { DYNAMIC_REFERENCE } from '../template/dynamic-references.ts';
import { STACK_TYPE } from '../template/kinds/cloudformation.ts';
import { pseudoParameters } from '../template/pseudo-parameters.ts';
import { intrinsicName, isMap, mapOf, scalarText, resourceOf } from '../template/template.ts';
import type { TemplateMap, TemplateValue } from '../template/template.ts';
import { substitute } from '../template/substitute.ts';
import type { CloudStacks } from './cloud-stacks.ts';
import { findCompanion, findDeployed } from './generated-ids.ts';
import { attributeOf, placeOf } from './resource-attributes.ts';

/** A value with everything filled in that can be looked up; `missing`: the functions that are left, as a user writes them. */
export interface CloudValue {
  value: TemplateValue;
  missing: readonly string[];
}

/** Resolves template values as CloudFormation did when it deployed the stacks. */
export interface CloudValues {
  /** Reads listings and outputs of stacks only if the value needs them. */
  resolve(value: TemplateValue, stack: Stack): Promise<CloudValue>;
  /** Whether the condition is true; undefined: unknown. Makes no calls. */
  condition(name: string, stack: Stack): boolean | undefined;
}

/** Creates the values. `secrets`: parameters of the root stack that the templates' resolved view does not hold. */
export function createCloudValues(
  root: Stack,
  stacks: CloudStacks,
  secrets: Readonly<Record<string, string>>,
): CloudValues {
  /** Questions that the last attempt to resolve raised. */
  const wanted = new Map<string, () => Promise<unknown>>();
  const asking = new Map<string, Promise<unknown>>();
  const answered = new Set<string>();
  const want = (name: string, ask: () => Promise<unknown>): undefined => {
    // an answered question that is raised again has no better answer
    if (!answered.has(name)) wanted.set(name, ask);
    return undefined;
  };
  const askFor = async ([name, ask]: [string, () => Promise<unknown>]): Promise<void> => {
    const answer = asking.get(name) ?? ask();
    asking.set(name, answer);
    await answer;
    answered.add(name);
  };
  let stackId = '';
  const wantPlace = (): undefined =>
    want('place', async () => {
      stackId = await stacks.stackId();
    });
  const values: StackValues = createStackValues(root, {
    parameter: (stack, name) => {
      if (name.startsWith('AWS::')) {
        return stackId === '' ? wantPlace() : pseudoParameter(stack, name, { stackId, stacks, want });
      }
      return stack.path === '' ? ownValue(secrets, name) : undefined;
    },
    resource: (stack, logicalId, attribute) => {
      if (stackId === '') return wantPlace();
      const listing = stacks.cachedListing(stack.path);
      if (listing === undefined) return want(`resources ${stack.path}`, () => stacks.listing(stack.path));
      const deployed = findDeployed(listing, { stack, logicalId });
      if (attribute === undefined) return deployed?.physicalId;
      const properties = mapOf(resourceOf(stack.resolved, logicalId)['Properties']);
      const [name = '', ...rest] = attribute.split('.');
      const stageName =
        name === 'Stage' ? scalarText(values.resolve(properties['StageName'] ?? null, stack)) : undefined;
      const companion = findCompanion(listing, { stack, logicalId, stageName }, name);
      if (companion !== undefined) {
        if (rest.length === 0) return companion.physicalId;
        return attributeOf({ deployed: companion, place: placeOf(stackId), properties: {} }, rest.join('.'));
      }
      if (deployed === undefined) return undefined;
      if (deployed.type === STACK_TYPE && attribute.startsWith('Outputs.')) {
        const path = identifierOf(stack.path, logicalId);
        const outputs = stacks.cachedOutputs(path);
        if (outputs === undefined) return want(`outputs ${path}`, () => stacks.outputs(path));
        return ownValue(outputs, attribute.slice('Outputs.'.length));
      }
      return attributeOf({ deployed, place: placeOf(stackId), properties }, attribute);
    },
  });
  return {
    resolve: async (value, stack) => {
      for (;;) {
        wanted.clear();
        const resolved = values.resolve(value, stack);
        const asks = [...wanted];
        const missing = describeUnresolved(resolved);
        if (missing.length === 0 || asks.length === 0) return { value: resolved, missing };
        await Promise.all(asks.map(askFor));
      }
    },
    condition: (name, stack) => values.condition(name, stack),
  };
}

interface PseudoSources {
  stackId: string;
  stacks: CloudStacks;
  want(name: string, ask: () => Promise<unknown>): undefined;
}

function pseudoParameter(stack: Stack, name: string, sources: PseudoSources): string | undefined {
  const { stackId, stacks, want } = sources;
  const { partition, region, account } = placeOf(stackId);
  if (name !== 'AWS::StackId' && name !== 'AWS::StackName') {
    return ownValue(pseudoParameters({ region, partition, accountId: account }), name);
  }
  let id: string | undefined = stackId;
  if (stack.path !== '') {
    const { stackPath: parent } = splitIdentifier(stack.path);
    const listing = stacks.cachedListing(parent);
    if (listing === undefined) return want(`resources ${parent}`, () => stacks.listing(parent));
    id = ownValue(listing, stack.logicalId ?? '')?.physicalId;
  }
  return name === 'AWS::StackId' ? id : id?.split('/')[1];
}

/** Lists the intrinsic functions and dynamic references that are left in a value. */
function describeUnresolved(value: TemplateValue): string[] {
  const found = new Set<string>();
  collect(value, found);
  return [...found];
}

function collect(value: TemplateValue, found: Set<string>): void {
  if (typeof value === 'string') {
    for (const [reference] of value.matchAll(DYNAMIC_REFERENCE)) found.add(reference);
  }
  if (Array.isArray(value)) return value.forEach((item) => collect(item, found));
  if (!isMap(value)) return;
  if (Object.hasOwn(value, 'Fn::Transform')) return void found.add('Fn::Transform');
  const name = intrinsicName(value);
  if (name === undefined || name === 'Condition') return Object.values(value).forEach((item) => collect(item, found));
  describeIntrinsic(name, value, found);
}

function describeIntrinsic(name: string, map: TemplateMap, found: Set<string>): void {
  const args = map[name] ?? null;
  const short = `!${name.replace('Fn::', '')}`;
  if (name === 'Fn::GetAtt') {
    found.add(`${short} ${Array.isArray(args) ? args.map(scalarText).join('.') : (scalarText(args) ?? '')}`);
    return;
  }
  if (name === 'Fn::Sub') {
    const [text, variables] = Array.isArray(args) ? args : [args, {}];
    const left = new Set(substitute(scalarText(text) ?? '', () => undefined).unknown);
    for (const [variable, value] of Object.entries(mapOf(variables))) {
      left.delete(variable);
      collect(value, found);
    }
    for (const variable of left) found.add(`\${${variable}}`);
    return;
  }
  const before = found.size;
  if (Array.isArray(args)) args.forEach((arg) => collect(arg, found));
  if (found.size > before) return;
  const first = Array.isArray(args) ? args[0] : args;
  found.add(`${short} ${scalarText(first) ?? ''}`.trim());
}
