import { PutObjectCommand, S3Client, type PutObjectCommandInput, type S3ClientConfig } from '@aws-sdk/client-s3';
import { HttpResponse } from '@smithy/core/protocols';
import type { HttpRequest } from '@smithy/types';
import { expect, it } from 'vitest';
import { amzDate, isModelOf, modelOf, repeatPut, reproduces, type SmallObject } from '../../../src/aws/repeat-put.ts';

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
