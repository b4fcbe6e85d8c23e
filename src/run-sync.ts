import { createAws } from './aws/aws.ts';
import type { Aws } from './aws/aws.ts';
import { failureDocument } from './failure-document.ts';
import { once } from './support/once.ts';
import type { RunSharedBuilds } from './sync/open-shared-builds.ts';
import { cleanUpUploads } from './sync/left-uploads.ts';
import { syncApplication } from './sync/plain-sync.ts';
import type { SyncOptions } from './sync/sync-options.ts';
import type { SyncEnvironment } from './sync/sync-environment.ts';
import type { SyncReport, SyncRun } from './sync/sync-run.ts';

/** Runs `sam sync` and returns its exit code. With `--output json` a failure is a document too. */
export async function runSync(options: SyncOptions, environment: SyncEnvironment): Promise<number> {
  const { reporter } = environment;
  const { stackName } = options;
  try {
    const aws = await openAws(options, environment);
    try {
      cleanUpUploads(options, aws);
      if (options.watch) {
        const { watchApplication } = await import('./watch/watch-application.ts');
        const sharedBuilds = (await openCache({ options, environment, aws }))?.builds;
        await watchApplication({ options, environment, aws, sharedBuilds });
        return 0;
      }
      const { document, exitCode } = await runWithCache({ options, environment, aws });
      reporter.report({ type: 'result', document: { stackName, ...document } });
      return exitCode;
    } finally {
      await aws.close();
    }
  } catch (error) {
    reporter.report({ type: 'result', document: { stackName, ...failureDocument(error) } });
    throw error;
  }
}

/** What was built is shared also if the deployment fails. */
async function runWithCache(run: SyncRun): Promise<SyncReport> {
  const cache = await openCache(run);
  if (cache === undefined) return runOnce(run);
  const finish = once(() => cache.finish());
  try {
    const { document, exitCode } = await runOnce({ ...run, sharedBuilds: cache.builds });
    return { document: { ...document, buildCache: await finish() }, exitCode };
  } finally {
    if (!run.environment.signal.aborted) await finish();
  }
}

async function openCache(run: SyncRun): Promise<RunSharedBuilds | undefined> {
  if (run.options.buildCache.length === 0) return undefined;
  const { openSharedBuilds } = await import('./sync/open-shared-builds.ts');
  return openSharedBuilds(run);
}

async function runOnce(run: SyncRun): Promise<SyncReport> {
  if (!run.options.code) return syncApplication(run);
  const { runCodeSync } = await import('./sync/code/run-code-sync.ts');
  return runCodeSync(run);
}

async function openAws(options: SyncOptions, environment: SyncEnvironment): Promise<Aws> {
  const { env, reporter, signal, version, askMfaCode } = environment;
  if (!options.local) {
    return createAws({ env, profile: options.profile, region: options.region, reporter, signal, version, askMfaCode });
  }
  const { endpoint, region, credentials } = await environment.openLocalCloud();
  return createAws({ env: {}, region: options.region ?? region, endpoint, credentials, reporter, signal, version });
}
