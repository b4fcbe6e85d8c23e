import { compareTemplates } from '../../deploy/compare-templates.ts';
import { readDeployedState } from '../../deploy/deploy-stack.ts';
import { StackFailedError } from '../../deploy/stack-failure.ts';
import type { StackOutput } from '../../console/reporter.ts';
import { BuildError } from '../../errors.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { ensureManagedBucket } from '../../deploy/managed-bucket.ts';
import { compareDeployed } from '../../sync/compare-deployed.ts';
import {
  lookAgainIfChanged,
  planAfterDeployment,
  planInsteadOfDeployment,
} from '../../sync/decide-code-or-deployment.ts';
import { packageApplication } from '../../sync/package-application.ts';
import type { PackagedApplication } from '../../sync/package-application.ts';
import type { Prepared } from '../../sync/prepare.ts';
import type { SyncRun } from '../../sync/sync-run.ts';
import { asUserError } from '../../system-errors.ts';
import type { Application } from '../application.ts';
import { compareStacks } from './compare-stacks.ts';
import type { StackChange } from './compare-stacks.ts';
import { explainFailure, failedBuilds } from './watch-failures.ts';
import type { ResourceSet } from '../loop/schedule.ts';
import { applyPlan, bring, withoutDeployment } from './sync-task.ts';
import { neededBy, touchedByUpdate } from './touched.ts';
import type { DeployEnd, DeployContext } from '../loop/watch-tasks.ts';

/** Why a deployment is wanted, and who is told how it goes. */
export interface DeployOrder {
  /** Even if nothing seems to differ. */
  force: boolean;
  /** Nothing but templates changed since they were deployed last: if they mean the same, there is nothing to do. */
  onlyTemplates: boolean;
  /** CloudFormation is about to be asked for it. */
  onUpdate(): void;
  onOutputs(outputs: readonly StackOutput[]): void;
}

/** One deployment under way. */
interface Deploying {
  application: Application;
  order: DeployOrder;
  task: DeployContext;
  /** The options and the outside of this deployment: it can be given up alone, and nobody is asked anything. */
  run: SyncRun;
  change: StackChange;
}

const EVERYTHING: ResourceSet = () => true;
const NOTHING: ResourceSet = () => false;

/**
 * Brings what the templates and options now say: reads them, and if that changes more than the place of code, builds,
 * packages, and lets CloudFormation do what code syncs cannot. What CloudFormation did not bring is compared and synced
 * after it.
 */
export async function deployChanges(
  application: Application,
  task: DeployContext,
  order: DeployOrder,
): Promise<DeployEnd> {
  let touched = NOTHING;
  try {
    const root = await application.readTemplates();
    const { selected } = application.requireResources();
    const change = compareStacks(application.deployedRoot, root, selected);
    touched = change.touched;
    if (order.onlyTemplates && !order.force && (change.isEmpty || change.isCodeOnly)) {
      task.reserve(NOTHING);
      application.deployedRoot = root;
      return { outcome: 'unchanged', results: [], toSync: [...change.relocated] };
    }
    const { options } = application.run;
    if (options.code && !order.force) return leaveDeployment(application, root, change);
    task.reserve(change.touched);
    const environment = {
      ...application.quietRun().environment,
      signal: task.signal,
      // nobody is asked while the watch goes on
      confirm: async () => false,
    };
    const run: SyncRun = {
      ...application.run,
      environment,
      options: { ...options, skipDeploySync: options.skipDeploySync && !order.force },
    };
    return await deployNow({ application, order, task, change, run }, root);
  } catch (error) {
    if (task.signal.aborted) throw error;
    return describeFailed(application, error, touched);
  }
}

/** With `--code` the stack is left as it is. */
function leaveDeployment(application: Application, root: Stack, change: StackChange): DeployEnd {
  const isFirst = application.deployedRoot === undefined;
  if (!change.isCodeOnly && !isFirst) {
    const text = 'The templates changed in what only a deployment brings: press d, or sync without --code.';
    application.run.environment.reporter.report({ type: 'note', level: 'warning', text });
  }
  application.deployedRoot = root;
  return { outcome: 'unchanged', results: [], toSync: [...application.requireResources().selected] };
}

function deployNow(deploying: Deploying, root: Stack): Promise<DeployEnd> {
  return lookAgainIfChanged(deploying.run.environment.reporter, () => deployOnce(deploying, root));
}

async function deployOnce(deploying: Deploying, root: Stack): Promise<DeployEnd> {
  const { application, run, task } = deploying;
  const prepared = await prepareAgain(deploying, root);
  const packaged = await packageApplication(run, prepared, {
    build: (plan, onBuilt) => application.build(plan, task.signal, onBuilt),
    layout: application.layout(),
  });
  try {
    // what other syncs change now would be compared with what was built before
    task.reserve(EVERYTHING);
    await task.cleared();
    task.signal.throwIfAborted();
    task.committed();
    const instead = await syncInstead(deploying, prepared, packaged);
    if (instead !== undefined) return instead;
    return await deployStackNow(deploying, prepared, packaged);
  } finally {
    await packaged.close();
  }
}

/** The stack as it is now: somebody else may have changed it since. */
async function prepareAgain({ application, run }: Deploying, root: Stack): Promise<Prepared> {
  const { aws, environment, options } = run;
  const before = application.requirePrepared();
  const deployed = application.takeDeployedState() ?? (await readDeployedState(aws, options.stackName));
  const bucket = options.s3Bucket || before.bucket || (await ensureManagedBucket(aws, environment));
  application.prepared = { ...before, root, deployed, bucket };
  return application.prepared;
}

/** Syncs code instead of deploying, if that does the same. */
async function syncInstead(
  deploying: Deploying,
  { root, deployed }: Prepared,
  { built, packaged, hasSettings, plan }: PackagedApplication,
): Promise<DeployEnd | undefined> {
  const { application, order, run } = deploying;
  const isPossible = plan.action === 'none' || plan.action === 'update';
  if (!isPossible || !hasSettings || !run.options.skipDeploySync) return undefined;
  const codeSync = await application.codeSync();
  const ids = currentIds(deploying);
  if (ids.length === 0) {
    const comparison = await compareDeployed(root, packaged, {
      template: deployed.template,
      readNested: (path) => codeSync.readNestedTemplate(path),
    });
    if (comparison.kind === 'differs') return undefined;
    application.noteDeployed(root, deployed.stack);
    return { outcome: 'unchanged', results: [], toSync: [] };
  }
  const instead = await planInsteadOfDeployment(codeSync, {
    root,
    built,
    packaged,
    deployed,
    selection: { ids, types: [] },
  });
  if (instead.kind === 'deploy') return undefined;
  const results = await applyPlan(application, instead.open, built);
  application.noteDeployed(root, deployed.stack);
  order.onOutputs(deployed.stack?.outputs ?? []);
  const told = results.map((one) => withoutDeployment(one, 'unchanged'));
  return { outcome: 'unchanged', results: told, toSync: [] };
}

async function deployStackNow(
  deploying: Deploying,
  { root, deployed }: Prepared,
  { built, packaged, plan, deploy }: PackagedApplication,
): Promise<DeployEnd> {
  const { application, order, task, change } = deploying;
  const isUpdate = plan.action === 'update' && deployed.template !== undefined;
  const differing = isUpdate ? compareTemplates(deployed.template ?? {}, packaged.template) : [];
  const touched = isUpdate ? touchedByUpdate(differing, packaged.template) : EVERYTHING;
  task.reserve((id) => touched(id) || change.touched(id));
  application.brought.clear();
  order.onUpdate();
  const codeSync = await application.codeSync();
  const result = await deploy({ goneLayers: () => codeSync.goneLayers(root) });
  task.reserve(EVERYTHING);
  await task.cleared();
  const ids = currentIds(deploying);
  // an empty selection would mean everything
  if (ids.length === 0) {
    codeSync.forget(result.stack);
    await codeSync.requireLatest(result);
  }
  const results =
    ids.length === 0
      ? []
      : await bring(application, ids, async () => ({
          open: await planAfterDeployment(codeSync, result, { root, built, selection: { ids, types: [] } }),
          built,
        }));
  application.noteDeployed(root, result.stack);
  order.onOutputs(result.stack.outputs);
  const told = results.map((one) => withoutDeployment(one, 'unchanged'));
  return { outcome: result.changed ? 'deployed' : 'unchanged', results: told, toSync: [] };
}

/** What has not changed since the deployment began. */
function currentIds({ application, task }: Deploying): ResourceIdentifier[] {
  return [...application.requireResources().selected].filter((id) => !task.isOutdated(id));
}

function describeFailed(application: Application, error: unknown, touched: ResourceSet): DeployEnd {
  if (error instanceof BuildError) {
    const culprits = failedBuilds(error.failures);
    const ids = new Set(culprits.map(({ id }) => id));
    const failure = { message: `Not deployed, because ${[...ids].join(', ')} could not be built` };
    // the others need not wait for it
    const toSync = [...application.requireResources().selected].filter((id) => !ids.has(id));
    return { outcome: 'failed', failure, culprits, toSync, effects: (id) => ids.has(id) };
  }
  const failure = explainFailure(error);
  if (error instanceof StackFailedError) {
    const { root } = application.requireResources();
    const [name = ''] = error.failure?.id.split('/') ?? [];
    const needed = neededBy([name], root.source);
    const effects: ResourceSet = (id) => touched(id) || needed.has(id.split('/', 1)[0] ?? '');
    return { outcome: 'failed', failure, culprits: [], toSync: [], effects };
  }
  // templates and options are looked at anyway; what AWS refuses, code does not mend
  const isKnown = asUserError(error) !== undefined;
  return { outcome: 'failed', failure, culprits: [], toSync: [], effects: isKnown ? NOTHING : EVERYTHING };
}
