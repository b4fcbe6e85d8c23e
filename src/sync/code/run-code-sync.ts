import { formatDuration } from '../../console/format.ts';
import { note } from '../../console/reporter.ts';
import { describeStack } from '../../deploy/describe-stack.ts';
import type { DeployedStack } from '../../deploy/describe-stack.ts';
import { stackCondition } from '../../deploy/stack-status.ts';
import type { Stack } from '../../model/stack.ts';
import type { SyncReport, SyncRun } from '../sync-run.ts';
import { noSuchStack } from '../../cloud/cloud-stacks.ts';
import { reportRunProblems } from '../run-problems.ts';
import { openCodeSync } from './open-code-sync.ts';
import { changesParameters, dependsOnParameters, deployedParameters, readApplication } from '../read-application.ts';
import { documentOf, reportOutcome, reportPlan } from './report-code-sync.ts';
import { placeOf } from '../../cloud/resource-attributes.ts';
import { selectResources } from './select-resources.ts';
import type { Selection } from './select-resources.ts';
import { openStackMemory } from '../open-stores.ts';
import { describeLeftOut } from './web-functions-left-out.ts';

/** Runs `sam sync --code`: reads the templates, finds the stack, asks whether it is for development, plans and applies. */
export async function runCodeSync(command: SyncRun): Promise<SyncReport> {
  const { options, environment } = command;
  const started = performance.now();
  const selection: Selection = { ids: options.resourceIds, types: options.resourceTypes };
  const { root, described } = await readWithParameters(command, selection);
  const leftOut = selection.ids.length + selection.types.length === 0 ? describeLeftOut(root) : undefined;
  if (leftOut !== undefined) note(environment.reporter, 'info', leftOut, 'Sync without --code to deploy them.');
  const codeSync = await openCodeSync({ ...command, described });
  let place = described === undefined ? undefined : placeOf(described.id);
  const open = await codeSync.plan({
    root,
    selection,
    onLocated: async (stackId) => {
      place = placeOf(stackId);
      return options.dryRun || environment.confirmDevelopmentStack(place);
    },
  });
  if (open === undefined) {
    note(environment.reporter, 'info', 'Nothing was done.');
    return { document: { status: 'cancelled' }, exitCode: 0 };
  }
  const about = { account: place?.account, region: place?.region };
  const warning = reportRunProblems(environment.reporter, open.runProblems());
  if (options.dryRun) {
    await open.discard();
    reportPlan(environment.reporter, open.plan);
    const document = { status: 'planned', ...about, resources: open.plan.resources, ...(await warning) };
    return { document, exitCode: 0 };
  }
  const outcome = await open.apply();
  const warnings = await warning;
  const ms = performance.now() - started;
  reportOutcome(environment.reporter, outcome, { duration: formatDuration(ms), isWhole: false });
  return {
    document: { ...documentOf(outcome), ...about, ...warnings, durationMs: Math.round(ms) },
    exitCode: outcome.failed ? 1 : 0,
  };
}

/** The stack is described first where that tells something: parameters that matter, or whether what is known still holds. */
async function readWithParameters(
  { options, environment, aws }: SyncRun,
  selection: Selection,
): Promise<{ root: Stack; described: DeployedStack | undefined }> {
  const region = await aws.region();
  const root = await readApplication(options, environment, { region });
  const { resources } = selectResources(root, selection);
  const [only, ...others] = resources;
  if (only === undefined) return { root, described: undefined };
  const { stackName } = options;
  const isSimple =
    others.length === 0 &&
    !dependsOnParameters(root, only) &&
    !(await (await openStackMemory({ options, aws })).hasListing(only.stack.path));
  if (isSimple) return { root, described: undefined };
  const described = await describeStack(aws, stackName);
  if (described === undefined) throw noSuchStack(stackName, region);
  if (stackCondition(described.status) === 'busy') {
    const text = `Stack ${stackName} is in ${described.status}: CloudFormation may yet undo what is synced now`;
    note(environment.reporter, 'warning', text, 'Sync again when it has ended.');
  }
  const values = deployedParameters(root, described);
  if (!changesParameters(root, values, options)) return { root, described };
  // warnings of the templates were told already
  const quiet = { reporter: { report: () => {} } };
  return { root: await readApplication(options, quiet, { region, deployed: values }), described };
}
