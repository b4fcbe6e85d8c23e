import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { isAwsError } from '../../aws/service-errors.ts';
import { UserError } from '../../errors.ts';
import type { FunctionResource, ResourceIdentifier } from '../../model/stack.ts';
import type { FlowTools } from './flow-tools.ts';
import { hasCode, isSameCode, readyCode, sendCode } from './function-code.ts';
import type { FunctionCode } from './function-code.ts';
import type { FunctionState } from './lambda-access.ts';
import type { LayerPlan } from './layer-flow.ts';
import { layerArnOf, moveLayers } from './layer-versions.ts';

/** A function that is to have certain code, layers, or both. */
export interface FunctionWork {
  id: ResourceIdentifier;
  resource: FunctionResource;
  state: FunctionState;
  /** undefined: only its layers are looked at. */
  code: FunctionCode | undefined;
  /** Layers of this sync that it uses. */
  layers: readonly LayerPlan[];
  /** The layer for its own dependencies: put at the end if the function has none yet; not wanted any more: `drop`. */
  dependencies: { layer: string; wanted: boolean } | undefined;
  /** The alias that is to lead to the newest code. */
  alias: string | undefined;
}

/** What has to be done with a function. */
export interface FunctionPlan {
  work: FunctionWork;
  code: boolean;
  /** Layers are added or replaced before the code changes, and taken away after it. */
  layers: boolean;
  drop: boolean;
  /** A version has to be published: for the alias or, with a capacity provider, as the latest one. */
  publish: 'alias' | 'latest' | undefined;
}

/** Lambda's name for the version that functions with a capacity provider answer with. */
const LATEST_PUBLISHED = '$LATEST.PUBLISHED';

/** Compares the function with what it is to be. Rejects if only a deployment can bring the change. */
export async function planFunction(tools: FlowTools, work: FunctionWork): Promise<FunctionPlan> {
  const { state, layers, dependencies } = work;
  const code = work.code !== undefined && !isDone(state, work.code);
  const targets = layers.map(({ work: { layer }, version }) => [layer, version] as const);
  const moved = targets.some(([layer, version]) => {
    const now = state.layers.filter((arn) => layerArnOf(arn) === layer);
    if (now.length === 0) return dependencies?.wanted === true && dependencies.layer === layer;
    return version === undefined || now.some((arn) => arn !== version);
  });
  const drop = dependencies?.wanted === false && state.layers.some((arn) => layerArnOf(arn) === dependencies.layer);
  const changes = code || moved || drop;
  return { work, code, layers: moved, drop, publish: await planPublish(tools, work, changes) };
}

/** Whether the plan changes anything. */
export function changesFunction({ code, layers, drop, publish }: FunctionPlan): boolean {
  return code || layers || drop || publish !== undefined;
}

/** What a function plan does, in a few words each. */
export function describeFunctionPlan({ work, code, layers, drop, publish }: FunctionPlan): string[] {
  return [
    ...(layers ? ['layers'] : []),
    ...(code ? [work.code?.kind === 'image' ? 'image' : 'code'] : []),
    ...(drop ? ['dependency layer removed'] : []),
    ...(publish === undefined ? [] : [publish === 'alias' ? `version for ${work.alias}` : 'published version']),
  ];
}

/**
 * Brings layers first, then code, then takes layers away, so that new code never runs without what it needs.
 * `versions`: ARN of a layer → version that the function is to have.
 */
export async function applyFunction(
  tools: FlowTools,
  plan: FunctionPlan,
  versions: ReadonlyMap<string, string>,
): Promise<void> {
  const { work } = plan;
  const { dependencies, state } = work;
  remember(tools, work.id);
  const add = dependencies?.wanted === true ? [dependencies.layer] : [];
  let layers = moveLayers(state.layers, { to: versions, add, drop: [] });
  if (plan.layers) await updateLayers(tools, work, layers);
  if (plan.code) await updateCode(tools, work);
  if (plan.drop && dependencies !== undefined) {
    layers = moveLayers(layers, { to: versions, add: [], drop: [dependencies.layer] });
    await updateLayers(tools, work, layers);
  }
  if (plan.publish !== undefined) await publish(tools, work, plan.publish);
  forget(tools, work.id);
}

/** Until the function is seen to be ready the list of all functions is not believed: it does not tell of failures. */
function remember({ facts }: FlowTools, id: string): void {
  if (!facts.unsettled.includes(id)) facts.unsettled.push(id);
}

function forget({ facts }: FlowTools, id: string): void {
  facts.unsettled = facts.unsettled.filter((candidate) => candidate !== id);
}

async function planPublish(tools: FlowTools, work: FunctionWork, changes: boolean): Promise<FunctionPlan['publish']> {
  const { alias, state, code, resource } = work;
  const { CapacityProviderConfig, PublishToLatestPublished } = resource.properties;
  const latest = CapacityProviderConfig !== undefined && String(PublishToLatestPublished) === 'true';
  if (alias === undefined && !latest) return undefined;
  // who only uses a layer of this sync is published if it gets another one
  if (code === undefined && !changes) return undefined;
  const published = await readPublished(tools, state.name, alias ?? LATEST_PUBLISHED);
  if (alias !== undefined && published === undefined) {
    throw new UserError(`${work.id} has no alias ${alias} in the cloud yet`, {
      hint: 'Sync without --code first: a deployment makes it.',
    });
  }
  const isBehind =
    published === undefined ||
    !(code === undefined ? isSameCode(published, state) : hasCode(published, code)) ||
    published.layers.join() !== state.layers.join();
  if (!changes && !isBehind) return undefined;
  return alias === undefined ? 'latest' : 'alias';
}

async function readPublished(
  { lambda }: FlowTools,
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

async function updateLayers(tools: FlowTools, { id, state }: FunctionWork, layers: readonly string[]): Promise<void> {
  const { lambda } = tools;
  const { send, UpdateFunctionConfigurationCommand } = await lambda.service();
  const answer = await lambda.change(
    state.name,
    () => send(new UpdateFunctionConfigurationCommand({ FunctionName: state.name, Layers: [...layers] })),
    (now) => now.layers.join() === layers.join(),
  );
  await settle(tools, { id, name: state.name }, answer);
}

/** An update that failed left code there that is not what runs. */
function isDone(state: FunctionState, code: FunctionCode): boolean {
  return hasCode(state, code) && state.lastUpdateStatus !== 'Failed';
}

async function updateCode(tools: FlowTools, { id, state, code }: FunctionWork): Promise<void> {
  if (code === undefined) return;
  const { lambda } = tools;
  const { send, UpdateFunctionCodeCommand } = await lambda.service();
  const ready = await readyCode(tools, code);
  // of an image that was never pushed from here this is known only now
  if (isDone(state, ready)) return;
  const answer = await lambda.change(
    state.name,
    () => sendCode(tools, ready, (sent) => send(new UpdateFunctionCodeCommand({ FunctionName: state.name, ...sent }))),
    (now) => isDone(now, ready),
  );
  await settle(tools, { id, name: state.name }, answer);
}

/** Waits for the end of an update that Lambda has accepted. */
async function settle(
  { lambda }: FlowTools,
  { id, name }: { id: string; name: string },
  answer: FunctionConfiguration | undefined,
): Promise<void> {
  if (answer?.LastUpdateStatus === 'Successful' && answer.State !== 'Pending') return;
  const { lastUpdateStatus, state, reason } = await lambda.settled(name);
  if (lastUpdateStatus !== 'Failed' && state !== 'Failed') return;
  throw new UserError(`Lambda could not update ${id}: ${reason ?? 'it gives no reason'}`, {
    hint: 'The function goes on as it was before. Mend the cause and sync again.',
  });
}

async function publish(tools: FlowTools, work: FunctionWork, what: 'alias' | 'latest'): Promise<void> {
  const { lambda } = tools;
  const { state, alias, id } = work;
  const { send, PublishVersionCommand, UpdateAliasCommand } = await lambda.service();
  const version = await lambda.change(state.name, () =>
    send(
      new PublishVersionCommand({
        FunctionName: state.name,
        ...(what === 'latest' ? { PublishTo: 'LATEST_PUBLISHED' } : {}),
      }),
    ),
  );
  const number = version?.Version ?? '';
  if (version?.State === 'Pending' || what === 'latest') {
    // with SnapStart or a capacity provider a version cannot be called at once
    const { state: ended, reason } = await lambda.settled(state.name, number);
    if (ended === 'Failed') {
      throw new UserError(`Version ${number} of ${id} did not become ready: ${reason ?? 'Lambda gives no reason'}`);
    }
  }
  if (what === 'latest' || alias === undefined) return;
  await send(new UpdateAliasCommand({ FunctionName: state.name, Name: alias, FunctionVersion: number }));
}
