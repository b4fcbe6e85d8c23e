import { readDeployedState } from '../../deploy/deploy-stack.ts';
import { StackFailedError } from '../../deploy/stack-failure.ts';
import { isRefusedOperation } from '../../deploy/start-operation.ts';
import { requireBucket } from '../../sync/deployment-bucket.ts';
import { InterruptedError } from '../../errors.ts';
import type { Stack } from '../../model/stack.ts';
import { retryIfStackChanged } from '../../sync/stack-changed.ts';
import { prepareDeployment } from '../../sync/deployment/prepare-deployment.ts';
import type { OpenedApplication } from '../../sync/open-application.ts';
import type { SyncRun } from '../../sync/sync-run.ts';
import { requirePrepared, requireResources, TEMPLATES_ONLY, withUndeployed } from '../application-snapshot.ts';
import type { ApplicationSnapshot, UndeployedChanges } from '../application-snapshot.ts';
import type { DeployEnd, SyncedResource } from '../loop/results.ts';
import { ALL_RESOURCES, NO_RESOURCES } from '../loop/schedule.ts';
import type { ResourceSet } from '../loop/schedule.ts';
import type { DeployContext } from '../loop/watch-tasks.ts';
import { describeAhead } from '../session-reports.ts';
import type { WatchedApplication } from '../watched-application.ts';
import { buildResources } from './build-resources.ts';
import { compareStacks } from './compare-stacks.ts';
import type { StackChange } from './compare-stacks.ts';
import { describeFailedDeployment } from './failed-deployment.ts';
import { readTemplates } from './read-templates.ts';
import { restoreSettings } from './restore-settings.ts';
import { updateStack, syncIfCodeIsEnough } from './update-stack.ts';
import type { Deploying } from './update-stack.ts';
import { takeOptions } from './take-options.ts';
import { restoreWebFunctions } from './web-functions.ts';

/**
 * Deploys what the templates and options now say: reads them and, if more changed than the location of code, builds,
 * packages and updates the stack. Then compares and syncs what CloudFormation did not change. `force`: even if nothing
 * seems to differ.
 */
export async function deployChanges(
  application: WatchedApplication,
  { force }: { force: boolean },
  context: DeployContext,
): Promise<DeployEnd> {
  let changes: UndeployedChanges = application.snapshot.undeployed;
  application.replace((now) => ({ ...now, undeployed: TEMPLATES_ONLY }));
  let touched = NO_RESOURCES;
  let causes: readonly SyncedResource[] = [];
  try {
    if (changes.options && (await takeOptions(application))) changes = { ...changes, beyondTemplates: true };
    const root = await readTemplates(application);
    const { selected } = requireResources(application.snapshot);
    const change = compareStacks(application.snapshot.deployedRoot, root, selected);
    touched = change.touched;
    const isNeeded = force || changes.beyondTemplates || changes.values || !(change.isEmpty || change.isCodeOnly);
    if (!isNeeded) return leaveStack(application, root, { context, toSync: [...change.relocated] });
    if (application.snapshot.run.options.code && !force) return skipDeployment(application, root, change);
    context.reserve(change.touched);
    const run = deploymentRun(application, context, force);
    const end = await retryIfStackChanged(run.environment.reporter, () =>
      deployOnce({ application, context, change, run }, root),
    );
    return end.outcome === 'failed' ? end : { ...end, asDeployed: asDeployed(application.snapshot) };
  } catch (error) {
    const isAborted = context.signal.aborted;
    // for the next deployment, with the changes that came meanwhile
    const left = isAborted ? changes : { ...changes, beyondTemplates: true };
    application.replace((now) => withUndeployed(now, left));
    if (error instanceof InterruptedError && error !== context.signal.reason) {
      const leftDeployment = [error.message, error.hint].filter(Boolean).join('. ');
      application.replace((now) => ({ ...now, leftDeployment }));
    }
    if (isAborted) throw error;
    if (error instanceof StackFailedError || isRefusedOperation(error))
      causes = [...(await restoreSettings(application, context)), ...(await restoreWebFunctions(application, context))];
    else noteBehind(application);
    const end = describeFailedDeployment(application.snapshot, error, touched);
    return { ...end, causes: [...end.causes, ...causes] };
  }
}

/** The stack may still get there: what was set directly stays. */
function noteBehind({ snapshot, notes }: WatchedApplication): void {
  const behind = describeAhead(snapshot);
  if (behind !== undefined) notes.report('info', behind);
}

/** The templates mean what the stack has; code syncs do the rest. */
function leaveStack(
  application: WatchedApplication,
  root: Stack,
  { context, toSync }: { context: DeployContext; toSync: string[] },
): DeployEnd {
  context.reserve(NO_RESOURCES);
  application.replace((now) => ({ ...now, deployedRoot: root }));
  return { outcome: 'unchanged', results: [], toSync, asDeployed: asDeployed(application.snapshot) };
}

/** Recognizes resources without code of which nothing is set directly or left to set: they have what the stack has. */
function asDeployed({ resources, ahead, definitionsAhead, direct }: ApplicationSnapshot): ResourceSet {
  return (id) =>
    resources?.settable.has(id) === true &&
    !resources.selected.has(id) &&
    !Object.hasOwn(ahead, id) &&
    !definitionsAhead.has(id) &&
    !direct.has(id);
}

/** With `--code` the stack stays as it is. */
function skipDeployment(application: WatchedApplication, root: Stack, change: StackChange): DeployEnd {
  const { deployedRoot, run } = application.snapshot;
  if (!change.isCodeOnly && deployedRoot !== undefined) {
    const text = 'The templates changed in what only a deployment updates: press d, or sync without --code.';
    run.environment.reporter.report({ type: 'note', level: 'warning', text });
  }
  application.replace((now) => ({ ...now, deployedRoot: root }));
  return { outcome: 'unchanged', results: [], toSync: [...requireResources(application.snapshot).selected] };
}

/** The options and the environment of one deployment: it can be aborted alone, and it asks no questions. */
function deploymentRun({ snapshot, notes }: WatchedApplication, { signal }: DeployContext, force: boolean): SyncRun {
  const { options } = snapshot.run;
  const { environment, ...run } = notes.quiet(snapshot.run);
  return {
    ...run,
    environment: { ...environment, signal, confirm: async () => false },
    options: { ...options, skipDeploySync: options.skipDeploySync && !force },
  };
}

async function deployOnce(deploying: Deploying, root: Stack): Promise<DeployEnd> {
  const { application, run, context } = deploying;
  const prepared = await prepareAgain(deploying, root);
  const packaged = await prepareDeployment(run, prepared, {
    build: (plan, onBuilt) => buildResources(application, plan, { signal: context.signal, onBuilt }),
    layout: application.snapshot.tools.layout(),
  });
  try {
    // a sync that runs now would be compared with what was built before it
    context.reserve(ALL_RESOURCES);
    await context.cleared();
    context.signal.throwIfAborted();
    context.committed();
    return (
      (await syncIfCodeIsEnough(deploying, prepared, packaged)) ?? (await updateStack(deploying, prepared, packaged))
    );
  } finally {
    await packaged.close();
  }
}

/** Reads the stack as it is now: others may have changed it. */
async function prepareAgain({ application, run }: Deploying, root: Stack): Promise<OpenedApplication> {
  const { aws, options } = run;
  const { fresh } = application.snapshot;
  application.replace((now) => ({ ...now, fresh: { ...now.fresh, deployed: undefined } }));
  const deployed = fresh.deployed ?? (await readDeployedState(aws, options.stackName));
  const before = requirePrepared(application.snapshot);
  // without the stack, the managed bucket may be gone too
  const known = deployed.stack === undefined ? '' : before.bucket;
  const bucket = options.s3Bucket || known || (await requireBucket(run));
  const prepared = { ...before, root, deployed, bucket };
  application.replace((now) => ({ ...now, prepared }));
  return prepared;
}
