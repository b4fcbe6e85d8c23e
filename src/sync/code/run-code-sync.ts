import { formatDuration } from '../../console/format.ts';
import { note } from '../../console/reporter.ts';
import { describeStack } from '../../deploy/describe-stack.ts';
import type { DeployedStack } from '../../deploy/describe-stack.ts';
import { stackCondition } from '../../deploy/stack-status.ts';
import type { Stack } from '../../model/stack.ts';
import type { SyncReport, SyncRun } from '../sync-run.ts';
import { noSuchStack } from '../../cloud/stack-resources.ts';
import { reportRunProblems } from '../run-problems.ts';
import { locateAhead } from './ahead/locate-ahead.ts';
import type { LocatedAhead } from './ahead/locate-ahead.ts';
import { openCodeSync } from './open-code-sync.ts';
import { readTemplatesAsDeployed } from '../read-templates.ts';
import { dependsOnParameters } from '../stack-parameters.ts';
import { documentOf, reportOutcome, reportPlan, reportSynced } from './report-code-sync.ts';
import { placeOf } from '../../cloud/resource-attributes.ts';
import { openTrust } from './ahead/trusted-function.ts';
import { selectResources } from './select-resources.ts';
import type { Selection } from './select-resources.ts';
import type { SyncResource } from './sync-resource.ts';
import { openStackMemory } from '../open-stores.ts';
import { placeGivenImages } from '../place-images.ts';
import { describeLeftOut } from './left-out.ts';

/** Runs `sam sync --code`: reads the templates, locates the stack, asks whether it is for development, plans and applies. */
export async function runCodeSync(command: SyncRun): Promise<SyncReport> {
  const { options, environment } = command;
  const started = performance.now();
  command.aws.prepare('cloudFormation', 'lambda');
  const selection: Selection = { ids: options.resourceIds, types: options.resourceTypes };
  const trusting = openTrust(command);
  const ahead = await locateAhead(command);
  const { root, described } = await openForCodeSync(command, selection, ahead);
  const leftOut = selection.ids.length + selection.types.length === 0 ? describeLeftOut(root) : undefined;
  if (leftOut !== undefined) note(environment.reporter, 'info', leftOut, 'Sync without --code to deploy them.');
  const codeSync = await openCodeSync({ ...command, described, ahead });
  let place = described === undefined ? undefined : placeOf(described.id);
  const open = await codeSync.plan({
    root,
    selection,
    trust: await trusting,
    // where it was not found before, nothing is built for a stack that may not have it
    buildsAtOnce:
      ahead?.isGuessed === true &&
      (options.dryRun || (await environment.isKnownDevelopmentStack({ region: await command.aws.region() }))),
    onLocated: async (stackId) => {
      place = placeOf(stackId);
      placeGivenImages(command, root, place);
      return options.dryRun || environment.confirmDevelopmentStack(place);
    },
  });
  if (described === undefined && ahead?.isDescribing === true) {
    const settled = describeSettled(command, ahead);
    settled.catch(() => open?.discard());
    place ??= placeOf((await settled).id);
  }
  if (open === undefined) {
    note(environment.reporter, 'info', 'Nothing was done.');
    return { document: { status: 'cancelled' }, exitCode: 0 };
  }
  const about = { account: place?.account, region: place?.region };
  const warning = reportRunProblems(environment.reporter, open.runProblems());
  if (options.dryRun) {
    const resources = await open.describe().finally(open.discard);
    reportPlan(environment.reporter, open.plan);
    const document = { status: 'planned', ...about, resources, ...(await warning) };
    return { document, exitCode: 0 };
  }
  const outcome = await open.apply();
  if (selection.ids.length > 0)
    for (const result of outcome.results)
      if (result.outcome === 'unchanged') reportSynced(environment.reporter, result);
  const warnings = await warning;
  const ms = performance.now() - started;
  reportOutcome(environment.reporter, outcome, { duration: formatDuration(ms), isWhole: false });
  return {
    document: { ...documentOf(outcome), ...about, ...warnings, durationMs: Math.round(ms) },
    exitCode: outcome.failed ? 1 : 0,
  };
}

/** Reads the templates, and describes the stack first where its parameters or its last update matter. */
async function openForCodeSync(
  run: SyncRun,
  selection: Selection,
  ahead: LocatedAhead | undefined,
): Promise<{ root: Stack; described: DeployedStack | undefined }> {
  const region = await run.aws.region();
  let described: DeployedStack | undefined;
  const root = await readTemplatesAsDeployed(run, {
    region,
    stack: async (written) => {
      const { resources } = selectResources(written, selection);
      if (await isDescriptionNeeded(run, resources, { root: written, ahead }))
        described = await describeSettled(run, ahead);
      return described;
    },
  });
  return { root, described };
}

/** Whether the stack's parameters matter, or its last update: it tells whether remembered listings still hold. */
async function isDescriptionNeeded(
  run: SyncRun,
  [only, ...others]: readonly SyncResource[],
  { root, ahead }: { root: Stack; ahead: LocatedAhead | undefined },
): Promise<boolean> {
  if (only === undefined) return false;
  if (others.length > 0 || dependsOnParameters(root, only)) return true;
  // the answer is under way, and the build need not wait for it
  if (ahead?.isDescribing === true && ahead.isGuessed) return false;
  return (await openStackMemory(run)).hasListing(only.stack.path);
}

/** Describes the stack, unless that is under way. Warns if an operation of CloudFormation is in progress. */
async function describeSettled(run: SyncRun, ahead: LocatedAhead | undefined): Promise<DeployedStack> {
  const { stackName } = run.options;
  const described =
    ahead?.isDescribing === true ? await ahead.stacks.describe() : await describeStack(run.aws, stackName);
  if (described === undefined) throw noSuchStack(stackName, await run.aws.region());
  if (stackCondition(described.status) === 'busy') {
    const text = `Stack ${stackName} is in ${described.status}: CloudFormation may still undo this sync`;
    note(run.environment.reporter, 'warning', text, 'Sync again after the operation has ended.');
  }
  return described;
}
