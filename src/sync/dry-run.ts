import { note } from '../console/reporter.ts';
import type { CodeSync } from './code/open-code-sync.ts';
import { reportPlan } from './code/report-code-sync.ts';
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

/** `--dry-run`: reports what a plain sync would do and why, and returns it for `--output json`. */
export async function reportDryRun({ run, application, deployment, decision }: PreparedSync): Promise<object> {
  const { reporter } = run.environment;
  const { account, region } = application;
  const document = { status: 'planned', account, region };
  if (decision.way === 'code') {
    const resources = await decision.open.describe().finally(decision.open.discard);
    reportPlan(reporter, decision.open.plan);
    return { ...document, deployment: { action: 'none' }, resources };
  }
  const { action } = deployment.plan;
  const { reasons } = decision;
  const { preparations, artifacts, images, request } = await deployment.describe();
  for (const text of preparations) note(reporter, 'info', text);
  for (const { item } of artifacts) {
    note(reporter, 'info', `${item.label} would be uploaded, unless the bucket has it`);
  }
  for (const { id, uri } of images) {
    note(reporter, 'info', `The image of ${id} would be pushed to ${uri}, unless the repository has it`);
  }
  for (const reason of reasons) note(reporter, 'info', `Stack ${run.options.stackName}: ${reason}`);
  note(reporter, 'success', `Stack ${run.options.stackName} would be ${OUTCOME[action]}; nothing was changed.`);
  return {
    ...document,
    deployment: { action, reasons, requests: request === undefined ? [] : [request] },
    preparations,
    uploads: artifacts.map(({ item, bucket, key }) => ({ label: item.label, bucket, key })),
    images: images.map(({ id, uri }) => ({ id, uri })),
  };
}

const OUTCOME: Record<PreparedDeployment['plan']['action'], string> = {
  none: 'sent an update without changes',
  create: 'created',
  update: 'updated',
  recreate: 'deleted and created again',
  wait: 'updated after the operation in progress',
  stop: 'left unchanged',
};
