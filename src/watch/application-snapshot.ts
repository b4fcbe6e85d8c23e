import type { BuildInput, BuiltProperties } from '../builder/build-result.ts';
import type { DeployedState } from '../deploy/deploy-stack.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { readSettable } from '../model/settable-resources.ts';
import { flattenStacks, splitIdentifier } from '../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import type { SettingFiles } from '../sync/configuration/setting-files.ts';
import { ownValue } from '../support/own-value.ts';
import type { StackOffer } from '../sync/endpoints.ts';
import type { OpenedApplication } from '../sync/open-application.ts';
import type { SettingsRequest } from '../sync/code/planning.ts';
import type { SyncRun } from '../sync/sync-run.ts';
import { kindOf } from '../template/kinds/kinds.ts';
import { mapOf, resourceOf } from '../template/template.ts';
import type { Template } from '../template/template.ts';
import type { WatchTools } from './watch-tools.ts';
import type { WatchedResources } from './watched-resources.ts';

/** Everything that a watch knows of its application. Immutable: the session replaces it as a whole. */
export interface ApplicationSnapshot {
  /** The options in effect. */
  readonly run: SyncRun;
  /** The tools for these options. */
  readonly tools: WatchTools;
  /** The samconfig and parameter files; they need not exist. */
  readonly optionFiles: readonly string[];
  /** Templates and the files they include. */
  readonly templateFiles: ReadonlySet<string>;
  /** undefined until the templates could be read. */
  readonly resources: WatchedResources | undefined;
  /** The account, the bucket and the stack as read last. undefined until the cloud was reached. */
  readonly prepared: OpenedApplication | undefined;
  /** What was read at the start and nothing has used yet. */
  readonly fresh: { readonly root?: Stack | undefined; readonly deployed?: DeployedState | undefined };
  /** The templates of the last deployment of this session. */
  readonly deployedRoot: Stack | undefined;
  /** What the builds of the last deployment changed in its functions' properties. */
  readonly builtProperties: BuiltProperties | undefined;
  /** The templates of the last reading for what services can set directly. */
  readonly readRoot: Stack | undefined;
  /** Resources with settings that a service has to set. */
  readonly direct: ReadonlyMap<ResourceIdentifier, DirectSettings>;
  /** Resource → properties that were set directly and that the stack does not have. */
  readonly ahead: Readonly<Record<ResourceIdentifier, readonly string[]>>;
  /** The same of APIs and state machines; every sync compares their definitions. */
  readonly definitionsAhead: ReadonlyMap<ResourceIdentifier, readonly string[]>;
  /** The files of settings, of these two readings and of the current templates. */
  readonly settingFiles: ReadonlyMap<Stack, SettingFiles>;
  /** What changed since then. */
  readonly undeployed: UndeployedChanges;
  /** What the stack offers as of the last deployment; undefined until it was read. */
  readonly offer: StackOffer | undefined;
  /** What the last build of each resource was made of. */
  readonly inputs: ReadonlyMap<ResourceIdentifier, readonly BuildInput[]>;
  /** The build that the last sync of a resource applied (`artifactOf`): the service is known to have it. */
  readonly synced: ReadonlyMap<ResourceIdentifier, string>;
  /** The build that each Web Function is known to serve (`artifactOf`). */
  readonly webFunctions: ReadonlyMap<ResourceIdentifier, string>;
  /** Web Functions whose code is live and not deployed. */
  readonly revised: ReadonlySet<ResourceIdentifier>;
  /** The interrupted deployment that continues in the cloud, in a sentence. */
  readonly leftDeployment: string | undefined;
}

/** Settings of a resource that a service has to set. */
export interface DirectSettings extends SettingsRequest {
  /** The templates that say so. */
  readonly root: Stack;
}

/** Reasons for a deployment. */
export interface UndeployedChanges {
  /** The samconfig or a parameter file changed. */
  readonly options: boolean;
  /** Parameters or files of settings changed: the templates may mean the same and still need a deployment. */
  readonly values: boolean;
  /** Not only templates changed: the templates may mean the same and still need a deployment. */
  readonly beyondTemplates: boolean;
}

/** No reason for a deployment but the templates. */
export const TEMPLATES_ONLY: UndeployedChanges = { options: false, values: false, beyondTemplates: false };

/** The snapshot of a session that has read nothing yet. */
export function initialSnapshot(run: SyncRun, tools: WatchTools): ApplicationSnapshot {
  return {
    run,
    tools,
    optionFiles: run.environment.watch?.optionFiles ?? [],
    templateFiles: new Set(),
    resources: undefined,
    prepared: undefined,
    fresh: {},
    deployedRoot: undefined,
    builtProperties: undefined,
    readRoot: undefined,
    direct: new Map(),
    ahead: {},
    definitionsAhead: new Map(),
    settingFiles: new Map(),
    undeployed: { ...TEMPLATES_ONLY, beyondTemplates: true },
    offer: undefined,
    inputs: new Map(),
    synced: new Map(),
    webFunctions: new Map(),
    revised: new Set(),
    leftDeployment: undefined,
  };
}

/** The snapshot with other options. */
export function withRun(now: ApplicationSnapshot, run: SyncRun, tools: WatchTools): ApplicationSnapshot {
  const { prepared } = now;
  const isMoved = prepared !== undefined && run.options.s3Bucket !== now.run.options.s3Bucket;
  // the next deployment chooses the bucket again
  return {
    ...now,
    run,
    tools,
    prepared: isMoved ? { ...prepared, bucket: '', checkBucket: undefined } : prepared,
    synced: new Map(),
  };
}

/** The snapshot when cloud and templates were read for the first time. */
export function withPrepared(now: ApplicationSnapshot, prepared: OpenedApplication): ApplicationSnapshot {
  // a stack that this session is the first to create may be removed when that fails
  const recreate = prepared.recreate || prepared.deployed.stack === undefined;
  const fresh = { root: prepared.root, deployed: prepared.deployed };
  return { ...now, prepared: { ...prepared, recreate }, fresh };
}

/** The snapshot with other templates: what it knows of removed resources is dropped. */
export function withTemplates(
  now: ApplicationSnapshot,
  resources: WatchedResources,
  files: { templates: ReadonlySet<string>; settings: SettingFiles },
): ApplicationSnapshot {
  const inputs = new Map([...now.inputs].filter(([id]) => resources.syncMethod(id) !== undefined));
  const synced = new Map([...now.synced].filter(([id]) => resources.selected.has(id)));
  const earlier = [...now.settingFiles].filter(([root]) => root === now.deployedRoot || root === now.readRoot);
  const settingFiles = new Map([...earlier, [resources.root, files.settings] as const]);
  return { ...now, resources, templateFiles: files.templates, inputs, synced, settingFiles };
}

/** The snapshot after a deployment of these templates. `stack` may be another one of the same name than before. */
export function withDeployed(
  now: ApplicationSnapshot,
  root: Stack,
  { stack, offer }: { stack: DeployedStack | undefined; offer: StackOffer },
): ApplicationSnapshot {
  const prepared = requirePrepared(now);
  return {
    ...now,
    deployedRoot: root,
    prepared: { ...prepared, deployed: { ...prepared.deployed, stack } },
    offer,
  };
}

/** The snapshot without the settings of these resources: they are set, or a deployment decided about them. */
export function withoutDirect(
  now: ApplicationSnapshot,
  isDone: (id: ResourceIdentifier, settings: DirectSettings) => boolean,
): ApplicationSnapshot {
  const direct = new Map([...now.direct].filter(([id, settings]) => !isDone(id, settings)));
  return direct.size === now.direct.size ? now : { ...now, direct };
}

/** The snapshot after a sync of these settings: of definitions, only it remembers what is not deployed. */
export function withSettingsSynced(
  now: ApplicationSnapshot,
  synced: ReadonlyMap<ResourceIdentifier, DirectSettings>,
): ApplicationSnapshot {
  const definitionsAhead = new Map(now.definitionsAhead);
  for (const [id, { undeployed, root }] of synced) {
    const { stackPath, logicalId } = splitIdentifier(id);
    const stack = flattenStacks(root).find(({ path }) => path === stackPath);
    if (kindOf(resourceOf(stack?.resolved, logicalId)['Type'])?.directDefinition === undefined) continue;
    if (undeployed.length > 0) definitionsAhead.set(id, undeployed);
    else definitionsAhead.delete(id);
  }
  const isSynced = (id: ResourceIdentifier, settings: DirectSettings): boolean => synced.get(id) === settings;
  return { ...withoutDirect(now, isSynced), definitionsAhead };
}

/** The snapshot with more reasons for a deployment. */
export function withUndeployed(now: ApplicationSnapshot, more: UndeployedChanges): ApplicationSnapshot {
  const options = now.undeployed.options || more.options;
  const beyondTemplates = now.undeployed.beyondTemplates || more.beyondTemplates;
  const values = now.undeployed.values || more.values;
  return { ...now, undeployed: { options, values, beyondTemplates } };
}

/** The snapshot after a build of these inputs; the same one if they are no others. */
export function withInputs(now: ApplicationSnapshot, built: ApplicationSnapshot['inputs']): ApplicationSnapshot {
  const changed = [...built].filter(([id, inputs]) => JSON.stringify(now.inputs.get(id)) !== JSON.stringify(inputs));
  return changed.length === 0 ? now : { ...now, inputs: new Map([...now.inputs, ...changed]) };
}

/** The snapshot after syncs of these artifacts; undefined: the service may have anything. */
export function withSynced(
  now: ApplicationSnapshot,
  artifacts: ReadonlyMap<ResourceIdentifier, string | undefined>,
): ApplicationSnapshot {
  const synced = new Map(now.synced);
  for (const [id, artifact] of artifacts) {
    if (artifact === undefined) synced.delete(id);
    else synced.set(id, artifact);
  }
  return { ...now, synced };
}

/** Whether the stack has the resource, as far as this session knows. */
export function isDeployed(now: ApplicationSnapshot, id: ResourceIdentifier): boolean {
  if (now.run.options.code) return true;
  const names = id.split('/');
  if (now.deployedRoot) return hasResource(now.deployedRoot, names);
  return hasEntry(now.prepared?.deployed.template, names[0]);
}

/** What the first look at the cloud found; without it is a defect. */
export function requirePrepared({ prepared }: ApplicationSnapshot): OpenedApplication {
  if (!prepared) throw new Error('the session has not begun');
  return prepared;
}

/** The resources of the templates; without them is a defect. */
export function requireResources({ resources }: ApplicationSnapshot): WatchedResources {
  if (!resources) throw new Error('the session has not begun');
  return resources;
}

/** Whether the templates have the resource. The names are those of its identifier, split at `/`. */
function hasResource(stack: Stack, [name, ...rest]: readonly string[]): boolean {
  if (rest.length === 0)
    return hasEntry(stack.source, name) || readSettable(stack).some(({ logicalId }) => logicalId === name);
  const child = stack.children.find(({ logicalId }) => logicalId === name);
  return child !== undefined && hasResource(child, rest);
}

function hasEntry(template: Template | undefined, name = ''): boolean {
  return ownValue(mapOf(template?.['Resources']), name) !== undefined;
}
