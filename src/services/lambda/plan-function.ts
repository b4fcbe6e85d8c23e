import type { PublishVersionCommandInput, UpdateAliasCommandInput } from '@aws-sdk/client-lambda';
import { isAwsError } from '../../aws/service-errors.ts';
import { UserError } from '../../errors.ts';
import type { FunctionResource, ResourceIdentifier } from '../../model/stack.ts';
import { fromAnswer } from '../planned-request.ts';
import type { ServiceContext } from '../service-context.ts';
import { hasCode, isDone, isSameCode, shownCode } from './function-code.ts';
import type { CodeUpdate, FunctionCode } from './function-code.ts';
import type { FunctionState } from './function-state.ts';
import { missingSettings, settingParameters } from './function-configuration.ts';
import type { ConfigurationUpdate, WantedConfiguration } from './function-configuration.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import type { NeighbourUpdate } from './neighbour.ts';
import type { LayerPlan } from './plan-layer.ts';
import { layerArnOf, moveLayers, newVersionOf } from './layer-versions.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';
import type { ShownValue } from '../../cloud/recent-sends.ts';

/** A function with the code and layers that it should have. */
export interface FunctionWork {
  id: ResourceIdentifier;
  resource: FunctionResource;
  state: FunctionState;
  /** undefined: only its layers are compared. */
  code: FunctionCode | undefined;
  /** Settings of its template that it should have; undefined: they are not compared. */
  configuration: WantedConfiguration | undefined;
  /** Updates of settings with requests of their own. */
  neighbours: readonly NeighbourUpdate[];
  /** Layers of this sync that it uses. */
  layers: readonly LayerPlan[];
  /** The layer for its own dependencies: appended if it is `wanted` and missing, else removed. */
  dependencies: { layer: string; wanted: boolean } | undefined;
  /** The ARN of its dependency layer, which it need not have. */
  dependencyLayer: string;
  /** The alias that should point to the newest code. */
  alias: string | undefined;
}

/** The requests that update a function, in the order in which they are sent; undefined: not needed. */
export interface FunctionPlan {
  work: FunctionWork;
  /** Sets settings and adds or swaps layers, before code that may need them. */
  configuration: ConfigurationUpdate | undefined;
  /** The settings in it, by property of the template. */
  settings: ReadonlyMap<string, WantedSetting>;
  code: CodeUpdate | undefined;
  /** Removes the dependency layer, after the code that needed it. */
  drop: ConfigurationUpdate | undefined;
  publish: VersionPublication | undefined;
}

/** Publishes a version: for the alias or, with a capacity provider, as the latest one. */
export interface VersionPublication {
  version: PublishVersionCommandInput;
  /** Moves the alias to that version. */
  alias: (UpdateAliasCommandInput & { Name: string }) | undefined;
}

/** The placeholder for the version that `PublishVersion` returns. */
const NEW_VERSION = fromAnswer('PublishVersion', 'Version');

/** Lambda's name for the version that functions with a capacity provider run. */
const LATEST_PUBLISHED = '$LATEST.PUBLISHED';

/** Compares the function with its wanted code and layers. Rejects if only a deployment can make the change. */
export async function planFunction(tools: ServiceContext, work: FunctionWork): Promise<FunctionPlan> {
  const { state, layers, dependencies, configuration } = work;
  const { facts } = tools;
  const { name: FunctionName } = state;
  const isNewCode = work.code !== undefined && (!isDone(state, work.code) || mayBeStale(facts, shownCode(state)));
  const code = isNewCode && work.code !== undefined ? { FunctionName, code: work.code } : undefined;
  const targets = layers.map(({ work: { layer }, version }) => [layer, version] as const);
  const given = layersGiven(work);
  const mayBeStaleLayers = (given !== undefined || targets.length > 0) && mayBeStale(facts, shownLayers(state));
  const moved =
    mayBeStaleLayers ||
    (given !== undefined && given.join() !== state.layers.join()) ||
    targets.some(([layer, version]) => {
      const now = state.layers.filter((arn) => layerArnOf(arn) === layer);
      if (now.length === 0) return dependencies?.wanted === true && dependencies.layer === layer;
      return version === undefined || now.some((arn) => arn !== version);
    });
  const drop = dependencies?.wanted === false && state.layers.some((arn) => layerArnOf(arn) === dependencies.layer);
  const to = new Map(targets.map(([layer, version]) => [layer, version ?? newVersionOf(layer)]));
  const add = dependencies?.wanted === true ? [dependencies.layer] : [];
  const next = moveLayers(given ?? state.layers, { to, add, drop: [] });
  const last = moveLayers(next, { to, add: [], drop: dependencies === undefined ? [] : [dependencies.layer] });
  const settings = configuration === undefined ? new Map() : missingSettings(tools, state, configuration);
  return {
    work,
    configuration:
      moved || settings.size > 0
        ? { FunctionName, ...settingParameters(settings.values()), ...(moved ? { Layers: next } : {}) }
        : undefined,
    settings,
    code,
    drop: drop ? { FunctionName, Layers: last } : undefined,
    publish: await planPublish(tools, work, isNewCode || moved || drop),
  };
}

/** The layers that the template now names, with the dependency layer that the function has; undefined: not compared. */
function layersGiven({ configuration, state, dependencyLayer }: FunctionWork): string[] | undefined {
  const layers = configuration?.settings.get('Layers')?.value as readonly string[] | undefined;
  if (layers === undefined) return undefined;
  const own = state.layers.filter((arn) => layerArnOf(arn) === dependencyLayer);
  return [...layers, ...own.filter((arn) => !layers.includes(arn))];
}

/** The layers that Lambda returns for a function. */
export function shownLayers({ name, layers }: FunctionState): ShownValue {
  return { resource: `${name} layers`, value: layers.join() };
}

/** Whether the plan changes anything. */
export function changesFunction({ work, code, configuration, drop, publish }: FunctionPlan): boolean {
  return work.neighbours.length > 0 || [code, configuration, drop, publish].some((request) => request !== undefined);
}

/** Describes the changes of a function plan, in a few words each. */
export function describeFunctionPlan({ work, code, configuration, settings, drop, publish }: FunctionPlan): string[] {
  return [
    ...settings.keys(),
    ...work.neighbours.flatMap((update) => [...update.settings.keys()]),
    ...(configuration?.Layers === undefined ? [] : ['layers']),
    ...(code === undefined ? [] : [code.code.kind === 'image' ? 'image' : 'code']),
    ...(drop === undefined ? [] : ['dependency layer removed']),
    ...(publish === undefined ? [] : [publish.alias ? `version for ${publish.alias.Name}` : 'published version']),
    // callers of the alias run the version that has the settings of its time
    ...(settings.size > 0 && work.alias !== undefined && publish === undefined
      ? [`alias ${work.alias} with its next version`]
      : []),
  ];
}

async function planPublish(
  tools: ServiceContext,
  work: FunctionWork,
  changes: boolean,
): Promise<FunctionPlan['publish']> {
  const { alias, state, code, resource } = work;
  const { CapacityProviderConfig, PublishToLatestPublished } = resource.properties;
  const latest = CapacityProviderConfig !== undefined && String(PublishToLatestPublished) === 'true';
  if (alias === undefined && !latest) return undefined;
  // a function that only uses a layer of this sync is published if that layer changes
  if (code === undefined && !changes) return undefined;
  const published = await readPublished(tools, state.name, alias ?? LATEST_PUBLISHED);
  if (alias !== undefined && published === undefined) {
    throw new UserError(`${work.id} has no alias ${alias} in the cloud yet`, {
      hint: 'Sync without --code first: a deployment creates it.',
    });
  }
  const isBehind =
    published === undefined ||
    !(code === undefined ? isSameCode(published, state) : hasCode(published, code)) ||
    published.layers.join() !== state.layers.join();
  if (!changes && !isBehind) return undefined;
  const { name: FunctionName } = state;
  if (alias === undefined) return { version: { FunctionName, PublishTo: 'LATEST_PUBLISHED' }, alias: undefined };
  return { version: { FunctionName }, alias: { FunctionName, Name: alias, FunctionVersion: NEW_VERSION } };
}

async function readPublished(
  { lambda }: ServiceContext,
  name: string,
  qualifier: string,
): Promise<FunctionState | undefined> {
  try {
    return await lambda.read(name, qualifier);
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}
