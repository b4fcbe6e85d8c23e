import { createAws } from '../aws/aws.ts';
import type { Aws } from '../aws/aws.ts';
import { failureDocument, UserError } from '../errors.ts';
import { syncInfrastructure } from './infra-sync.ts';
import type { SyncOptions } from './sync-options.ts';
import type { SyncOutside } from './sync-outside.ts';
import type { SyncRun } from './sync-run.ts';

/** Runs `sam sync`; the result is the exit code. With `--output json` a failure is a document too. */
export async function runSync(options: SyncOptions, outside: SyncOutside): Promise<number> {
  const { reporter } = outside;
  const { stackName } = options;
  try {
    const aws = await openAws(options, outside);
    try {
      const document = await runMode({ options, outside, aws });
      reporter.report({ type: 'result', document: { stackName, ...document } });
      return 0;
    } finally {
      aws.close();
    }
  } catch (error) {
    reporter.report({ type: 'result', document: { stackName, ...failureDocument(error) } });
    throw error;
  }
}

async function runMode(run: SyncRun): Promise<object> {
  const { code, watch } = run.options;
  if (code || watch) {
    throw new UserError(`${watch ? '--watch' : '--code'} is not part of this version yet`, {
      hint: 'Run it without the option: the whole application is synced, and what did not change is not touched.',
    });
  }
  return syncInfrastructure(run);
}

async function openAws(options: SyncOptions, outside: SyncOutside): Promise<Aws> {
  const { env, reporter, signal, version, askMfaCode } = outside;
  if (!options.local) {
    return createAws({ env, profile: options.profile, region: options.region, reporter, signal, version, askMfaCode });
  }
  const { endpoint, region, credentials } = await outside.openLocalCloud();
  return createAws({ env: {}, region: options.region ?? region, endpoint, credentials, reporter, signal, version });
}
