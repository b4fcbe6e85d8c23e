import type { StackListing } from '../../../cloud/sync-state.ts';
import type { Aws } from '../../../aws/aws.ts';
import { requireAnswer } from '../../../aws/check-answer.ts';
import type { Json, JsonBody } from '../../../aws/clients/lambda-web.ts';
import { ownValue } from '../../../support/own-value.ts';

/** A Web Function, its endpoint and its revision as the stack has them. */
export interface WebFunctionPlace {
  functionName: string;
  endpointName: string;
  /** The stack's own revision. */
  revisionId: string;
}

/** An object in S3. */
export interface CodeObject {
  bucket: string;
  key: string;
}

/** A revision as Lambda shows it. */
export interface Revision {
  revisionId: string;
  description: string | undefined;
  code: CodeObject;
  state: string;
  /** What went wrong when it was created or read, in a few words each. */
  errors: readonly string[];
  /** All members. */
  members: JsonBody;
}

/** An endpoint as Lambda shows it. */
export interface Endpoint {
  weights: readonly { revisionId: string; weight: number }[];
  autoDeploymentMode: string;
  endpointType: string;
  state: string;
  /** undefined: it was never updated. */
  updateStatus: string | undefined;
  updateStatusReason: string | undefined;
}

/** The names that AWS SAM gives to what it makes of a Web Function. */
const REVISION = 'Revision';
const ENDPOINT = 'Endpoint';

/** Finds a Web Function in the listing of its stack; undefined: a part of it is not there. */
export function placeOf(listing: StackListing, logicalId: string): WebFunctionPlace | undefined {
  const [fn, revision, endpoint] = [logicalId, `${logicalId}${REVISION}`, `${logicalId}${ENDPOINT}`].map((id) =>
    lastName(ownValue(listing, id)?.physicalId),
  );
  if (fn === undefined || revision === undefined || endpoint === undefined) return undefined;
  return { functionName: fn, endpointName: endpoint, revisionId: revision };
}

/** The last name of an ARN, or of identifiers that CloudFormation joins with `|`. */
function lastName(physicalId: string | undefined): string | undefined {
  return physicalId?.split(/[/|]/).at(-1) || undefined;
}

/** Reads one revision. */
export async function readRevision(
  aws: Aws,
  { functionName }: Pick<WebFunctionPlace, 'functionName'>,
  revisionId: string,
): Promise<Revision> {
  const { send, GetWebFunctionRevisionCommand } = await aws.lambdaWeb();
  const { body } = await send(new GetWebFunctionRevisionCommand({ functionName, revisionId }));
  return toRevision(body, 'GetWebFunctionRevision');
}

/** Reads an answer that describes a revision. */
export function toRevision(body: JsonBody | null, operation: string): Revision {
  const members = body ?? {};
  const code = mapOf(mapOf(mapOf(members['buildConfig'])['codeConfig'])['s3Object']);
  const errors = Array.isArray(members['errors']) ? (members['errors'] as readonly Json[]) : [];
  return {
    revisionId: requireAnswer('Lambda', operation, 'revisionId', textOf(members['revisionId'])),
    description: textOf(members['description']),
    code: { bucket: textOf(code['bucket']) ?? '', key: textOf(code['key']) ?? '' },
    state: requireAnswer('Lambda', operation, 'state', textOf(members['state'])),
    errors: errors.map((error) => {
      const { attribute, errorMessage } = mapOf(error);
      return [attribute, errorMessage].map(textOf).filter(Boolean).join(': ');
    }),
    members,
  };
}

/** Reads the endpoint. */
export async function readEndpoint(aws: Aws, { functionName, endpointName }: WebFunctionPlace): Promise<Endpoint> {
  const { send, GetWebFunctionEndpointCommand } = await aws.lambdaWeb();
  const { body } = await send(new GetWebFunctionEndpointCommand({ functionName, endpointName }));
  const members = body ?? {};
  const required = (name: string): string =>
    requireAnswer('Lambda', 'GetWebFunctionEndpoint', name, textOf(members[name]));
  const weights = Array.isArray(members['revisionWeights']) ? (members['revisionWeights'] as readonly Json[]) : [];
  return {
    weights: weights.map((entry) => {
      const { revisionId, weight } = mapOf(entry);
      return { revisionId: textOf(revisionId) ?? '', weight: Number(weight) };
    }),
    autoDeploymentMode: required('autoDeploymentMode'),
    endpointType: required('endpointType'),
    state: required('state'),
    updateStatus: textOf(members['updateStatus']),
    updateStatusReason: textOf(members['updateStatusReason']),
  };
}

/** The revision that serves all requests; undefined: several do. */
export function servingOf({ weights }: Endpoint): string | undefined {
  const [only, ...others] = weights;
  return others.length === 0 ? only?.revisionId : undefined;
}

/** Lists the revisions with this description. One call for each 50. */
export async function listRevisions(
  aws: Aws,
  { functionName }: WebFunctionPlace,
  description: string,
): Promise<string[]> {
  const { send, ListWebFunctionRevisionsCommand } = await aws.lambdaWeb();
  const found: string[] = [];
  let nextToken: string | undefined;
  do {
    const { body } = await send(new ListWebFunctionRevisionsCommand({ functionName, body: { nextToken } }));
    const page = Array.isArray(body?.['revisions']) ? (body['revisions'] as readonly Json[]) : [];
    for (const revision of page.map(mapOf)) {
      const id = textOf(revision['revisionId']);
      if (id !== undefined && revision['description'] === description) found.push(id);
    }
    nextToken = textOf(body?.['nextToken']);
  } while (nextToken !== undefined);
  return found;
}

function mapOf(value: Json | undefined): JsonBody {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonBody) : {};
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
