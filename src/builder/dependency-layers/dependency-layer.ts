import { createHash } from 'node:crypto';
import type { FunctionResource, ResourceIdentifier } from '../../model/stack.ts';
import { isMap } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import type { BuildNote } from '../build-result.ts';
import type { BuildOptions } from '../build-options.ts';
import { hasDependencyLayer } from '../workflows/select-workflow.ts';
import type { WorkflowName } from '../workflows/select-workflow.ts';

/**
 * The nested stack that holds the dependency layers of a stack, as SAM CLI names it
 * (docs/sam-cli-behaviour.md#dependency-layers).
 */
export const DEPENDENCY_STACK = 'AwsSamAutoDependencyLayerNestedStack';

/** The most layers that a function can have (Lambda quota). */
const MAX_LAYERS = 5;

/** Decides whether the function's dependencies become a dependency layer; `note` gives the reason if they do not. */
export function planDependencyLayer(
  resource: FunctionResource,
  workflow: WorkflowName | undefined,
  options: Pick<BuildOptions, 'dependencyLayer' | 'container'>,
): { wanted: boolean; note?: BuildNote } {
  if (!options.dependencyLayer || workflow === undefined) return { wanted: false };
  const without = (level: BuildNote['level'], why: string): { wanted: false; note: BuildNote } => ({
    wanted: false,
    note: { level, ids: [resource.id], text: `no dependency layer: ${why}` },
  });
  if (!hasDependencyLayer(workflow)) return without('debug', `${workflow} builds keep dependencies in the function`);
  if (options.container) return without('debug', 'it is built in a container');
  const layers = resource.properties['Layers'];
  if (Array.isArray(layers) && layers.length >= MAX_LAYERS) {
    return without('info', `it already has ${layers.length} layers, and Lambda allows ${MAX_LAYERS}`);
  }
  return { wanted: true };
}

/** Returns the logical id of a function's dependency layer. */
export function dependencyLayerId(id: ResourceIdentifier): string {
  return `${wordOf(id).slice(0, 48)}${md5(id).slice(0, 8)}DepLayer`;
}

/** Returns the name of a function's dependency layer in Lambda. */
export function dependencyLayerName(stackName: string, id: ResourceIdentifier): string {
  const stack = `${stackName.slice(0, 16)}${md5(stackName).slice(0, 8)}`;
  return `${stack}-${wordOf(id).slice(0, 22)}${md5(id).slice(0, 8)}-DepLayer`;
}

/** Returns the entry of a function's `Layers` for its dependency layer. */
export function dependencyLayerReference(id: ResourceIdentifier): TemplateMap {
  return { 'Fn::GetAtt': [DEPENDENCY_STACK, `Outputs.${dependencyLayerId(id)}`] };
}

/**
 * Appends a layer to `Layers` in any form: a list, an `Fn::If` of lists, or an intrinsic that returns a list (`!Ref` of a
 * list parameter, `Fn::Split`, …), which is joined, extended and split again.
 */
export function appendLayer(layers: TemplateValue | undefined, layer: TemplateMap): TemplateValue {
  if (layers === undefined || layers === null || isNoValue(layers)) return [layer];
  if (Array.isArray(layers)) return [...layers, layer];
  const branches = isMap(layers) ? layers['Fn::If'] : undefined;
  if (Array.isArray(branches) && branches.length === 3) {
    const [condition, then, otherwise] = branches as [TemplateValue, TemplateValue, TemplateValue];
    return { 'Fn::If': [condition, appendLayer(then, layer), appendLayer(otherwise, layer)] };
  }
  return { 'Fn::Split': [',', { 'Fn::Join': [',', [{ 'Fn::Join': [',', layers] }, layer]] }] };
}

function isNoValue(value: TemplateValue): boolean {
  return isMap(value) && value['Ref'] === 'AWS::NoValue';
}

/** Removes what a logical id cannot contain. SAM CLI keeps letters and digits of every script and `_`. */
function wordOf(id: string): string {
  return id.replace(/[^\p{L}\p{N}_]+/gu, '');
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
