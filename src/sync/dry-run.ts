import { note } from '../console/reporter.ts';
import type { CodeSync } from './code/open-code-sync.ts';
import { reportPlan } from './code/report-code-sync.ts';
import type { CodeOrDeployment } from './decide-code-or-deployment.ts';
import type { OpenedApplication } from './open-application.ts';
import type { PreparedDeployment } from './prepare-deployment.ts';
import type { SyncRun } from './sync-run.ts';

/** A plain sync that is planned: everything is built, and nothing in the cloud is changed. */
export interface PreparedSync {
  run: SyncRun;
  application: OpenedApplication;
  codeSync: CodeSync;
  deployment: PreparedDeployment;
  decision: CodeOrDeployment;
}

/** `--dry-run`: reports what a plain sync would do and why, and returns it for `--output json`. */
export async function reportDryRun({ run, application, deployment, decision }: PreparedSync): Promise<object> {
  const { reporter } = run.environment;
  const { plan } = deployment;
  const place = { account: application.account, region: application.region };
  if (decision.way === 'code') {
    const resources = await decision.open.describe().finally(decision.open.discard);
    reportPlan(reporter, decision.open.plan);
    return { status: 'planned', ...place, deployment: { action: 'none' }, resources };
  }
  const missing = await deployment.missing();
  for (const text of missing.preparations) note(reporter, 'info', text);
  const uploads = missing.artifacts.map(({ item }) => item.label);
  for (const label of uploads) note(reporter, 'info', `${label} would be uploaded, unless the bucket has it`);
  const images = missing.images.map(({ id, uri }) => ({ id, uri }));
  for (const { id, uri } of images)
    note(reporter, 'info', `The image of ${id} would be pushed to ${uri}, unless it is there`);
  const { reasons } = decision;
  for (const reason of reasons) note(reporter, 'info', `Stack ${run.options.stackName}: ${reason}`);
  note(reporter, 'success', `Stack ${run.options.stackName} would be ${DOING[plan.action]}; nothing was changed.`);
  return { status: 'planned', ...place, deployment: { action: plan.action, reasons }, uploads, images };
}

const DOING: Record<PreparedDeployment['plan']['action'], string> = {
  none: 'asked for an update that changes nothing',
  create: 'created',
  update: 'updated',
  recreate: 'deleted and created again',
  wait: 'updated when the operation that is under way has ended',
  stop: 'left alone',
};
