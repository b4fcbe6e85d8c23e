import { PutObjectCommand, S3Client, type PutObjectCommandInput, type S3ClientConfig } from '@aws-sdk/client-s3';
import { HttpResponse } from '@smithy/core/protocols';
import type { AwsCredentialIdentity, HttpRequest } from '@smithy/types';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createPutObject } from '../../../src/aws/put-object.ts';
import type { PutPlace } from '../../../src/aws/put-object.ts';
import type { RequestHandler } from '../../../src/aws/request-handler.ts';
import { amzDate, isModelOf, modelOf, repeatPut, reproduces, type SmallObject } from '../../../src/aws/repeat-put.ts';
import { silent } from '../../support/cloud.ts';

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const place = { Bucket: 'bucket', ServerSideEncryption: 'AES256' } as const;
const first: SmallObject = { key: 'aaaa', body: Buffer.from('one'), metadata: { hash: 'a+/=' } };
const second: SmallObject = { key: 'bbbb.zip', body: Buffer.from('another, longer'), metadata: { hash: 'b' } };
const withPrefix = (object: SmallObject): SmallObject => ({ ...object, key: `a b/ü (1)!*'/${object.key}` });

/** Returns the request that the SDK sends for an object. */
async function sent(
  object: SmallObject,
  config: S3ClientConfig = {},
  input: Partial<PutObjectCommandInput> = {},
): Promise<HttpRequest> {
  const requests: HttpRequest[] = [];
  const client = new S3Client({
    region: 'eu-central-1',
    credentials: KEYS,
    customUserAgent: [['sam-sync', '1']],
    requestHandler: {
      handle: async (request: HttpRequest) => {
        requests.push(request);
        return { response: new HttpResponse({ statusCode: 200, headers: { etag: '"e"' } }) };
      },
    },
    ...config,
  });
  const { key: Key, body: Body, metadata: Metadata } = object;
  await client.send(new PutObjectCommand({ ...place, ...input, Key, Body, Metadata: { ...Metadata } }));
  const [request] = requests;
  if (request === undefined) throw new Error('nothing was sent');
  return request;
}

it.each<[string, { config?: S3ClientConfig; input?: Partial<PutObjectCommandInput>; prefixed?: boolean }]>([
  ['AWS, with the bucket in the host name and CRC-32', {}],
  ['FIPS and dual-stack', { config: { useFipsEndpoint: true, useDualstackEndpoint: true } }],
  ['a bucket with dots, which is in the path', { input: { Bucket: 'my.bucket.name' } }],
  [
    'an access point',
    { input: { Bucket: 'arn:aws:s3:us-west-2:123456789012:accesspoint/a' }, config: { useArnRegion: true } },
  ],
  ['session credentials', { config: { credentials: { ...KEYS, sessionToken: 'to+ken/==' } } }],
  ['a key of KMS', { input: { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/key' } }],
  ['a prefix that is encoded', { prefixed: true }],
  [
    'a custom endpoint, without checksums',
    {
      config: {
        endpoint: 'http://127.0.0.1:4566/base',
        forcePathStyle: true,
        requestChecksumCalculation: 'WHEN_REQUIRED',
      },
    },
  ],
])('a repeated request is the one that the SDK makes: %s', async (_name, { config, input, prefixed = false }) => {
  const [one, two] = prefixed ? [withPrefix(first), withPrefix(second)] : [first, second];
  const request = await sent(one, config, input);
  const other = await sent(two, config, input);
  const model = modelOf(request, one);
  if (model === undefined) throw new Error('it is no model');
  const identity = (config?.credentials as typeof KEYS | undefined) ?? KEYS;
  const { 'x-amz-date': date = '', 'amz-sdk-invocation-id': id = '' } = other.headers;
  expect(repeatPut(model, two, { date, id, identity })).toEqual({ ...other });
  expect(reproduces(model, other, { object: two, identity })).toBe(true);
  // and is not taken for that of other bytes, or of somebody else
  expect(reproduces(model, other, { object: { ...two, body: Buffer.from('other') }, identity })).toBe(false);
  expect(reproduces(model, other, { object: two, identity: { ...identity, secretAccessKey: 'x' } })).toBe(false);
});

it.each<[string, S3ClientConfig, Partial<PutObjectCommandInput>]>([
  ['another checksum', {}, { ChecksumAlgorithm: 'SHA256' }],
  ['a checksum of the body in the input', {}, { ContentMD5: 'hash' }],
])('%s: a request that cannot be repeated is noticed', async (_name, config, input) => {
  const model = modelOf(await sent(first, config, input), first);
  const changed = { ...input, ...(input.ContentMD5 === undefined ? {} : { ContentMD5: 'other' }) };
  const other = await sent(second, config, changed);
  expect(model && reproduces(model, other, { object: second, identity: KEYS })).toBe(false);
});

it('a model is a first attempt with an ordinary signature, and is for the same metadata and keys only', async () => {
  const request = await sent(first);
  const { headers } = request;
  expect(
    modelOf({ ...request, headers: { ...headers, 'amz-sdk-request': 'attempt=2; max=3' } }, first),
  ).toBeUndefined();
  const other = headers['authorization']?.replace('AWS4-HMAC', 'AWS4-ECDSA-P256') ?? '';
  expect(modelOf({ ...request, headers: { ...headers, authorization: other } }, first)).toBeUndefined();
  expect(modelOf(request, second)).toBeUndefined();
  const model = modelOf(request, first);
  if (model === undefined) throw new Error('it is no model');
  expect(isModelOf(model, second, KEYS)).toBe(true);
  expect(isModelOf(model, { ...second, metadata: {} }, KEYS)).toBe(false);
  expect(isModelOf(model, second, { ...KEYS, accessKeyId: 'renewed' })).toBe(false);
});

it('dates have the form of x-amz-date', () => {
  expect(amzDate(Date.UTC(2026, 10, 27, 9, 5, 7, 89))).toBe('20261127T090507Z');
});

type Step = (next: (args: object) => Promise<object>, args: object) => Promise<object>;

/** A sender in front of an S3 that answers with `answer`, or accepts. `step`: what the SDK does before each of its requests. */
function openSender({
  answer,
  step = (next, args) => next(args),
  credentials = KEYS,
}: {
  answer?: (count: number) => HttpResponse | undefined;
  step?: Step;
  credentials?: AwsCredentialIdentity | (() => Promise<AwsCredentialIdentity>);
}): { put: (body: Buffer) => Promise<unknown>; requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  const headers = { etag: '"e"', 'content-length': '0' };
  const requestHandler = {
    handle: async (request: HttpRequest) => {
      requests.push(request);
      const accepted = new HttpResponse({ statusCode: 200, headers, body: Readable.from([]) });
      return { response: answer?.(requests.length) ?? accepted };
    },
  } as unknown as RequestHandler;
  const client = new S3Client({ region: 'eu-central-1', credentials, requestHandler });
  client.middlewareStack.add((next) => (args) => step(next as never, args) as never, { step: 'initialize' });
  const { signal } = new AbortController();
  const tools = { handler: requestHandler, reporter: silent, signal, canRepeat: true };
  const putObject = createPutObject(client, PutObjectCommand, tools);
  const samePlace: PutPlace = place;
  return { put: (body) => putObject(samePlace, { key: `k${requests.length}`, body, metadata: {} }), requests };
}

it('an answer that ends early, before the SDK reads it, is a failed attempt like any other', async () => {
  const cut = (): HttpResponse => {
    const body = new Readable({ read: () => {} });
    body.push('<Error>');
    setImmediate(() => body.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })));
    return new HttpResponse({ statusCode: 503, headers: { 'content-length': '99' }, body });
  };
  const { put, requests } = openSender({
    answer: (count) => (count === 3 ? cut() : undefined),
    // such as renewing credentials
    step: async (next, args) => {
      for (let turn = 0; turn < 3; turn++) await nextTurn();
      return next(args);
    },
  });
  for (const text of ['one', 'two', 'three']) expect(await put(Buffer.from(text))).toMatchObject({ ETag: '"e"' });
  const attempts = requests.map(({ headers }) => headers['amz-sdk-request']?.slice(0, 9));
  expect(attempts.join()).toBe('attempt=1,attempt=1,attempt=1,attempt=2');
});

it('credentials that cannot be renewed fail the next object, not the stored one, and as in an ordinary call', async () => {
  let isSignedOut = false;
  const { put, requests } = openSender({
    credentials: async () => {
      if (isSignedOut) throw new Error('signed out');
      return { ...KEYS, expiration: new Date() };
    },
    step: (next, args) =>
      next(args).catch((cause: unknown) => {
        throw new Error('explained', { cause });
      }),
    answer: (count) => {
      isSignedOut = count === 3;
      return undefined;
    },
  });
  for (const text of ['one', 'two', 'three']) expect(await put(Buffer.from(text))).toMatchObject({ ETag: '"e"' });
  await expect(put(Buffer.from('four'))).rejects.toThrow('explained');
  expect(requests).toHaveLength(3);
});

it('large objects, whose requests have other headers, are no model of small ones', async () => {
  const { put, requests } = openSender({});
  const large = Buffer.alloc(3_000_000);
  for (const body of [large, large, Buffer.from('a'), Buffer.from('b'), large, Buffer.from('c')]) await put(body);
  const expected = requests.map(({ headers }) => headers['Expect']);
  expect(expected).toEqual(['100-continue', '100-continue', undefined, undefined, '100-continue', undefined]);
});
