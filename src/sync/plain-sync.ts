import { formatBytes, formatDuration } from '../console/format.ts';
import { note } from '../console/reporter.ts';
import type { DeployedStack } from '../deploy/describe-stack.ts';
import { describeFollowing } from './code/behind-versions.ts';
import type { CodeSyncOutcome } from './code/code-sync-plan.ts';
import { openCodeSync } from './code/open-code-sync.ts';
import { lookAgainIfChanged, planAfterDeployment } from './decide-code-or-deployment.ts';
import { documentOf, reportOutcome } from './code/report-code-sync.ts';
import { packageApplication } from './package-application.ts';
import type { PackagedApplication } from './package-application.ts';
import { reportRunProblems } from './run-problems.ts';
import { reportDryRun } from './dry-run.ts';
import { ManagedBucketMovedError, prepare } from './prepare.ts';
import type { Prepared, PrepareOptions } from './prepare.ts';
import { planWithoutDeployment } from './built-application.ts';
import type { BuiltApplication } from './built-application.ts';
import type { SyncReport, SyncRun } from './sync-run.ts';

/**
 * Plain sync: builds and packages the whole application, then brings it to the cloud, by CloudFormation where templates or
 * settings differ, else by the services' own APIs. What a deployment leaves out, because CloudFormation compares with its
 * own last one, is brought after it.
 */
export async function syncApplication(run: SyncRun): Promise<SyncReport> {
  const sync = (how: PrepareOptions): Promise<SyncReport> =>
    lookAgainIfChanged(run.environment.reporter, () => syncOnce(run, how));
  try {
    return await sync({});
  } catch (error) {
    if (!(error instanceof ManagedBucketMovedError)) throw error;
    return sync({ askForBucket: true });
  }
}

async function syncOnce(run: SyncRun, how: PrepareOptions): Promise<SyncReport> {
  const started = performance.now();
  const prepared = await prepare(run, how);
  if (prepared === undefined) {
    note(run.environment.reporter, 'info', 'Nothing was done.');
    return { document: { status: 'cancelled' }, exitCode: 0 };
  }
  const codeSync = await openCodeSync({ ...run, described: prepared.deployed.stack });
  // it only saves time; what goes wrong is told when it is asked for
  const lookingAhead = prepared.deployed.stack && codeSync.lookAhead(prepared.root).catch(() => {});
  const application = await packageApplication(run, prepared);
  try {
    // said as soon as it is known; nothing waits for it before the end
    const warning = reportRunProblems(run.environment.reporter, application.built.runProblems);
    await lookingAhead;
    const ready = { application, codeSync };
    const { document, exitCode } = run.options.dryRun
      ? await reportDryRun(run, prepared, ready)
      : await bringAndReport(run, prepared, { ...ready, started, warning });
    return { document: { ...document, ...(await warning) }, exitCode };
  } finally {
    await application.close();
  }
}

async function bringAndReport(
  run: SyncRun,
  prepared: Prepared,
  { started, warning, ...ready }: BuiltApplication & { started: number; warning: Promise<unknown> },
): Promise<SyncReport> {
  const brought = await bring(run, prepared, ready);
  await warning;
  return report(run, prepared, { ...brought, sent: ready.application.sent, ms: performance.now() - started });
}

interface Brought {
  stack: DeployedStack;
  deployed: boolean;
  code: CodeSyncOutcome;
}

async function bring(run: SyncRun, prepared: Prepared, ready: BuiltApplication): Promise<Brought> {
  const { application, codeSync } = ready;
  const { stack } = prepared.deployed;
  const instead = await planWithoutDeployment(run, prepared, ready);
  if (stack !== undefined && instead?.kind === 'code') {
    const code = await instead.open.apply();
    return { stack, deployed: false, code };
  }
  for (const values of instead?.kind === 'deploy' ? instead.behind : []) {
    note(run.environment.reporter, 'info', `Deploying, because ${describeFollowing(values)}`);
  }
  const goneLayers = () => codeSync.goneLayers(prepared.root);
  const deployed = await application.deploy({ goneLayers });
  const open = await planAfterDeployment(codeSync, deployed, { root: prepared.root, built: application.built });
  const code = await open.apply();
  return { stack: deployed.stack, deployed: deployed.changed, code };
}

function report(
  run: SyncRun,
  { account, region }: Prepared,
  { stack, deployed, code, sent, ms }: Brought & Pick<PackagedApplication, 'sent'> & { ms: number },
): SyncReport {
  const { stackName } = run.options;
  const { outputs } = stack;
  const { reporter } = run.environment;
  reporter.report({ type: 'outputs', stackName, outputs: [...outputs] });
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
      outputs: Object.fromEntries(outputs.map(({ key, value }) => [key, value])),
      uploaded: sent,
      durationMs: Math.round(ms),
    },
    exitCode: code.failed ? 1 : 0,
  };
}
