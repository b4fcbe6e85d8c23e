import { note } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { describeDirect } from './configuration/describe-direct.ts';
import type { DirectPart } from './configuration/describe-direct.ts';
import { listDirectValues } from './configuration/list-direct-values.ts';
import { reportPlan } from './code/report-code-sync.ts';
import type { PreparedDeployment } from './deployment/prepare-deployment.ts';
import type { PreparedSync } from './prepared-sync.ts';

/** `--dry-run`: reports what a plain sync would do and why, and returns it for `--output json`. */
export async function reportDryRun(prepared: PreparedSync): Promise<object> {
  const { run, application, deployment, decision } = prepared;
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
  const direct = await describeDirect(prepared);
  if (direct !== undefined) reportDirect(reporter, direct);
  for (const reason of reasons) note(reporter, 'info', `Stack ${run.options.stackName}: ${reason}`);
  note(reporter, 'success', `Stack ${run.options.stackName} would be ${OUTCOME[action]}; nothing was changed.`);
  return {
    ...document,
    ...(direct === undefined ? {} : { direct }),
    deployment: { action, reasons, requests: request === undefined ? [] : [request] },
    preparations,
    uploads: artifacts.map(({ item, bucket, key }) => ({ label: item.label, bucket, key })),
    images: images.map(({ id, uri }) => ({ id, uri })),
  };
}

function reportDirect(reporter: Reporter, { resources }: DirectPart): void {
  for (const { id, action, changes, requests, waiting = [], why } of resources) {
    if (action === 'fail') note(reporter, 'info', `${id}: only the deployment can set its settings`, why);
    const values = listDirectValues({ changes, requests });
    if (changes.length > 0)
      note(reporter, 'info', `${id}: --watch would set directly, before the deployment: ${values.join(', ')}`);
    for (const reason of waiting) note(reporter, 'info', `${id}: only the deployment can set ${reason}`);
  }
}

const OUTCOME: Record<PreparedDeployment['plan']['action'], string> = {
  none: 'sent an update without changes',
  create: 'created',
  update: 'updated',
  recreate: 'deleted and created again',
  wait: 'updated after the operation in progress',
  stop: 'left unchanged',
};
