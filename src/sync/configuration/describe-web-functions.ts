import { flattenStacks, splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack, WebFunctionResource } from '../../model/stack.ts';
import { codeProperty } from '../../model/functions.ts';
import { fromAnswer, summarize } from '../../services/planned-request.ts';
import type { PlannedRequest } from '../../services/planned-request.ts';
import type { RevisionPlan } from '../../services/lambda/web-functions/plan-revision.ts';
import { mapOf, resourceOf } from '../../template/template.ts';
import type { TemplateValue } from '../../template/template.ts';
import type { DescribedResource } from '../code/code-sync-requests.ts';
import type { PreparedSync } from '../prepared-sync.ts';
import { isLeftToDeployment } from '../code/web-function-revisions.ts';
import { openWebFunctionUploads } from '../web-function-uploads.ts';

/** Lists the Web Functions whose code is at another place in `after`. Pure. */
export function changedWebFunctions(root: Stack, before: Stack, after: Stack): WebFunctionResource[] {
  const all = flattenStacks(root).flatMap(({ webFunctions }) => webFunctions);
  return all.filter(({ id, type }) => {
    const place = (view: Stack): string | undefined => JSON.stringify(codeOf(view, id, type));
    return place(before) !== undefined && place(before) !== place(after);
  });
}

function codeOf(view: Stack, id: ResourceIdentifier, type: string): TemplateValue | undefined {
  const { stackPath, logicalId } = splitIdentifier(id);
  const stack = flattenStacks(view).find(({ path }) => path === stackPath);
  return codeProperty(type, mapOf(resourceOf(stack?.resolved, logicalId)['Properties']));
}

/** Plans how a watch would make the code of these Web Functions live before the deployment. */
export async function describeWebFunctions(
  { run, codeSync: { revisions }, deployment: { built } }: PreparedSync,
  changed: readonly WebFunctionResource[],
): Promise<DescribedResource[]> {
  if (changed.length === 0) return [];
  const uploads = openWebFunctionUploads(run);
  try {
    const described = await Promise.all(
      changed.map(async (web) => {
        const folder = built.folders.get(web.id);
        const [state, code] = await Promise.all([
          revisions.read(web).catch(reasonOf),
          folder === undefined ? undefined : uploads.locate(web.id, folder.path),
        ]);
        if (state === undefined) return [];
        if (typeof state === 'string') return [describe(web, { action: 'wait', why: state })];
        if (code === undefined) return [describe(web, { action: 'wait', why: 'its code has no bucket yet' })];
        return [describe(web, revisions.plan(web.id, state, code))];
      }),
    );
    return described.flat();
  } finally {
    await uploads.close();
  }
}

/** Without permission to look, a watch leaves it to the deployment. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && isLeftToDeployment(error)) return error.message;
  throw error;
}

function describe({ id, type }: WebFunctionResource, plan: RevisionPlan): DescribedResource {
  const base = { id, type, named: false };
  if (plan.action === 'none') return { ...base, action: 'none', changes: [], requests: [] };
  if (plan.action === 'wait')
    return { ...base, action: 'blocked', changes: [], waiting: [`code: ${plan.why}`], requests: [] };
  return { ...base, action: 'update', changes: ['code'], requests: requestsOf(plan) };
}

/** Variables of the environment may be secret: settings are shown by their hash. */
function requestsOf(plan: Extract<RevisionPlan, { action: 'create' | 'restore' }>): PlannedRequest[] {
  const { functionName, endpointName } = plan.place;
  const serve = (revisionId: string): PlannedRequest => ({
    service: 'lambda-web',
    operation: 'UpdateWebFunctionEndpoint',
    parameters: { functionName, endpointName, revisionWeights: [{ revisionId, weight: 100 }] },
  });
  const deletions: PlannedRequest[] =
    plan.superseded === undefined
      ? []
      : [
          {
            service: 'lambda-web',
            operation: 'DeleteWebFunctionRevision',
            parameters: { functionName, revisionId: plan.superseded },
          },
        ];
  if (plan.action === 'restore') return [serve(plan.place.revisionId), ...deletions];
  const { serviceConfig, ...shown } = plan.body;
  const parameters = { functionName, ...shown, serviceConfig: summarize(JSON.stringify(serviceConfig)) };
  const operation = 'CreateWebFunctionRevision';
  return [{ service: 'lambda-web', operation, parameters }, serve(fromAnswer(operation, 'revisionId')), ...deletions];
}
