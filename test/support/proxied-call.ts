import type * as http from 'node:http';
import type { Fault } from './fault-answers.ts';

/** A request that a proxy received. */
export interface ProxiedCall {
  service: string;
  operation: string;
  method: string;
  /** With its query. */
  path: string;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** Of the answer; undefined while there is none, and after a reset. */
  status: number | undefined;
  /** When that answer was there (`performance.now()`). */
  answeredAt: number | undefined;
  /** The fault that it met. */
  fault: Fault['kind'] | undefined;
}

/** Names service and operation of a request. */
export function describeCall({ method = 'GET', url = '/', headers }: http.IncomingMessage, body: Buffer): ProxiedCall {
  const signature = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '');
  const service = signature?.[1] ?? '';
  const operation = operationOf({ service, method, url, headers, body });
  const open = { status: undefined, answeredAt: undefined, fault: undefined };
  return { service, operation, method, path: url, headers, body, ...open };
}

function operationOf(call: {
  service: string;
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}): string {
  const target = call.headers['x-amz-target'];
  if (typeof target === 'string') return target.split('.').at(-1) ?? target;
  const type = call.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) {
    const action = new URLSearchParams(call.body.toString()).get('Action');
    if (action !== null) return action;
  }
  const { pathname, searchParams } = new URL(call.url, 'http://localhost');
  const line = `${call.method} ${pathname}`;
  if (call.service === 's3' && call.headers['x-amz-copy-source'] !== undefined) return 'CopyObject';
  if (call.service === 's3') return s3Operation(call.method, pathname, searchParams);
  return REST_OPERATIONS.find(([, pattern]) => pattern.test(line))?.[0] ?? line;
}

function s3Operation(method: string, pathname: string, query: URLSearchParams): string {
  const inBucket = pathname.split('/').filter(Boolean).length <= 1;
  const verb = { GET: 'Get', PUT: 'Put', HEAD: 'Head', DELETE: 'Delete' }[method];
  if (method === 'POST' && query.has('delete')) return 'DeleteObjects';
  if (method === 'POST') return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  if (query.has('uploadId')) return method === 'PUT' ? 'UploadPart' : 'AbortMultipartUpload';
  if (!inBucket) return `${verb}Object`;
  if (method === 'GET') return query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2';
  return method === 'PUT' ? 'CreateBucket' : `${verb}Bucket`;
}

const LAMBDA_FUNCTION = String.raw`/functions/[^/]+`;
const LAMBDA_LAYER = String.raw`/layers/[^/]+/versions`;
const REST_OPERATIONS: readonly [operation: string, pattern: RegExp][] = [
  ['ListFunctions', /^GET .*\/functions\/?$/],
  ['GetFunction', new RegExp(`^GET .*${LAMBDA_FUNCTION}$`)],
  ['GetFunctionConfiguration', new RegExp(`^GET .*${LAMBDA_FUNCTION}/configuration$`)],
  ['UpdateFunctionCode', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/code$`)],
  ['GetFunctionUrlConfig', new RegExp(`^GET .*${LAMBDA_FUNCTION}/url$`)],
  ['UpdateFunctionUrlConfig', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/url$`)],
  ['UpdateFunctionConfiguration', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/configuration$`)],
  ['GetFunctionConcurrency', new RegExp(`^GET .*${LAMBDA_FUNCTION}/concurrency$`)],
  ['PutFunctionConcurrency', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/concurrency$`)],
  ['DeleteFunctionConcurrency', new RegExp(`^DELETE .*${LAMBDA_FUNCTION}/concurrency$`)],
  ['GetProvisionedConcurrencyConfig', new RegExp(`^GET .*${LAMBDA_FUNCTION}/provisioned-concurrency$`)],
  ['PutProvisionedConcurrencyConfig', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/provisioned-concurrency$`)],
  ['DeleteProvisionedConcurrencyConfig', new RegExp(`^DELETE .*${LAMBDA_FUNCTION}/provisioned-concurrency$`)],
  ['GetEventSourceMapping', /^GET .*\/event-source-mappings\/[^/]+$/],
  ['UpdateEventSourceMapping', /^PUT .*\/event-source-mappings\/[^/]+$/],
  ['CreateWebFunctionRevision', /^POST .*\/web-functions\/[^/]+\/revisions$/],
  ['GetWebFunctionRevision', /^GET .*\/web-functions\/[^/]+\/revisions\/[^/]+$/],
  ['DeleteWebFunctionRevision', /^DELETE .*\/web-functions\/[^/]+\/revisions\/[^/]+$/],
  ['ListWebFunctionRevisions', /^POST .*\/web-functions\/[^/]+\/list-revisions$/],
  ['GetWebFunctionEndpoint', /^GET .*\/web-functions\/[^/]+\/endpoints\/[^/]+$/],
  ['UpdateWebFunctionEndpoint', /^PATCH .*\/web-functions\/[^/]+\/endpoints\/[^/]+$/],
  ['ListTags', /^GET \/2017-03-31\/tags\//],
  ['TagResource', /^POST \/2017-03-31\/tags\//],
  ['UntagResource', /^DELETE \/2017-03-31\/tags\//],
  ['PublishVersion', new RegExp(`^POST .*${LAMBDA_FUNCTION}/versions$`)],
  ['ListVersionsByFunction', new RegExp(`^GET .*${LAMBDA_FUNCTION}/versions$`)],
  ['UpdateAlias', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/aliases/[^/]+$`)],
  ['Invoke', new RegExp(`^POST .*${LAMBDA_FUNCTION}/invocations$`)],
  ['GetLayerVersionByArn', /^GET \/[^/]+\/layers$/],
  ['ListLayerVersions', new RegExp(`^GET .*${LAMBDA_LAYER}$`)],
  ['PublishLayerVersion', new RegExp(`^POST .*${LAMBDA_LAYER}$`)],
  ['GetLayerVersion', new RegExp(String.raw`^GET .*${LAMBDA_LAYER}/\d+$`)],
  ['DeleteLayerVersion', new RegExp(String.raw`^DELETE .*${LAMBDA_LAYER}/\d+$`)],
  ['PutRestApi', /^PUT \/restapis\/[^/]+$/],
  ['GetRestApi', /^GET \/restapis\/[^/]+$/],
  ['GetUsagePlan', /^GET \/usageplans\/[^/]+$/],
  ['UpdateUsagePlan', /^PATCH \/usageplans\/[^/]+$/],
  ['UpdateRestApi', /^PATCH \/restapis\/[^/]+$/],
  ['CreateDeployment', /^POST \/(restapis|v2\/apis)\/[^/]+\/deployments$/],
  ['DeleteDeployment', /^DELETE \/(restapis|v2\/apis)\/[^/]+\/deployments\/[^/]+$/],
  ['GetStages', /^GET \/(restapis|v2\/apis)\/[^/]+\/stages$/],
  ['GetStage', /^GET \/(restapis|v2\/apis)\/[^/]+\/stages\/[^/]+$/],
  ['UpdateStage', /^PATCH \/(restapis|v2\/apis)\/[^/]+\/stages\/[^/]+$/],
  ['FlushStageCache', /^DELETE \/restapis\/[^/]+\/stages\/[^/]+\/cache\/data$/],
  ['FlushStageAuthorizersCache', /^DELETE \/restapis\/[^/]+\/stages\/[^/]+\/cache\/authorizers$/],
  ['ReimportApi', /^PUT \/v2\/apis\/[^/]+$/],
  ['GetApi', /^GET \/v2\/apis\/[^/]+$/],
  ['ExportApi', /^GET \/v2\/apis\/[^/]+\/exports\/[^/]+$/],
  ['UpdateDeployment', /^PATCH \/v2\/apis\/[^/]+\/deployments\/[^/]+$/],
  ['GetDeployments', /^GET \/(restapis|v2\/apis)\/[^/]+\/deployments$/],
];
