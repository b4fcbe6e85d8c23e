import { dependencyLayerName } from '../../builder/dependency-layers/dependency-layer.ts';
import type { LayerResource, ResourceIdentifier, Stack } from '../../model/stack.ts';
import { isServerless, settingsOf } from '../../template/kinds/kinds.ts';
import { mapOf, scalarText } from '../../template/template.ts';
import { NeedsDeploymentError } from '../needs-deployment-error.ts';
import type { ServiceContext } from '../service-context.ts';
import { resolveConfiguration } from './settings/resolve-configuration.ts';
import { isImage, locateImage, refuseOtherKind } from './function-code.ts';
import type { FunctionCode } from './function-code.ts';
import type { PackedCode } from './pack-code.ts';
import { planFunction } from './plan-function.ts';
import type { FunctionPlan } from './plan-function.ts';
import { planNeighbours } from './settings/function-neighbours.ts';
import type { LocatedFunction } from './located-function.ts';
import type { VersionSettings } from './versions/version-settings.ts';
import { planLayer } from './layers/plan-layer.ts';
import type { LayerPlan, LayerWork } from './layers/plan-layer.ts';
import { layerArnOf } from './layers/layer-versions.ts';
import { findCompanion } from '../../cloud/generated-ids.ts';
import { placeOf } from '../../cloud/resource-attributes.ts';
import type { DeployedResource } from '../../cloud/sync-state.ts';

/** The ARN of a function's dependency layer, from its name: it need not be in the stack yet. */
function dependencyLayerArn({ stackId }: ServiceContext, stackName: string, id: ResourceIdentifier): string {
  const { partition, region, account } = placeOf(stackId);
  return `arn:${partition}:lambda:${region}:${account}:layer:${dependencyLayerName(stackName, id)}`;
}

/** Plans a layer of the template. undefined: its content is not in the project. */
export async function planTemplateLayer(
  tools: ServiceContext,
  layer: { resource: LayerResource; stack: Stack; deployed: DeployedResource },
  { packed, functions }: { packed: PackedCode; functions: readonly LocatedFunction[] },
): Promise<LayerPlan | undefined> {
  const { resource, stack, deployed } = layer;
  const artifact = packed.code.get(resource.id);
  if (artifact === undefined) return undefined;
  const arn = layerArnOf(deployed.physicalId);
  const work: LayerWork = {
    id: resource.id,
    layer: arn,
    artifact,
    deployed: deployed.physicalId,
    settings: await layerSettings(tools, resource, stack),
  };
  return planLayer(tools, work, versionsInUse(functions, arn));
}

async function layerSettings(
  tools: ServiceContext,
  { type, properties }: LayerResource,
  stack: Stack,
): Promise<LayerWork['settings']> {
  const resolved = mapOf((await tools.values.resolve(settingsOf(type, properties), stack)).value);
  const texts = (name: string): string[] | undefined => {
    const value = resolved[name];
    return Array.isArray(value) ? value.flatMap((item) => scalarText(item) ?? []) : undefined;
  };
  return {
    CompatibleRuntimes: texts('CompatibleRuntimes') as LayerWork['settings']['CompatibleRuntimes'],
    CompatibleArchitectures: texts('CompatibleArchitectures') as LayerWork['settings']['CompatibleArchitectures'],
    Description: scalarText(resolved['Description']),
    LicenseInfo: scalarText(resolved['LicenseInfo']),
  };
}

/** The inputs of a function's plan. */
export interface FunctionParts {
  packed: PackedCode;
  stackName: string;
  /** The layers of this sync by their identifier in the template. */
  layers: ReadonlyMap<ResourceIdentifier, LayerPlan>;
}

/** Plans a function: its code and dependency layer if it is selected, its layers in any case. */
export async function planOneFunction(
  tools: ServiceContext,
  fn: LocatedFunction,
  { packed, stackName, layers }: FunctionParts,
): Promise<FunctionPlan> {
  const { id, resource, state, isSelected } = fn;
  if (isSelected) refuseOtherKind(resource, state, fn.settings);
  const used = usedLayers(fn, layers);
  const dependencyArn = dependencyLayerArn(tools, stackName, id);
  const dependencies = isSelected ? await planDependencies(tools, fn, { packed, layer: dependencyArn }) : undefined;
  const configuration = fn.settings.length > 0 ? await resolveConfiguration(tools, fn, packed.properties) : undefined;
  const alias = await valueOf(tools, fn, 'AutoPublishAlias');
  return planFunction(tools, {
    id,
    resource,
    state,
    code: isSelected ? await planCode(tools, fn, packed) : undefined,
    configuration,
    neighbours: configuration ? await planNeighbours(tools, { fn, alias }, configuration) : [],
    layers: dependencies === undefined ? used : [...used, dependencies],
    dependencyLayer: dependencyArn,
    dependencies: isSelected ? { layer: dependencyArn, wanted: dependencies !== undefined } : undefined,
    alias,
    version: alias === undefined ? undefined : await planSettingsOfVersion(tools, fn),
  });
}

async function planSettingsOfVersion(
  { stacks }: ServiceContext,
  { stack, resource: { logicalId }, version }: LocatedFunction,
): Promise<VersionSettings | undefined> {
  if (version === undefined) return undefined;
  const listing = (await stacks.listing(stack.path)) ?? {};
  const deployed = findCompanion(listing, { stack, logicalId }, 'Version')?.physicalId.split(':').at(-1);
  return { ...version, deployed };
}

/** The code that was built for the function; undefined: its code is not in the project. */
async function planCode(
  tools: ServiceContext,
  fn: LocatedFunction,
  packed: PackedCode,
): Promise<FunctionCode | undefined> {
  const { id, resource } = fn;
  if (isImage(resource)) {
    const image = packed.images.get(id);
    return image && locateImage(tools, fn, image);
  }
  const artifact = packed.code.get(id);
  return artifact && { kind: 'zip', artifact, key: await valueOf(tools, fn, 'SourceKMSKeyArn') };
}

/** The layers of this sync that the function uses, by the templates or, where these do not name them, by Lambda. */
function usedLayers(fn: LocatedFunction, layers: ReadonlyMap<ResourceIdentifier, LayerPlan>): LayerPlan[] {
  const isUnclear = fn.references.includes('unknown');
  return [...layers].flatMap(([id, plan]) => {
    const isNamed = fn.references.some((reference) => typeof reference === 'object' && reference.layer === id);
    const has = fn.state.layers.some((arn) => layerArnOf(arn) === plan.work.layer);
    return has && (isNamed || isUnclear) ? [plan] : [];
  });
}

async function planDependencies(
  tools: ServiceContext,
  fn: LocatedFunction,
  { packed, layer }: { packed: PackedCode; layer: string },
): Promise<LayerPlan | undefined> {
  const { id, resource } = fn;
  const artifact = packed.dependencies.get(id);
  if (artifact === undefined) return undefined;
  const { runtime } = resource;
  const settings: LayerWork['settings'] = {
    // as in a deployment (src/builder/dependency-layer-stack.ts)
    CompatibleRuntimes: runtime === undefined ? [] : [runtime as NonNullable<FunctionRuntimes>[number]],
    Description: `Auto created layer for dependencies of function ${id}`,
  };
  return planLayer(tools, { id, layer, artifact, deployed: undefined, settings }, versionsInUse([fn], layer));
}

type FunctionRuntimes = LayerWork['settings']['CompatibleRuntimes'];

function versionsInUse(functions: readonly LocatedFunction[], layer: string): string[] {
  return [...new Set(functions.flatMap(({ state }) => state.layers.filter((arn) => layerArnOf(arn) === layer)))];
}

/** Resolves a text property of a SAM function; rejects if only CloudFormation knows its value. */
async function valueOf(
  tools: ServiceContext,
  { id, resource, stack }: LocatedFunction,
  name: string,
): Promise<string | undefined> {
  const written = resource.properties[name] ?? null;
  if (!isServerless(resource.type) || written === null) return undefined;
  const { value, missing } = await tools.values.resolve(written, stack);
  if (missing.length === 0) return scalarText(value);
  throw new NeedsDeploymentError(`${id}: only CloudFormation knows the value of ${missing.join(', ')}, its ${name}`, {
    hint: 'Sync without --code: a deployment updates it.',
  });
}
