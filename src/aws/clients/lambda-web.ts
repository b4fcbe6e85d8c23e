import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { makeBuilder } from '@smithy/core/client';
import { getEndpointPlugin } from '@smithy/core/endpoints';
import type { MetadataBearer, StaticOperationSchema } from '@smithy/types';

/*
 * Web Functions: the SDK has no client for them. Their API (`lambda-web`, 2025-03-07, in botocore) has the endpoint, signing name and
 * protocol of Lambda's, so Lambda's client sends these commands. Bodies are plain JSON: members that are new in a service's
 * answer stay in it, to be sent back or to be noticed.
 */
export { LambdaClient as Client } from '@aws-sdk/client-lambda';

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };

/** The body of a request or of an answer. */
export type JsonBody = Readonly<Record<string, Json | undefined>>;

interface Answer extends MetadataBearer {
  body: JsonBody | null;
}

const command = makeBuilder<never, object, MetadataBearer>(
  GetFunctionCommand.getEndpointParameterInstructions(),
  'LambdaWeb',
  'LambdaClient',
  getEndpointPlugin,
);

const STRING = 0;
const DOCUMENT = 15;
// traits of members
const IN_PATH = 1;
const WHOLE_BODY = 16;

/** Describes an operation: its labels, strings in the path, and a body of JSON if it `takes` one. */
function operation(
  name: string,
  { method, path, status }: { method: string; path: string; status: number },
): StaticOperationSchema {
  const labels = [...path.matchAll(/\{(\w+)\}/g)].map(([, label = '']) => label);
  const body = method === 'POST' || method === 'PATCH' ? ['body'] : [];
  const http = [method, `/2025-03-07/web-functions${path}`, status];
  const members = [...labels.map((): [number, number] => [STRING, IN_PATH]), ...body.map(() => WHOLE)];
  return [
    9,
    NAMESPACE,
    name,
    { http } as never,
    [3, NAMESPACE, `${name}Request`, 0, [...labels, ...body], members],
    [3, NAMESPACE, `${name}Response`, 0, ['body'], [WHOLE]],
  ];
}

const NAMESPACE = 'com.amazonaws.lambdaweb';
const WHOLE: [number, number] = [DOCUMENT, WHOLE_BODY];

const REVISIONS = '/{functionName}/revisions';
const REVISION = `${REVISIONS}/{revisionId}`;
const ENDPOINT = '/{functionName}/endpoints/{endpointName}';
const no = (): never[] => [];

interface OfFunction {
  functionName: string;
}

interface OfRevision extends OfFunction {
  revisionId: string;
}

interface OfEndpoint extends OfFunction {
  endpointName: string;
}

interface WithBody {
  body: JsonBody;
}

/** Creates a revision; each call creates another one. */
export class CreateWebFunctionRevisionCommand extends command<OfFunction & WithBody, Answer>(
  {},
  no,
  'CreateWebFunctionRevision',
  operation('CreateWebFunctionRevision', { method: 'POST', path: REVISIONS, status: 202 }),
) {}

export class GetWebFunctionRevisionCommand extends command<OfRevision, Answer>(
  {},
  no,
  'GetWebFunctionRevision',
  operation('GetWebFunctionRevision', { method: 'GET', path: REVISION, status: 200 }),
) {}

/** Refused while the revision serves. */
export class DeleteWebFunctionRevisionCommand extends command<OfRevision, MetadataBearer>(
  {},
  no,
  'DeleteWebFunctionRevision',
  operation('DeleteWebFunctionRevision', { method: 'DELETE', path: REVISION, status: 204 }),
) {}

export class ListWebFunctionRevisionsCommand extends command<OfFunction & WithBody, Answer>(
  {},
  no,
  'ListWebFunctionRevisions',
  operation('ListWebFunctionRevisions', { method: 'POST', path: '/{functionName}/list-revisions', status: 200 }),
) {}

export class GetWebFunctionEndpointCommand extends command<OfEndpoint, Answer>(
  {},
  no,
  'GetWebFunctionEndpoint',
  operation('GetWebFunctionEndpoint', { method: 'GET', path: ENDPOINT, status: 200 }),
) {}

/** Changes only the members that the body has. */
export class UpdateWebFunctionEndpointCommand extends command<OfEndpoint & WithBody, Answer>(
  {},
  no,
  'UpdateWebFunctionEndpoint',
  operation('UpdateWebFunctionEndpoint', { method: 'PATCH', path: ENDPOINT, status: 202 }),
) {}
