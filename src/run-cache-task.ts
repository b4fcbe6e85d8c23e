import { createAws } from './aws/aws.ts';
import { failureDocument } from './failure-document.ts';
import type { CacheTask } from './sync/cache/cache-task.ts';
import type { SyncEnvironment } from './sync/sync-environment.ts';
import type { SyncOptions } from './sync/sync-options.ts';
import type { SyncReport, SyncRun } from './sync/sync-run.ts';

/** Runs `sam-sync cache …` and returns its exit code. With `--output json` a failure is a document too. */
export async function runCacheTask(
  task: CacheTask,
  options: SyncOptions,
  { print, ...environment }: SyncEnvironment & { /** Writes to standard output. */ print(text: string): void },
): Promise<number> {
  const { reporter } = environment;
  try {
    const aws = createAws({ ...environment, profile: options.profile, region: options.region });
    try {
      const { document, exitCode } = await perform(
        task,
        { options, environment, aws },
        options.output === 'json' ? () => {} : print,
      );
      reporter.report({ type: 'result', document });
      return exitCode;
    } finally {
      await aws.close();
    }
  } catch (error) {
    reporter.report({ type: 'result', document: failureDocument(error) });
    throw error;
  }
}

async function perform(task: CacheTask, run: SyncRun, print: (text: string) => void): Promise<SyncReport> {
  switch (task.name) {
    case 'status': {
      const { reportCacheStatus } = await import('./sync/cache/cache-status.ts');
      return reportCacheStatus(run, print);
    }
    case 'prune': {
      const { pruneCaches } = await import('./sync/cache/prune-caches.ts');
      return pruneCaches(run, task.what);
    }
    case 'fill': {
      const { fillCache } = await import('./sync/cache/fill-cache.ts');
      return fillCache(run, task.shard);
    }
  }
}
