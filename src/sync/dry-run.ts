import { note } from '../console/reporter.ts';
import { describeFollowing } from './code/behind-versions.ts';
import { reportPlan } from './code/report-code-sync.ts';
import type { Prepared } from './prepare.ts';
import { planWithoutDeployment } from './built-application.ts';
import type { BuiltApplication } from './built-application.ts';
import type { SyncReport, SyncRun } from './sync-run.ts';

/** `--dry-run`: says what a plain sync would do and why. Everything is built; nothing is sent. */
export async function reportDryRun(run: SyncRun, prepared: Prepared, ready: BuiltApplication): Promise<SyncReport> {
  const { reporter } = run.environment;
  const { plan } = ready.application;
  const place = { account: prepared.account, region: prepared.region };
  const instead = await planWithoutDeployment(run, prepared, ready);
  if (instead?.kind === 'code') {
    await instead.open.discard();
    reportPlan(reporter, instead.open.plan);
    const { resources } = instead.open.plan;
    return { document: { status: 'planned', ...place, deployment: { action: 'none' }, resources }, exitCode: 0 };
  }
  const missing = await ready.application.missing();
  for (const text of missing.preparations) note(reporter, 'info', text);
  const uploads = missing.artifacts.map(({ item }) => item.label);
  for (const label of uploads) note(reporter, 'info', `${label} would be uploaded, unless the bucket has it`);
  const images = missing.images.map(({ id, uri }) => ({ id, uri }));
  for (const { id, uri } of images)
    note(reporter, 'info', `The image of ${id} would be pushed to ${uri}, unless it is there`);
  const why = [...reasons(plan), ...(instead?.behind ?? []).map(describeFollowing)];
  for (const reason of why) note(reporter, 'info', `Stack ${run.options.stackName}: ${reason}`);
  note(reporter, 'success', `Stack ${run.options.stackName} would be ${DOING[plan.action]}; nothing was changed.`);
  const deployment = { action: plan.action, reasons: why };
  return { document: { status: 'planned', ...place, deployment, uploads, images }, exitCode: 0 };
}

type Plan = BuiltApplication['application']['plan'];

const DOING: Record<Plan['action'], string> = {
  none: 'asked for an update that changes nothing',
  create: 'created',
  update: 'updated',
  recreate: 'deleted and created anew',
  wait: 'updated when the operation that is under way has ended',
  stop: 'left alone',
};

function reasons(plan: Plan): readonly string[] {
  switch (plan.action) {
    case 'create':
      return ['there is none yet'];
    case 'update':
      return plan.differences;
    case 'stop':
      return [plan.error.message];
    default:
      return [plan.reason];
  }
}
