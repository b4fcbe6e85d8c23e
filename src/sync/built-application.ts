import type { CodeSync } from './code/open-code-sync.ts';
import { planInsteadOfDeployment } from './decide-code-or-deployment.ts';
import type { InsteadOfDeployment } from './decide-code-or-deployment.ts';
import type { PackagedApplication } from './package-application.ts';
import type { Prepared } from './prepare.ts';
import type { SyncRun } from './sync-run.ts';

/** What a plain sync has in hand once everything is built. */
export interface BuiltApplication {
  application: PackagedApplication;
  codeSync: CodeSync;
}

/** Whether the services' APIs are enough; undefined: the stack's settings, its state or the user ask for a deployment. */
export async function planWithoutDeployment(
  { options }: SyncRun,
  { root, deployed }: Prepared,
  { application, codeSync }: BuiltApplication,
): Promise<InsteadOfDeployment | undefined> {
  const { built, packaged, hasSettings } = application;
  if (deployed.stack === undefined || !options.skipDeploySync || !hasSettings) return undefined;
  return planInsteadOfDeployment(codeSync, { root, built, packaged, deployed });
}
