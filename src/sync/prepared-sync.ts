import type { CodeSync } from './code/open-code-sync.ts';
import type { CodeOrDeployment } from './decide-code-or-deployment.ts';
import type { PreparedDeployment } from './deployment/prepare-deployment.ts';
import type { OpenedApplication } from './open-application.ts';
import type { SyncRun } from './sync-run.ts';

/** A plain sync that is planned: everything is built, and nothing in the cloud is changed. */
export interface PreparedSync {
  run: SyncRun;
  application: OpenedApplication;
  codeSync: CodeSync;
  deployment: PreparedDeployment;
  decision: CodeOrDeployment;
}
