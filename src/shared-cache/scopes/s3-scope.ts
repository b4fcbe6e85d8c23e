import * as fs from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { Aws, Service } from '../../aws/aws.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { UserError } from '../../errors.ts';
import { bucketRegion } from '../../package/bucket-errors.ts';
import { MOST_ENTRY_BYTES } from './scope.ts';
import type { CacheScope, NewContent, ScopeContent } from './scope.ts';

/** S3 removes at most this many objects with one call. */
const REMOVED_AT_ONCE = 1000;

/** Opens a prefix of a bucket. */
export function openS3Scope(aws: Aws, name: string, at: { bucket: string; prefix: string }): CacheScope {
  const { bucket, prefix } = at;
  const keyOf = (object: string): string => (prefix === '' ? object : `${prefix}/${object}`);
  const s3 = openBucket(aws, bucket);
  /** S3 answers 403 for a missing object to those who may not list. */
  let hasRead = false;

  type Answer = ScopeContent & { body: Readable; size: number };
  const open = async (object: string, signal: AbortSignal): Promise<Answer | undefined> => {
    const key = keyOf(object);
    try {
      const answer = await s3(({ send, GetObjectCommand }) =>
        send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal }),
      );
      hasRead = true;
      const { ETag: etag, Body, ContentLength: size = 0 } = answer;
      return { body: Body as Readable, size, origin: etag === undefined ? undefined : { bucket, key, etag } };
    } catch (error) {
      if (isAwsError(error, 'NoSuchKey') || (hasRead && isAwsError(error) && error.kind === 'access-denied'))
        return undefined;
      throw error;
    }
  };

  return {
    name,
    open,
    read: async (object, signal) => {
      const found = await open(object, signal);
      if (found === undefined) return undefined;
      if (found.size > MOST_ENTRY_BYTES) return void found.body.destroy();
      const chunks: Buffer[] = [];
      for await (const chunk of found.body) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    describe: async (object, signal) => {
      const input = { Bucket: bucket, Key: keyOf(object), ChecksumMode: 'ENABLED' } as const;
      try {
        const answer = await s3(({ send, HeadObjectCommand }) =>
          send(new HeadObjectCommand(input), { abortSignal: signal }),
        );
        return { size: answer.ContentLength ?? 0, sha256: wholeSha256(answer.ChecksumSHA256) };
      } catch (error) {
        if (isAwsError(error, 'NotFound', 'NoSuchKey') || (isAwsError(error) && error.kind === 'access-denied'))
          return undefined;
        throw error;
      }
    },
    add: async (object, content, signal) => {
      const Body = await bodyOf(content);
      const input = { Bucket: bucket, Key: keyOf(object), IfNoneMatch: '*', Body, ...checksumOf(object) };
      try {
        await s3(({ send, PutObjectCommand }) => send(new PutObjectCommand(input), { abortSignal: signal }));
        return true;
      } catch (error) {
        // 409: another writer was first by a moment
        if (isAwsError(error, 'PreconditionFailed', 'ConditionalRequestConflict')) return false;
        throw error;
      }
    },
    list: async function* list(signal) {
      for (const kind of ['ac', 'cas']) {
        let token: string | undefined;
        do {
          const input = { Bucket: bucket, Prefix: keyOf(`${kind}/`), ContinuationToken: token };
          const page: ListObjectsV2CommandOutput = await s3(({ send, ListObjectsV2Command }) =>
            send(new ListObjectsV2Command(input), { abortSignal: signal }),
          );
          for (const { Key = '', Size = 0, LastModified } of page.Contents ?? [])
            yield { name: Key.slice(keyOf('').length), size: Size, writtenAt: LastModified?.getTime() ?? 0 };
          token = page.NextContinuationToken;
        } while (token !== undefined);
      }
    },
    remove: async (names, signal) => {
      for (let start = 0; start < names.length; start += REMOVED_AT_ONCE) {
        const Objects = names.slice(start, start + REMOVED_AT_ONCE).map((object) => ({ Key: keyOf(object) }));
        const input = { Bucket: bucket, Delete: { Objects, Quiet: true } };
        await s3(({ send, DeleteObjectsCommand }) => send(new DeleteObjectsCommand(input), { abortSignal: signal }));
      }
    },
  };
}

/** Sends calls to the Region of the bucket, which S3 names when it refuses one. */
function openBucket(aws: Aws, bucket: string): <T>(call: (s3: Service<'s3'>) => Promise<T>) => Promise<T> {
  let elsewhere: string | undefined;
  return async (call) => {
    const used = elsewhere;
    try {
      return await call(await (used === undefined ? aws.s3() : aws.s3In(used)));
    } catch (error) {
      if (isAwsError(error, 'NoSuchBucket'))
        throw new UserError(`the bucket does not exist (aws s3 mb s3://${bucket} creates it)`, { cause: error });
      const region = isAwsError(error) ? bucketRegion(error) : undefined;
      if (region === undefined || region === (used ?? (await aws.region()))) throw error;
      elsewhere = region;
      return call(await aws.s3In(region));
    }
  };
}

/** S3 refuses another content, and tells readers of a zip's description what it computed. */
function checksumOf(object: string): { ChecksumSHA256?: string } {
  const [, sha256] = /^cas\/([0-9a-f]{64})$/.exec(object) ?? [];
  return sha256 === undefined ? {} : { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') };
}

/** Returns a checksum in hex; undefined if there is none, or one of an upload in parts, which is that of their checksums. */
function wholeSha256(base64: string | undefined): string | undefined {
  return base64 === undefined || base64.includes('-') ? undefined : Buffer.from(base64, 'base64').toString('hex');
}

async function bodyOf(content: NewContent): Promise<string | Buffer> {
  return 'text' in content ? content.text : fs.readFile(content.file);
}
