import { formatBytes, formatDuration } from '../console/format.ts';
import { note } from '../console/reporter.ts';
import { offerDocument } from '../console/offer.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { describeFollowing } from './code/behind-versions.ts';
import type { CodeSyncOutcome } from './code/code-sync-plan.ts';
import { openCodeSync } from './code/open-code-sync.ts';
import { decideCodeOrDeployment, planAfterDeployment } from './decide-code-or-deployment.ts';
import { documentOf, reportOutcome } from './code/report-code-sync.ts';
import { prepareDeployment } from './deployment/prepare-deployment.ts';
import { pathsWithOwnKey } from '../package/package-templates.ts';
import { reportRunProblems } from './run-problems.ts';
import { reportDryRun } from './dry-run.ts';
import type { PreparedSync } from './prepared-sync.ts';
import { ManagedBucketMovedError } from './deployment-bucket.ts';
import type { StackOffer } from './endpoints.ts';
import { openApplication } from './open-application.ts';
import type { OpenOptions } from './open-application.ts';
import { retryIfStackChanged } from './stack-changed.ts';
import type { SyncReport, SyncRun } from './sync-run.ts';

/**
 * Plain sync: builds and packages the whole application, then deploys it where templates or settings differ, else syncs its
 * code through the services' own APIs. A code sync also follows each update, because CloudFormation compares with its own
 * last deployment and leaves out what later code syncs changed.
 */
export async function syncApplication(run: SyncRun): Promise<SyncReport> {
  const sync = (how: OpenOptions): Promise<SyncReport> =>
    retryIfStackChanged(run.environment.reporter, () => syncOnce(run, how));
  try {
    return await sync({});
  } catch (error) {
    if (!(error instanceof ManagedBucketMovedError)) throw error;
    return sync({ askForBucket: true });
  }
}

async function syncOnce(run: SyncRun, how: OpenOptions): Promise<SyncReport> {
  const started = performance.now();
  run.aws.prepare('cloudFormation', 'lambda');
  const application = await openApplication(run, how);
  if (application === undefined) {
    note(run.environment.reporter, 'info', 'Nothing was done.');
    return { document: { status: 'cancelled' }, exitCode: 0 };
  }
  const codeSync = await openCodeSync({ ...run, described: application.deployed.stack });
  // it only saves time: a failure is reported by the call that needs the answer
  const readingAhead = application.deployed.stack && codeSync.readAhead(application.root).catch(() => {});
  const deployment = await prepareDeployment(run, application);
  try {
    // reported as soon as the checks end; only the end of the sync waits for them
    const problems = reportRunProblems(run.environment.reporter, deployment.built.runProblems);
    await readingAhead;
    const decision = await decideCodeOrDeployment(codeSync, { ...run, ...application, deployment });
    const prepared: PreparedSync = { run, application, codeSync, deployment, decision };
    if (run.options.dryRun) {
      const document = await reportDryRun(prepared);
      return { document: { ...document, ...(await problems) }, exitCode: 0 };
    }
    const applied = await apply(prepared);
    const cannotRun = await problems;
    const offer = await codeSync.offer(application.root, applied.stack.outputs);
    const { document, exitCode } = report(prepared, { ...applied, offer, ms: performance.now() - started });
    return { document: { ...document, ...cannotRun }, exitCode };
  } finally {
    await deployment.close();
  }
}

interface AppliedSync {
  stack: DeployedStack;
  /** CloudFormation created or updated it. */
  deployed: boolean;
  code: CodeSyncOutcome;
}

async function apply({ run, application, codeSync, deployment, decision }: PreparedSync): Promise<AppliedSync> {
  const { root, deployed } = application;
  const { reporter } = run.environment;
  const release = async (): Promise<void> => {
    const restored = await codeSync.revisions.release();
    if (restored.length > 0) note(reporter, 'info', `The deployed code is live again: ${restored.join(', ')}`);
  };
  if (deployed.stack !== undefined && decision.way === 'code') {
    const code = await decision.open.apply();
    await release();
    return { stack: deployed.stack, deployed: false, code };
  }
  for (const values of decision.way === 'deployment' ? decision.behind : []) {
    note(reporter, 'info', `Deploying, because ${describeFollowing(values)}`);
  }
  const result = await deployment.deploy({ beforeUpdate: (update) => codeSync.beforeUpdate(root, update) });
  const createdFrom = deployed.stack === undefined && result.changed ? pathsWithOwnKey(deployment.packaged) : undefined;
  const open = await planAfterDeployment(codeSync, result, { root, deployment, createdFrom });
  const code = await open.apply();
  await release();
  return { stack: result.stack, deployed: result.changed, code };
}

function report(
  { run, application: { account, region }, deployment: { sent } }: PreparedSync,
  { stack, deployed, code, offer, ms }: AppliedSync & { offer: StackOffer; ms: number },
): SyncReport {
  const { stackName } = run.options;
  const { reporter } = run.environment;
  reporter.report({ type: 'outputs', stackName, ...offer });
  const synced = code.results.some(({ outcome }) => outcome === 'synced');
  if (synced || code.failed) reportOutcome(reporter, code, { duration: formatDuration(ms), isWhole: true });
  const size = sent.objects === 0 ? '' : `, ${formatBytes(sent.bytes)} uploaded`;
  const what = deployed || synced ? `Stack ${stackName} is in sync` : `Stack ${stackName} is up to date`;
  if (!code.failed) note(reporter, 'success', `${what} (${formatDuration(ms)}${size}).`);
  return {
    document: {
      ...documentOf(code),
      status: code.failed ? 'failed' : deployed ? 'deployed' : synced ? 'synced' : 'unchanged',
      stackId: stack.id,
      stackStatus: stack.status,
      account,
      region,
      ...offerDocument(offer),
      uploaded: sent,
      durationMs: Math.round(ms),
    },
    exitCode: code.failed ? 1 : 0,
  };
}
