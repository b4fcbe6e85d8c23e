import type { BuildResult, RunProblems } from '../../builder/build-result.ts';
import type { CloudStacks } from '../../cloud/cloud-stacks.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import type { SyncFacts } from '../../cloud/sync-state.ts';
import { ownValue, setOwn } from '../../support/own-value.ts';
import type { LambdaAccess } from '../../services/lambda/lambda-client.ts';
import { isImage } from '../../services/lambda/function-code.ts';
import { packCode } from '../../services/lambda/pack-code.ts';
import type { PackedCode } from '../../services/lambda/pack-code.ts';
import type { SyncRun } from '../sync-run.ts';
import { applyCodeSync } from './apply-code-sync.ts';
import type { CodeBuild, CodeBuilder } from './code-builder.ts';
import type { CodeSyncOutcome, CodeSyncPlan } from './code-sync-plan.ts';
import { describeRequests } from './code-sync-requests.ts';
import type { DescribedResource } from './code-sync-requests.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import { openServiceContext } from './open-service-context.ts';
import { syncSkipReason } from './locate-resources.ts';
import { leaveAsCreated, locateCodeSync, planCodeSync } from './plan-code-sync.ts';
import type { LocatedSync } from './plan-code-sync.ts';
import { startAhead, withAnswer } from './ahead/confirm-ahead.ts';
import type { AheadOfAnswer } from './ahead/confirm-ahead.ts';
import type { Planning, SettingsRequest } from './planning.ts';
import { rememberConfirmed } from './ahead/trusted-function.ts';
import type { Trust } from './ahead/trusted-function.ts';
import { conditionOf, selectResources } from './select-resources.ts';
import type { Selection } from './select-resources.ts';

/** The inputs of a plan. */
export interface CodeSyncRequest {
  /** The current templates. */
  root: Stack;
  selection: Selection;
  /** An earlier build; without it the selected functions and layers are built. */
  built?: BuildResult | undefined;
  /** Builds them while the services are read; instead of `built`. */
  build?: ((ids: ReadonlySet<ResourceIdentifier>, signal: AbortSignal) => Promise<CodeBuild>) | undefined;
  /** Builds the selected resources while they are located: an earlier run has found them, and nothing has to be asked first. */
  buildsAtOnce?: boolean | undefined;
  /**
   * Whether CloudFormation's last deployment had the current definition of this API: known after a deployment, or after a
   * comparison of templates. Without it only API Gateway decides.
   */
  isDeployed?: ((id: ResourceIdentifier) => boolean) | undefined;
  /** The settings of the resource to compare, beside those that were set directly before; undefined: none, not even these. */
  settings?: ((id: ResourceIdentifier) => SettingsRequest | undefined) | undefined;
  /** Compares settings alone, no code. */
  settingsOnly?: boolean | undefined;
  /** CloudFormation has just created the stack from these templates: functions made of code in these paths need no comparison. */
  createdFrom?: ReadonlySet<string> | undefined;
  /** What an earlier run has confirmed: code is sent at once where that is enough. */
  trust?: Trust | undefined;
  /** Called once the stack is located, before anything is built; false: refuses the sync. */
  onLocated?: ((stackId: string) => Promise<boolean>) | undefined;
}

/** A plan that can be applied once. */
export interface OpenPlan {
  plan: CodeSyncPlan;
  /** The resources with the requests that `apply` sends; before `discard`. */
  describe(): Promise<readonly DescribedResource[]>;
  apply(): Promise<CodeSyncOutcome>;
  /** Resource → properties that are set directly and not deployed. */
  ahead(): SyncFacts['ahead'];
  /** Functions built for it that Lambda cannot run. */
  runProblems(): Promise<RunProblems>;
  /** Ends the plan without applying it. */
  discard(): Promise<void>;
}

/** What the code syncs of one stack share. */
export interface CodeSyncParts {
  run: SyncRun;
  stacks: CloudStacks;
  lambda: LambdaAccess;
  builder: CodeBuilder;
}

/** Locates, builds and plans. undefined: `onLocated` refused the sync. */
export async function openPlan(parts: CodeSyncParts, request: CodeSyncRequest): Promise<OpenPlan | undefined> {
  const { builder, stacks } = parts;
  const planned = await planFresh(parts, request);
  if (planned === undefined) return undefined;
  const { tools } = planned.planning;
  const end = async (): Promise<void> => {
    await tools.artifacts.dispose();
    await stacks.save();
    builder.release();
    stacks.markAsCached();
  };
  return {
    plan: planned.plan,
    describe: () => describeRequests(tools, planned.plan),
    runProblems: () => builder.runProblems(),
    apply: () => applyAndRemember(parts, request, planned).finally(end),
    ahead: () => stacks.facts.ahead,
    discard: end,
  };
}

/** Applies the plan. Settings are remembered before they are sent, until the stack has them. */
async function applyAndRemember(
  { stacks }: CodeSyncParts,
  { settings, trust }: CodeSyncRequest,
  { plan, planning: { tools } }: Planned,
): Promise<CodeSyncOutcome> {
  const { ahead } = stacks.facts;
  const names = plan.work.settings;
  const before = { ...ahead };
  for (const [id, sent] of names) setOwn(ahead, id, [...new Set([...(ownValue(ahead, id) ?? []), ...sent])]);
  if (names.size > 0) await stacks.save();
  const outcome = await applyCodeSync(tools, plan);
  const [only] = plan.work.functions;
  if (trust !== undefined && only !== undefined && !outcome.failed)
    await rememberConfirmed(trust, only, tools.lambda.latest(only.work.state.name));
  for (const { id, outcome: how, refusedSettings } of outcome.results) {
    const sent = names.get(id);
    // a failure may have come after the request
    if (sent === undefined || (how === 'failed' && refusedSettings === undefined)) continue;
    const undeployed = (settings?.(id)?.undeployed ?? []).filter((name) => sent.includes(name));
    const left = refusedSettings === undefined ? undeployed : (ownValue(before, id) ?? []);
    if (left.length > 0) setOwn(ahead, id, left);
    else delete ahead[id];
  }
  return outcome;
}

interface Planned {
  plan: CodeSyncPlan;
  planning: Planning;
}

/** Plans again, without the cache, if a resource of a cached listing no longer exists. */
async function planFresh(parts: CodeSyncParts, request: CodeSyncRequest): Promise<Planned | undefined> {
  const { stacks } = parts;
  const first = await planOnce(parts, request);
  if (!first?.planning.somethingIsGone || !stacks.hasCachedListings) return first;
  stacks.forget();
  await first.planning.tools.artifacts.dispose();
  return planOnce(parts, { ...request, onLocated: undefined, buildsAtOnce: false, trust: undefined });
}

async function planOnce(parts: CodeSyncParts, request: CodeSyncRequest): Promise<Planned | undefined> {
  const { root, selection, built, createdFrom, isDeployed = () => false, onLocated, settings, settingsOnly } = request;
  const { stackName } = parts.run.options;
  const build = request.build ?? ((ids, signal) => parts.builder.build(root, ids, signal));
  const tools = openServiceContext(parts, root);
  let begun: { packing: Promise<PackedCode>; ending: AbortController } | undefined;
  let ahead: AheadOfAnswer | undefined;
  const pack = (resources: readonly BuiltResource[]): Promise<PackedCode> => {
    const ids = new Set(resources.map(({ id }) => id));
    const ending = new AbortController();
    const building = built ? Promise.resolve({ result: built, failures: [] }) : build(ids, ending.signal);
    const packing = building.then((outcome) => packCode(tools.artifacts, resources, outcome));
    // the plan awaits it once the services have answered
    packing.catch(() => {});
    begun = { packing, ending };
    return packing;
  };
  // the result of the build, which may take minutes, is not needed; its files are in use until it has ended
  const endBuild = async (): Promise<void> => {
    begun?.ending.abort(new Error('The plan was given up'));
    await begun?.packing.catch(() => {});
  };
  const abandon = async (): Promise<void> => {
    await endBuild();
    parts.builder.release();
    await tools.artifacts.dispose();
  };
  try {
    const expected = request.buildsAtOnce === true ? listExpected(root, selection) : [];
    const early = expected.length > 0 ? pack(expected) : undefined;
    ahead = early && startTrusted(tools, request, { expected, packing: early });
    const found = await locateCodeSync(tools, { root, selection, stackName, isDeployed, settings, settingsOnly });
    const sync = createdFrom && built ? leaveAsCreated(found, built, createdFrom) : found;
    const { planning, located, toBuild } = sync;
    if (located.length > 0 && (await onLocated?.(planning.tools.stackId)) === false) {
      await ahead?.withdraw();
      await abandon();
      return undefined;
    }
    const answer = await ahead?.confirm(sync);
    ahead = undefined;
    const isExpected = toBuild.length === expected.length && toBuild.every((one) => expected.includes(one));
    if (!isExpected) await endBuild();
    const plan = await planCodeSync(sync, early !== undefined && isExpected ? early : pack(toBuild));
    return { plan: answer === undefined ? plan : withAnswer(plan, answer), planning };
  } catch (error) {
    await ahead?.withdraw(error);
    await abandon();
    throw error;
  }
}

/** Sends the code of a single function that can be trusted. */
function startTrusted(
  tools: ServiceContext,
  { trust }: CodeSyncRequest,
  { expected, packing }: { expected: readonly BuiltResource[]; packing: Promise<PackedCode> },
): AheadOfAnswer | undefined {
  const [only, ...others] = expected;
  if (trust === undefined || only === undefined || others.length > 0 || !('packageType' in only)) return undefined;
  return startAhead(tools, trust, { resource: only, packing });
}

type BuiltResource = LocatedSync['toBuild'][number];

/** What a sync of this selection builds if all of it is in the stack; empty if that is not certain, or takes a place in the cloud. */
function listExpected(root: Stack, selection: Selection): BuiltResource[] {
  const { resources, failures } = selectResources(root, selection);
  const expected = resources.flatMap((item) => {
    if (item.kind === 'definition' || conditionOf(item) !== undefined || syncSkipReason(item) !== undefined) return [];
    return item.kind === 'function' && isImage(item.resource) ? [] : [item.resource];
  });
  return failures.length === 0 && expected.length === resources.length ? expected : [];
}
