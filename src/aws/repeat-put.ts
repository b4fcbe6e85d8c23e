import { createHmac, hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import { extendedEncodeURIComponent } from '@smithy/core/protocols';
import type { AwsCredentialIdentity, HttpRequest } from '@smithy/types';

/** What differs between two `PutObject` requests of a run. */
export interface SmallObject {
  key: string;
  body: Buffer;
  /** User-defined metadata. */
  metadata: Readonly<Record<string, string>>;
}

/** What differs between two requests for the same object. */
export interface Attempt {
  /** `x-amz-date`. */
  date: string;
  /** `amz-sdk-invocation-id`. */
  id: string;
  identity: AwsCredentialIdentity;
}

/** A `PutObject` request that the SDK made, as the model of others. */
export interface PutModel {
  request: HttpRequest;
  /** The path before the key. */
  base: string;
  /** Names of the metadata. */
  names: string;
  /** Region, service and terminator of the credential scope. */
  scope: string;
  signedHeaders: readonly string[];
  accessKeyId: string;
  /** Signing keys by day, a few hashes each. */
  signingKeys: Map<string, Buffer>;
}

const AUTHORIZATION = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^,]+), SignedHeaders=([^,]+), Signature=/;

/** Takes a request that the SDK made as a model. Returns undefined for one that cannot be: another signature, a repeated attempt. */
export function modelOf(request: HttpRequest, { key, metadata }: SmallObject): PutModel | undefined {
  const [, accessKeyId, scope, signed] = AUTHORIZATION.exec(request.headers['authorization'] ?? '') ?? [];
  const end = encodeKey(key);
  const isFirst = request.headers['amz-sdk-request']?.startsWith('attempt=1;') === true;
  if (accessKeyId === undefined || scope === undefined || signed === undefined) return undefined;
  if (!isFirst || !request.path.endsWith(`/${end}`)) return undefined;
  const base = request.path.slice(0, request.path.length - end.length);
  const names = namesOf(metadata);
  return { request, base, names, scope, signedHeaders: signed.split(';'), accessKeyId, signingKeys: new Map() };
}

/** Returns whether the model can be repeated for this object and identity. */
export function isModelOf(model: PutModel, { metadata }: SmallObject, identity: AwsCredentialIdentity): boolean {
  return model.names === namesOf(metadata) && model.accessKeyId === identity.accessKeyId;
}

/** Returns whether the model gives exactly this request, which the SDK made for another object. */
export function reproduces(
  model: PutModel,
  request: HttpRequest,
  { object, identity }: { object: SmallObject; identity: AwsCredentialIdentity },
): boolean {
  const { 'x-amz-date': date = '', 'amz-sdk-invocation-id': id = '' } = request.headers;
  const repeated = repeatPut(model, object, { date, id, identity });
  return (['protocol', 'hostname', 'port', 'method', 'path', 'query', 'headers', 'body'] as const).every((member) =>
    isDeepStrictEqual(repeated[member], request[member]),
  );
}

/** Makes and signs the request of the model for another object. */
export function repeatPut(model: PutModel, { key, body, metadata }: SmallObject, attempt: Attempt): HttpRequest {
  const { headers: before } = model.request;
  const headers = { ...before };
  headers['content-length'] = String(body.length);
  for (const [name, value] of Object.entries(metadata)) headers[`x-amz-meta-${name.toLowerCase()}`] = value;
  if (before['x-amz-checksum-crc32'] !== undefined) headers['x-amz-checksum-crc32'] = crc32Of(body);
  if (/^[0-9a-f]{64}$/.test(before['x-amz-content-sha256'] ?? '')) headers['x-amz-content-sha256'] = sha256(body);
  headers['amz-sdk-invocation-id'] = attempt.id;
  headers['x-amz-date'] = attempt.date;
  if (attempt.identity.sessionToken !== undefined) headers['x-amz-security-token'] = attempt.identity.sessionToken;
  const request: HttpRequest = { ...model.request, path: model.base + encodeKey(key), headers, body };
  headers['authorization'] = authorize(request, model, attempt);
  return request;
}

/** The form of `x-amz-date`. */
export function amzDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
function authorize(request: HttpRequest, model: PutModel, { date, identity }: Attempt): string {
  const { method, path, query, headers } = request;
  const { scope: place, signedHeaders } = model;
  const names = signedHeaders.join(';');
  const lines = signedHeaders.map((name) => `${name}:${plainSpaces(headers[name] ?? '')}\n`).join('');
  const canonical = `${method}\n${path}\n${canonicalQuery(query)}\n${lines}\n${names}\n${headers['x-amz-content-sha256']}`;
  const day = date.slice(0, 8);
  const scope = `${day}/${place}`;
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`;
  const signature = hmac(signingKey(model, identity, day), text).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${identity.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

function signingKey({ scope, signingKeys }: PutModel, { secretAccessKey }: AwsCredentialIdentity, day: string): Buffer {
  const name = `${day}/${secretAccessKey}`;
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const key = scope.split('/').reduce(hmac, hmac(`AWS4${secretAccessKey}`, day));
  signingKeys.set(name, key);
  return key;
}

function canonicalQuery(query: HttpRequest['query'] = {}): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${extendedEncodeURIComponent(name)}=${extendedEncodeURIComponent(String(query[name] ?? ''))}`)
    .join('&');
}

function plainSpaces(value: string): string {
  return value.replace(/[ \t\r\n]+/g, ' ').trim();
}

function encodeKey(key: string): string {
  return key.split('/').map(extendedEncodeURIComponent).join('/');
}

function namesOf(metadata: SmallObject['metadata']): string {
  return Object.keys(metadata).sort().join('\n');
}

function sha256(content: string | Buffer): string {
  return hash('sha256', content, 'hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function crc32Of(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}
