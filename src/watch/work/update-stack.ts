import type { BuildResult } from '../../builder/build-result.ts';
import { compareTemplates } from '../../deploy/compare-templates.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { CodeSync } from '../../sync/code/open-code-sync.ts';
import { decideCodeOrDeployment, planAfterDeployment } from '../../sync/decide-code-or-deployment.ts';
import type { PreparedDeployment } from '../../sync/deployment/prepare-deployment.ts';
import type { OpenedApplication } from '../../sync/open-application.ts';
import type { SyncRun } from '../../sync/sync-run.ts';
import type { ApplicationSnapshot } from '../application-snapshot.ts';
import { requireResources, withDeployed, withoutDirect } from '../application-snapshot.ts';
import type { DeployEnd, SyncedResource } from '../loop/results.ts';
import { ALL_RESOURCES } from '../loop/schedule.ts';
import type { DeployContext } from '../loop/watch-tasks.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { applyPlan, planAndApply, settleBlocked } from './apply-plan.ts';
import { addRunProblems } from './build-resources.ts';
import type { StackChange } from './compare-stacks.ts';
import { touchedByUpdate } from './touched.ts';
import { endWebFunctions, releaseWebFunctions } from './web-functions.ts';

/** One deployment under way. */
export interface Deploying {
  application: WatchedApplication;
  context: DeployContext;
  /** The options and environment of this deployment. */
  run: SyncRun;
  change: StackChange;
}

/** Syncs code if that does everything that the deployment would do; undefined: a deployment is needed. */
export async function syncIfCodeIsEnough(
  deploying: Deploying,
  { root, deployed }: OpenedApplication,
  deployment: PreparedDeployment,
): Promise<DeployEnd | undefined> {
  const { application, run } = deploying;
  const { built } = deployment;
  const codeSync = await codeSyncOf(application);
  const ids = await currentIds(deploying, codeSync);
  const decision = await decideCodeOrDeployment(codeSync, { ...run, root, deployed, deployment, ids });
  if (decision.way === 'deployment') return undefined;
  const applied = await applyPlan(application, decision.open, { built, moment: 'after-deployment' });
  const offer = await codeSync.offer(root, deployed.stack?.outputs ?? []);
  application.replace((now) =>
    afterDeployment(withDeployed(now, root, { stack: deployed.stack, offer }), deploying, built),
  );
  await releaseWebFunctions(application, deploying.context, codeSync);
  const results = [...settleBlocked(applied, 'unchanged'), ...endWebFunctions(application, built, { changed: false })];
  return {
    outcome: 'unchanged',
    results: await addRunProblems(built, results),
    toSync: [],
  };
}

/** Creates or updates the stack, then syncs what CloudFormation did not change. */
export async function updateStack(
  deploying: Deploying,
  { root, deployed }: OpenedApplication,
  { built, packaged, plan, deploy }: PreparedDeployment,
): Promise<DeployEnd> {
  const { application, context, change, run } = deploying;
  const isUpdate = plan.action === 'update' && deployed.template !== undefined;
  const differing = isUpdate ? compareTemplates(deployed.template ?? {}, packaged.template) : [];
  const touched = isUpdate ? touchedByUpdate(differing, packaged.template) : ALL_RESOURCES;
  context.reserve((id) => touched(id) || change.touched(id));
  application.replace((now) => ({ ...now, synced: new Map() }));
  run.environment.reporter.report({ type: 'stack-state', state: 'updating' });
  const codeSync = await codeSyncOf(application);
  const result = await deploy({ beforeUpdate: (update) => codeSync.beforeUpdate(root, update) });
  context.reserve(ALL_RESOURCES);
  await context.cleared();
  const ids = await currentIds(deploying, codeSync);
  let results: SyncedResource[] = [];
  // an empty selection would mean all resources
  if (ids.length === 0) {
    codeSync.forget(result.stack);
    await codeSync.requireLatest(result);
  } else {
    const planRest = () => planAfterDeployment(codeSync, result, { root, ids, deployment: { built } });
    results = await planAndApply(application, ids, { built, moment: 'after-deployment', plan: planRest });
  }
  const offer = await codeSync.offer(root, result.stack.outputs);
  application.replace((now) =>
    afterDeployment(withDeployed(now, root, { stack: result.stack, offer }), deploying, built),
  );
  await releaseWebFunctions(application, deploying.context, codeSync);
  results = [...settleBlocked(results, 'unchanged'), ...endWebFunctions(application, built, result)];
  return {
    outcome: result.changed ? 'deployed' : 'unchanged',
    results: await addRunProblems(built, results),
    toSync: [],
  };
}

/** Lists the resources that have not changed since the deployment began: the selected, and those with settings to compare. */
async function currentIds({ application, context }: Deploying, codeSync: CodeSync): Promise<ResourceIdentifier[]> {
  const { selected, settable } = requireResources(application.snapshot);
  const set = [...application.snapshot.direct.keys(), ...Object.keys(await codeSync.ahead())];
  const ids = new Set([...selected, ...set.filter((id) => settable.has(id))]);
  return [...ids].filter((id) => !context.isOutdated(id));
}

/** The deployment decided about settings that have not changed since it began. */
function afterDeployment(
  now: ApplicationSnapshot,
  { context }: Deploying,
  { handlers, sourceMaps }: BuildResult,
): ApplicationSnapshot {
  const definitionsAhead = new Map([...now.definitionsAhead].filter(([id]) => context.isOutdated(id)));
  return {
    ...withoutDirect(now, (id) => !context.isOutdated(id)),
    definitionsAhead,
    builtProperties: { handlers, sourceMaps },
  };
}

function codeSyncOf({ snapshot: { tools, prepared } }: WatchedApplication): Promise<CodeSync> {
  return tools.codeSync(prepared?.deployed.stack);
}
