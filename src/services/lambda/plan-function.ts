import type { ServiceContext } from '../service-context.ts';
import { isDone, shownCode } from './function-code.ts';
import type { CodeUpdate } from './function-code.ts';
import type { FunctionState } from './function-state.ts';
import { missingSettings, settingParameters } from './settings/function-configuration.ts';
import type { ConfigurationUpdate } from './settings/function-configuration.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import { NEW_VERSION, planVersion } from './versions/plan-version.ts';
import type { VersionPlan, VersionPublication } from './versions/plan-version.ts';
import type { FunctionWork } from './function-work.ts';
import { layerArnOf, moveLayers, newVersionOf } from './layers/layer-versions.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';
import type { ShownValue } from '../../cloud/recent-sends.ts';

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
  /** What callers of the alias get of changed settings if nothing is published, in a few words. */
  note: VersionPlan['note'];
}

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
    ...(await planVersion(tools, work, {
      // of code that is not in the project, nothing is published but what a deployment publishes
      changes: isNewCode || drop || (moved && (work.code !== undefined || given === undefined)),
      settings: settings.size + (moved ? 1 : 0),
    })),
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
export function describeFunctionPlan(plan: FunctionPlan): string[] {
  const { work, code, configuration, settings, drop, publish, note } = plan;
  return [
    ...settings.keys(),
    ...work.neighbours.flatMap((update) => [...update.settings.keys()]),
    ...(configuration?.Layers === undefined ? [] : ['layers']),
    ...(code === undefined ? [] : [code.code.kind === 'image' ? 'image' : 'code']),
    ...(drop === undefined ? [] : ['dependency layer removed']),
    ...(publish === undefined ? [] : [describePublication(publish)]),
    ...(note === undefined ? [] : [note]),
  ];
}

function describePublication({ alias }: VersionPublication): string {
  if (alias === undefined) return 'published version';
  const { Name, FunctionVersion } = alias;
  return FunctionVersion === NEW_VERSION ? `version for ${Name}` : `alias ${Name} back at version ${FunctionVersion}`;
}
