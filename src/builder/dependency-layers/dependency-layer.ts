import { createHash } from 'node:crypto';
import type { FunctionResource, ResourceIdentifier } from '../../model/stack.ts';
import { isMap } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import type { BuildNote } from '../build-result.ts';
import type { BuildOptions } from '../build-options.ts';
import type { WorkflowName } from '../workflows/select-workflow.ts';

/**
 * The nested stack that holds the dependency layers of a stack, as SAM CLI names it
 * (docs/sam-cli-behaviour.md#dependency-layers).
 */
export const DEPENDENCY_STACK = 'AwsSamAutoDependencyLayerNestedStack';

/** A function takes no more layers than this (Lambda quota). */
const MAX_LAYERS = 5;

/** Workflows whose installed packages Lambda finds in a layer as well. */
const WITH_LAYER: ReadonlySet<string> = new Set<WorkflowName>(['python', 'nodejs', 'java', 'ruby']);

/** Whether the function's dependencies, should it have any, go into a layer of their own; why not, where that is news. */
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
  if (!WITH_LAYER.has(workflow)) return without('debug', `${workflow} builds keep what they need in the function`);
  if (options.container) return without('debug', 'it is built in a container');
  const layers = resource.properties['Layers'];
  if (Array.isArray(layers) && layers.length >= MAX_LAYERS) {
    return without('info', `it has ${layers.length} layers already, and Lambda takes ${MAX_LAYERS}`);
  }
  return { wanted: true };
}

/** Logical id of a function's dependency layer. */
export function dependencyLayerId(id: ResourceIdentifier): string {
  return `${wordOf(id).slice(0, 48)}${md5(id).slice(0, 8)}DepLayer`;
}

/** Name of a function's dependency layer in Lambda. */
export function dependencyLayerName(stackName: string, id: ResourceIdentifier): string {
  const stack = `${stackName.slice(0, 16)}${md5(stackName).slice(0, 8)}`;
  return `${stack}-${wordOf(id).slice(0, 22)}${md5(id).slice(0, 8)}-DepLayer`;
}

/** The reference by which a function has its dependency layer. */
export function dependencyLayerReference(id: ResourceIdentifier): TemplateMap {
  return { 'Fn::GetAtt': [DEPENDENCY_STACK, `Outputs.${dependencyLayerId(id)}`] };
}

/**
 * `Layers` with one more at the end, whatever form the value has: a list, an `Fn::If` of lists, or an intrinsic that gives
 * a list (`!Ref` of a list parameter, `Fn::Split`, …), whose text form is extended and split again.
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

/** Without what may not be in a logical id. The peer keeps letters and digits of every script and `_`. */
function wordOf(id: string): string {
  return id.replace(/[^\p{L}\p{N}_]+/gu, '');
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
