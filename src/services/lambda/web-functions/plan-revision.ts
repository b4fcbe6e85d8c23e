import type { Aws } from '../../../aws/aws.ts';
import type { Json, JsonBody } from '../../../aws/clients/lambda-web.ts';
import { readEndpoint, readRevision, servingOf } from './revisions.ts';
import type { CodeObject, Endpoint, Revision, WebFunctionPlace } from './revisions.ts';

/** What Lambda has of a Web Function. */
export interface WebFunctionState {
  place: WebFunctionPlace;
  endpoint: Endpoint;
  /** The stack's revision. */
  own: Revision;
  /** The revision that serves all requests; undefined: several do. */
  live: Revision | undefined;
}

/** How new code of a Web Function goes live. */
export type RevisionPlan =
  /** It does already. */
  | { action: 'none' }
  /** The stack's revision has this code: the endpoint goes back to it. `superseded`: our revision, which then serves no more. */
  | { action: 'restore'; place: WebFunctionPlace; superseded: string }
  /** A revision with this code is created. `superseded`: our revision, which then serves no more. */
  | { action: 'create'; place: WebFunctionPlace; body: JsonBody; superseded: string | undefined }
  /** Only a deployment may change it. */
  | { action: 'wait'; why: string };

/** Reads what Lambda has. */
export async function readWebFunction(aws: Aws, place: WebFunctionPlace): Promise<WebFunctionState> {
  const [endpoint, own] = await Promise.all([readEndpoint(aws, place), readRevision(aws, place, place.revisionId)]);
  const serving = servingOf(endpoint);
  const isOwn = serving === own.revisionId;
  const live = serving === undefined || isOwn ? undefined : await readRevision(aws, place, serving);
  return { place, endpoint, own, live: isOwn ? own : live };
}

/** Plans how this code goes live. `description`: for a new revision; `previous`: of those that we created, if we did. Pure. */
export function planRevision(
  state: WebFunctionState,
  code: CodeObject,
  { description, previous }: { description: string; previous: string | undefined },
): RevisionPlan {
  const { place, own, live } = state;
  const busy = endpointReason(state.endpoint);
  if (busy !== undefined) return wait(busy);
  if (live === undefined) return wait('its endpoint divides requests between two revisions');
  const isOurs = live !== own && previous !== undefined && live.description === previous;
  if (live !== own && !isOurs)
    return wait(`its endpoint serves revision ${live.revisionId}, which is not the one of the stack`);
  if (isSame(live.code, code)) return { action: 'none' };
  const superseded = isOurs ? live.revisionId : undefined;
  if (superseded !== undefined && isSame(own.code, code) && own.state === 'Active')
    return { action: 'restore', place, superseded };
  const unusual = revisionReason(own);
  if (unusual !== undefined) return wait(unusual);
  return { action: 'create', place, body: withCode(own.members, code, description), superseded };
}

function wait(why: string): RevisionPlan {
  return { action: 'wait', why };
}

/** Why only CloudFormation, or the person who set it so, changes what an endpoint serves. Pure. */
export function endpointReason({
  state,
  updateStatus,
  endpointType,
  autoDeploymentMode,
}: Endpoint): string | undefined {
  if (state !== 'Active') return `its endpoint is ${state}`;
  if (updateStatus === 'InProgress') return 'its endpoint is being updated';
  if (endpointType !== 'HomeRegion') return `its endpoint (${endpointType}) serves several Regions`;
  if (autoDeploymentMode !== 'Disabled') return `its endpoint chooses revisions itself (${autoDeploymentMode})`;
  return undefined;
}

/** Members of a revision that are not settings of it. */
const RESULTS = new Set([
  'functionArn',
  'revisionArn',
  'revisionId',
  'state',
  'stateReason',
  'errors',
  'createdAt',
  'updatedAt',
  'description',
]);
/** Members that a new revision takes over. */
const SETTINGS = ['kmsKeyArn', 'buildConfig', 'serviceConfig'];

/** Why a revision cannot be the model of another one. */
function revisionReason({ revisionId, state, errors, members }: Revision): string | undefined {
  if (state !== 'Active') return `revision ${revisionId} is ${state}`;
  // Lambda shows no values that it may not decrypt
  if (errors.length > 0) return `Lambda cannot read revision ${revisionId}: ${errors.join('; ')}`;
  const unknown = Object.keys(members).find((name) => !RESULTS.has(name) && !SETTINGS.includes(name));
  return unknown === undefined ? undefined : `its revision has ${unknown}, which sam-sync does not know`;
}

/** The stack's revision with other code: its settings are taken over as Lambda shows them, so that no other one can differ. */
function withCode(members: JsonBody, { bucket, key }: CodeObject, description: string): JsonBody {
  const settings = Object.fromEntries(
    SETTINGS.flatMap((name) => (members[name] === undefined ? [] : [[name, members[name]] as [string, Json]])),
  );
  const build = settings['buildConfig'] as JsonBody;
  const codeConfig: Json = { ...(build['codeConfig'] as JsonBody), s3Object: { bucket, key } };
  return { ...settings, description, buildConfig: { ...build, codeConfig } };
}

function isSame(one: CodeObject, other: CodeObject): boolean {
  return one.bucket === other.bucket && one.key === other.key;
}
