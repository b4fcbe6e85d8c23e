import type { DeployedState, DeployResult } from '../deploy/deploy-stack.ts';
import type { DeployPlan } from '../deploy/plan-deploy.ts';
import type { ResourceIdentifier, Stack } from '../model/stack.ts';
import { once } from '../support/once.ts';
import { describeFollowing, valuesFollowing } from './code/behind-versions.ts';
import type { BehindValues } from './code/code-sync-plan.ts';
import type { CodeSync } from './code/open-code-sync.ts';
import type { CodeSyncRequest, OpenPlan } from './code/open-plan.ts';
import { SET_BEFORE } from './code/planning.ts';
import { EVERYTHING } from './code/select-resources.ts';
import { compareDeployed } from './compare-deployed.ts';
import type { PreparedDeployment } from './deployment/prepare-deployment.ts';
import { StackChangedError } from './stack-changed.ts';
import type { SyncOptions } from './sync-options.ts';

/** Everything that the decision depends on. */
export interface DecisionInput {
  options: Pick<SyncOptions, 'skipDeploySync'>;
  root: Stack;
  /** The stack, and the root template that it was deployed with. */
  deployed: DeployedState;
  deployment: Pick<PreparedDeployment, 'built' | 'packaged' | 'plan' | 'hasSettings'>;
  /** The resources that a code sync may update; without them all, an empty list: none. */
  ids?: readonly ResourceIdentifier[] | undefined;
}

/** Whether a code sync does everything that a deployment would do, or a deployment is needed. */
export type CodeOrDeployment =
  | { way: 'code'; open: OpenPlan }
  /** `reasons`: in a few words each. `behind`: values that only a deployment moves to new versions. */
  | { way: 'deployment'; reasons: readonly string[]; behind: readonly BehindValues[] };

/**
 * Decides for a code sync if the stack exists with these settings, its templates differ only in where code and definitions
 * are, the services' APIs can update each of them, and no other value follows their new versions. The code sync compares
 * everything with the services, so it also reverts what was changed by hand. Rejects with `StackChangedError` if there is
 * something to sync and the stack changed since it was described.
 */
export async function decideCodeOrDeployment(codeSync: CodeSync, input: DecisionInput): Promise<CodeOrDeployment> {
  const { options, root, deployed, deployment, ids } = input;
  const { plan, packaged, hasSettings } = deployment;
  const { stack, template } = deployed;
  if (stack === undefined || !options.skipDeploySync || !hasSettings) return needsDeployment(plan);
  const comparison = await compareDeployed(root, packaged, {
    template,
    readNested: (path) => codeSync.readNestedTemplate(path),
  });
  if (comparison.kind === 'differs') return needsDeployment(plan);
  const changed = comparison.kind === 'same' ? new Set<ResourceIdentifier>() : comparison.ids;
  const behind = valuesFollowing(root, ids === undefined ? changed : new Set(ids.filter((id) => changed.has(id))));
  if (behind.length > 0) return needsDeployment(plan, { behind });
  const hasMoved = once(() => codeSync.hasChangedSince(stack));
  // there will be something to sync: asked while it is planned; awaited, and failing, below
  if (changed.size > 0) hasMoved().catch(() => {});
  const open = await planAll(codeSync, { ...input, isDeployed: (id) => !changed.has(id) });
  const left = open.plan.resources.filter(
    ({ id, action }) => changed.has(id) && action !== 'update' && action !== 'none',
  );
  if (left.length > 0) {
    await open.discard();
    return needsDeployment(plan, { left: left.map(({ id, why }) => why ?? `${id} changed`) });
  }
  if (open.plan.resources.some(({ action }) => action === 'update')) {
    await discardUnless(open, async () => {
      if (await hasMoved()) throw new StackChangedError(stack.name);
    });
  }
  return { way: 'code', open };
}

function needsDeployment(
  plan: DeployPlan,
  { left = [], behind = [] }: { left?: readonly string[]; behind?: readonly BehindValues[] } = {},
): CodeOrDeployment {
  return { way: 'deployment', reasons: [...reasonsOf(plan), ...left, ...behind.map(describeFollowing)], behind };
}

/** What CloudFormation has to do, and why. */
function reasonsOf(plan: DeployPlan): readonly string[] {
  switch (plan.action) {
    case 'create':
      return ['it does not exist yet'];
    case 'update':
      return plan.differences;
    case 'stop':
      return [plan.error.message];
    default:
      return [plan.reason];
  }
}

/** What a code sync after a deployment depends on. */
interface AfterDeployment extends Pick<DecisionInput, 'root' | 'ids'>, Pick<CodeSyncRequest, 'createdFrom'> {
  deployment: Pick<PreparedDeployment, 'built'>;
}

/**
 * Plans what a deployment left out: CloudFormation compares with its own last deployment, so where code syncs have updated
 * code since, it may have left newer code than the templates now name; in a new stack it left nothing out. Rejects with
 * `StackOvertakenError` if someone else changed the stack since: this code does not belong to their template.
 */
export async function planAfterDeployment(
  codeSync: CodeSync,
  deployment: Pick<DeployResult, 'stack' | 'isLatest'>,
  input: AfterDeployment,
): Promise<OpenPlan> {
  codeSync.forget(deployment.stack);
  const open = await planAll(codeSync, { ...input, isDeployed: () => true });
  await discardUnless(open, () => codeSync.requireLatest(deployment));
  return open;
}

async function planAll(
  codeSync: CodeSync,
  { root, ids, deployment: { built }, createdFrom, isDeployed }: AfterDeployment & Pick<CodeSyncRequest, 'isDeployed'>,
): Promise<OpenPlan> {
  // an empty selection means everything
  if (ids?.length === 0) return NOTHING;
  const selection = ids === undefined ? EVERYTHING : { ids, types: [] };
  // what was set directly and is not deployed: the templates say what it should be
  const open = await codeSync.plan({ root, selection, built, createdFrom, isDeployed, settings: () => SET_BEFORE });
  if (open === undefined) throw new Error('a plan without a question was refused');
  return open;
}

const NOTHING: OpenPlan = {
  plan: {
    resources: [],
    work: {
      layers: new Map(),
      functions: [],
      leftovers: [],
      definitions: new Map(),
      requests: new Map(),
      kept: new Set(),
      settings: new Map(),
      updates: new Map(),
    },
    behind: [],
  },
  describe: async () => [],
  ahead: () => ({}),
  apply: async () => ({ results: [], failed: false, behind: [] }),
  runProblems: async () => new Map(),
  discard: async () => {},
};

async function discardUnless(open: OpenPlan, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    await open.discard();
    throw error;
  }
}
