import type { Aws } from '../../../aws/aws.ts';
import type { JsonBody } from '../../../aws/clients/lambda-web.ts';
import { isAwsError } from '../../../aws/service-errors.ts';
import { UserError } from '../../../errors.ts';
import { pause } from '../../../support/pause.ts';
import { delaySince, LONGEST_CHANGE, stillBusy } from '../lambda-patience.ts';
import { endpointReason } from './plan-revision.ts';
import type { RevisionPlan } from './plan-revision.ts';
import { readEndpoint, readRevision, servingOf, toRevision } from './revisions.ts';
import type { Revision, WebFunctionPlace } from './revisions.ts';

/** Where calls go, and what aborts them. */
export interface RevisionTools {
  aws: Aws;
  signal: AbortSignal;
}

/** A plan that changes something. */
export type RevisionChange = Extract<RevisionPlan, { action: 'create' | 'restore' }>;

/** Somebody else changed the endpoint after the plan was made. */
export class EndpointChangedError extends UserError {}

/** Makes the code live, and removes our revision that served before. If it fails or is aborted, it leaves no new revision. */
export async function applyRevision(tools: RevisionTools, plan: RevisionChange): Promise<void> {
  const { place, superseded } = plan;
  const move: Move = { place, from: superseded ?? place.revisionId };
  if (plan.action === 'restore') await serveInstead(tools, move, place.revisionId);
  else await createAndServe(tools, move, plan.body);
  if (superseded !== undefined) await deleteRevision(tools.aws, place, superseded);
}

/** A move of the endpoint. `from`: the revision that serves all requests. */
interface Move {
  place: WebFunctionPlace;
  from: string;
}

async function createAndServe(tools: RevisionTools, move: Move, body: JsonBody): Promise<void> {
  const { place } = move;
  const { aws } = tools;
  const { sendOnce, CreateWebFunctionRevisionCommand } = await aws.lambdaWeb();
  const { functionName } = place;
  const answer = await sendOnce(new CreateWebFunctionRevisionCommand({ functionName, body }));
  const created = toRevision(answer.body, 'CreateWebFunctionRevision');
  try {
    await untilActive(tools, place, created);
    await serveInstead(tools, move, created.revisionId);
  } catch (error) {
    const undoing = deleteLate(aws, place, created.revisionId);
    aws.beforeClose(undoing);
    await undoing;
    throw error;
  }
}

async function untilActive({ aws, signal }: RevisionTools, place: WebFunctionPlace, created: Revision): Promise<void> {
  const started = performance.now();
  for (let revision = created; revision.state !== 'Active';) {
    if (revision.state === 'Failed') throw failedRevision(place, revision);
    if (performance.now() > started + LONGEST_CHANGE)
      throw stillBusy(
        `revision ${revision.revisionId} of Web Function ${place.functionName}`,
        `aws lambda-web get-web-function-revision --function-name ${place.functionName} --revision-id ${revision.revisionId}`,
      );
    await pause(delaySince(started), signal);
    revision = await readRevision(aws, place, created.revisionId);
  }
}

function failedRevision({ functionName }: WebFunctionPlace, { errors, members }: Revision): UserError {
  const { stateReason } = members;
  const reason = errors.join('; ') || (typeof stateReason === 'string' && stateReason) || 'it gives no reason';
  return new UserError(`Lambda could not create a revision of Web Function ${functionName}: ${reason}`, {
    hint: 'The endpoint still serves the revision before. Fix the cause and save again.',
  });
}

/** Moves the endpoint if it is still as planned: a build, or a new revision, may have taken minutes. */
async function serveInstead(tools: RevisionTools, { place, from }: Move, revisionId: string): Promise<void> {
  const endpoint = await readEndpoint(tools.aws, place);
  const isServing = servingOf(endpoint) === from;
  const why = endpointReason(endpoint) ?? (isServing ? undefined : 'its endpoint was changed during this sync');
  if (why !== undefined) throw new EndpointChangedError(why);
  await serve(tools, place, revisionId);
}

/** Moves all requests to a revision and waits until the endpoint serves it. */
export async function serve(
  { aws, signal }: RevisionTools,
  place: WebFunctionPlace,
  revisionId: string,
): Promise<void> {
  const { send, UpdateWebFunctionEndpointCommand } = await aws.lambdaWeb();
  const { functionName, endpointName } = place;
  const body = { revisionWeights: [{ revisionId, weight: 100 }] };
  await send(new UpdateWebFunctionEndpointCommand({ functionName, endpointName, body }));
  const started = performance.now();
  for (;;) {
    const endpoint = await readEndpoint(aws, place);
    const { updateStatus, updateStatusReason = 'it gives no reason' } = endpoint;
    if (updateStatus === 'Failed')
      throw new UserError(
        `Lambda could not move endpoint ${endpointName} of Web Function ${functionName} to its new revision: ${updateStatusReason}`,
      );
    // right after the request the answer may be from before it
    if (updateStatus === 'Successful' && servingOf(endpoint) === revisionId) return;
    if (performance.now() > started + LONGEST_CHANGE)
      throw stillBusy(
        `endpoint ${endpointName} of Web Function ${functionName}`,
        `aws lambda-web get-web-function-endpoint --function-name ${functionName} --endpoint-name ${endpointName}`,
      );
    await pause(delaySince(started), signal);
  }
}

/** Deletes a revision. Returns false if it still serves. */
export async function deleteRevision(
  aws: Aws,
  { functionName }: WebFunctionPlace,
  revisionId: string,
): Promise<boolean> {
  const { send, DeleteWebFunctionRevisionCommand } = await aws.lambdaWeb();
  try {
    await send(new DeleteWebFunctionRevisionCommand({ functionName, revisionId }));
  } catch (error) {
    if (isAwsError(error, 'ConflictException')) return false;
    if (!isAwsError(error, 'ResourceNotFoundException')) throw error;
  }
  return true;
}

/** Deletes a revision after a failure or an interruption; what is left the next sync deletes. */
async function deleteLate(aws: Aws, { functionName }: WebFunctionPlace, revisionId: string): Promise<void> {
  const { sendLate, DeleteWebFunctionRevisionCommand } = await aws.lambdaWeb();
  await sendLate(new DeleteWebFunctionRevisionCommand({ functionName, revisionId })).catch(() => {});
}
