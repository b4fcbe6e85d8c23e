import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAws } from '../../src/aws/aws.ts';
import type { Reporter } from '../../src/console/reporter.ts';
import { createArtifactStore } from '../../src/package/artifact-store.ts';
import { createObjectStore } from '../../src/package/object-store.ts';
import { readRecord, zipOfRecord, zipRecord } from '../../src/package/zip/zip-record.ts';
import { openUploadRecords } from '../../src/package/unfinished-uploads.ts';
import { clients, silent } from '../support/cloud.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { openCloud } from '../support/open-cloud.ts';

const { cloud, proxy } = await openCloud();
beforeEach(() => proxy.clear());

interface Given {
  storeDir: string;
  prefix?: string;
  kmsKeyId?: string;
  metadata?: Record<string, string>;
  env?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  reporter?: Reporter;
}

/** A store of a new run on a bucket. */
function openStore(bucket: string, given: Given) {
  const { storeDir, prefix, kmsKeyId, metadata, env = {}, signal, reporter = silent } = given;
  const run = { reporter, signal: signal ?? new AbortController().signal };
  const aws = createAws({
    env,
    region: 'us-east-1',
    endpoint: proxy.endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    ...run,
  });
  const uploads = openUploadRecords(storeDir, aws);
  const objects = createObjectStore({ aws, bucket, kmsKeyId, metadata, uploads, ...run });
  return { aws, objects, store: createArtifactStore({ objects, bucket, prefix, storeDir, ...run }) };
}

async function newBucket(name: string): Promise<string> {
  await clients(cloud.endpoint).s3.send(new CreateBucketCommand({ Bucket: name }));
  return name;
}

async function keysIn(bucket: string): Promise<string[]> {
  const { Contents = [] } = await clients(cloud.endpoint).s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key }) => Key ?? '');
}

it('sends what is not there, once, with prefix, encryption and metadata', async () => {
  const bucket = await newBucket('once');
  const large = JSON.stringify('x'.repeat(20_000));
  const files = { 'app/a.py': 'a', 'same/a.py': 'a', 'definition.json': '{}', 'large.json': large };
  const folder = await tempFolder(files);
  const given = {
    storeDir: path.join(folder, 'store'),
    prefix: '/team/',
    kmsKeyId: 'alias/key',
    metadata: { owner: 'me' },
  };
  const { store, objects } = openStore(bucket, given);
  const items = [
    { kind: 'zip', path: path.join(folder, 'app'), label: 'A' },
    { kind: 'zip', path: path.join(folder, 'same'), label: 'B' },
    { kind: 'file', path: path.join(folder, 'definition.json'), label: 'C' },
    { kind: 'template', text: 'Resources: {}\n', label: 'D' },
    { kind: 'file', path: path.join(folder, 'large.json'), label: 'E' },
  ] as const;
  const located = await Promise.all(items.map((item) => store.locate(item)));
  expect(proxy.calls).toEqual([]);
  await Promise.all(located.map((artifact) => store.upload(artifact)));
  await store.dispose();
  expect(objects.sent.objects).toBe(4);
  const keys = [...new Set(located.map(({ key }) => key))].sort();
  expect(await keysIn(bucket)).toEqual(keys);
  expect(keys.every((key) => /^team\/[0-9a-f]{32}(\.template)?$/.test(key))).toBe(true);
  const head = await clients(cloud.endpoint).s3.send(new HeadObjectCommand({ Bucket: bucket, Key: located[0]!.key }));
  expect(head).toMatchObject({ ServerSideEncryption: 'aws:kms', Metadata: { owner: 'me' } });
  expect(head.SSEKMSKeyId).toContain('alias/key');
  expect(await fs.readdir(path.join(given.storeDir, 'tmp'))).toEqual([]);

  const again = openStore(bucket, given);
  for (const item of items) await again.store.upload(await again.store.locate(item));
  await again.store.dispose();
  // what is as small as a question is sent without one
  expect(again.objects.sent.objects).toBe(3);
  expect(again.objects.sent.bytes).toBeLessThan(2_000);
});

it('defect 4: sends the same files again when only a mode changed', async () => {
  const bucket = await newBucket('modes');
  const folder = await tempFolder({ 'app/run.sh': '#!/bin/sh\n' });
  const item = { kind: 'zip', path: path.join(folder, 'app'), label: 'A' } as const;
  const upload = async (): Promise<string> => {
    const { store } = openStore(bucket, { storeDir: path.join(folder, 'store') });
    const artifact = await store.locate(item);
    await store.upload(artifact);
    await store.dispose();
    const { ETag } = await clients(cloud.endpoint).s3.send(
      new HeadObjectCommand({ Bucket: bucket, Key: artifact.key }),
    );
    return ETag ?? '';
  };
  const first = await upload();
  expect(await upload()).toBe(first);
  await fs.chmod(path.join(folder, 'app/run.sh'), 0o755);
  expect(await upload()).not.toBe(first);
});

it('the second name of a zip is copied inside S3', async () => {
  const bucket = await newBucket('names');
  const folder = await tempFolder({ 'layer/python/a.py': 'a' });
  const { store, objects } = openStore(bucket, { storeDir: path.join(folder, 'store') });
  const upload = async (text: string): Promise<void> => {
    const counted = { path: 'NOTE', text };
    await store.upload(await store.locate({ kind: 'zip', path: path.join(folder, 'layer'), label: 'L', counted }));
  };
  await Promise.all(['one', 'two'].map(upload));
  await store.dispose();
  const keys = await keysIn(bucket);
  expect(keys).toHaveLength(2);
  expect(objects.sent.objects).toBe(1);
  const [one, two] = await Promise.all(
    keys.map(async (Key) => {
      const { Body } = await clients(cloud.endpoint).s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      return Body?.transformToString('base64');
    }),
  );
  expect(one).toBe(two);
});

describe('small objects after the first ones repeat their request', () => {
  /** A store that knows the form of a request, how many calls the SDK's stack made, and attempts by key. */
  const openReady = async (name: string, given: Partial<Given> = {}) => {
    const attempts = new Map<string, number>();
    const reporter: Reporter = {
      report: (event) => void (event.type === 'api-call' && attempts.set(event.target ?? '', event.attempts)),
    };
    const bucket = await newBucket(name);
    const { aws, objects } = openStore(bucket, { storeDir: await tempFolder(), reporter, ...given });
    const { client } = await aws.s3();
    const stack = { calls: 0 };
    client.middlewareStack.add(
      (next) => (args) => {
        stack.calls++;
        return next(args);
      },
      { step: 'initialize', name: 'count' },
    );
    const put = (key: string) => objects.ensure(key, key, async () => ({ kind: 'text', text: `text of ${key}` }));
    await put('first');
    await put('second');
    return { aws, objects, put, stack, attempts, bucket };
  };
  const textOf = async (Bucket: string, Key: string) => {
    const { Body } = await clients(cloud.endpoint).s3.send(new GetObjectCommand({ Bucket, Key }));
    return Body?.transformToString();
  };

  it('without the stack of the SDK, and each is reported', async () => {
    const { put, stack, attempts, bucket, objects } = await openReady('repeated', { metadata: { Owner: 'me  too' } });
    await Promise.all(['c', 'd/e f', 'ü'].map(put));
    expect(stack.calls).toBe(2);
    expect(await Promise.all(['c', 'd/e f', 'ü'].map((key) => textOf(bucket, key)))).toEqual(
      ['c', 'd/e f', 'ü'].map((key) => `text of ${key}`),
    );
    expect(Object.fromEntries(attempts)).toMatchObject({ first: 1, c: 1, 'd/e f': 1 });
    const head = await clients(cloud.endpoint).s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'ü' }));
    expect(head).toMatchObject({ ServerSideEncryption: 'AES256', Metadata: { owner: 'me  too' } });
    expect(objects.sent.objects).toBe(5);
    expect(new Set(proxy.calls.map(({ headers }) => headers['amz-sdk-invocation-id'])).size).toBe(5);
  });

  it.each([
    [{ kind: 'throttle' }],
    [{ kind: 'clock-skew' }],
    [{ kind: 'reset', when: 'before' }],
    [{ kind: 'reset', when: 'after-answer' }],
    [{ kind: 'hang' }],
    [{ kind: 'html' }],
  ] as const)('an attempt that fails (%o) is the first of an ordinary call', async (fault) => {
    const name = `fails-${fault.kind}-${'when' in fault ? fault.when : ''}x`;
    const { put, stack, attempts, bucket } = await openReady(name, { env: { SAM_SYNC_REQUEST_TIMEOUT: '0.5' } });
    proxy.clear();
    proxy.fault({ operation: 'PutObject' }, fault);
    await put('failed');
    expect(proxy.count('PutObject')).toBe(2);
    expect(attempts.get('failed')).toBe(2);
    expect(await textOf(bucket, 'failed')).toBe('text of failed');
    // the form of the request is learnt again
    await put('third');
    await put('fourth');
    expect(stack.calls).toBe(5);
    await put('fifth');
    expect(stack.calls).toBe(5);
  });

  it('a refusal is not repeated', async () => {
    const { put } = await openReady('refused');
    proxy.clear();
    proxy.fault({ operation: 'PutObject' }, { kind: 'denied' }, { times: Infinity });
    await expect(put('third')).rejects.toThrow('refused');
    expect(proxy.count('PutObject')).toBe(1);
  });

  it('an answer without ETag is an error', async () => {
    const { put } = await openReady('without-etag');
    const headers = { 'x-amz-request-id': 'x', 'content-length': '0' };
    proxy.fault({ operation: 'PutObject' }, { kind: 'answer', headers });
    await expect(put('third')).rejects.toThrow('ETag is missing');
  });

  it('an interruption ends it', async () => {
    const stop = new AbortController();
    const { put } = await openReady('interrupted', { signal: stop.signal });
    const held = proxy.hold({ operation: 'PutObject' });
    const putting = put('third');
    await held.arrived;
    stop.abort(new Error('stopped by the test'));
    await expect(putting).rejects.toThrow('stopped by the test');
    held.release();
  });

  it('not in the adaptive retry mode, which decides when each request is sent', async () => {
    const { put, stack } = await openReady('adaptive', { env: { AWS_RETRY_MODE: 'adaptive' } });
    await put('third');
    expect(stack.calls).toBe(3);
  });
});

describe('a large file, sent in parts', () => {
  const SIZE = 20 * 1024 * 1024;
  const largeItem = async () => {
    const file = path.join(await tempFolder(), 'large.zip');
    await fs.writeFile(file, Buffer.alloc(SIZE, 'x'));
    return { kind: 'file', path: file, label: 'L' } as const;
  };
  /** What an upload left that was given up: no list of objects shows it. */
  const unfinished = async (Bucket: string) =>
    (await clients(cloud.endpoint).s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [];

  it('is there as a whole', async () => {
    const bucket = await newBucket('large');
    const { store } = openStore(bucket, { storeDir: await tempFolder() });
    const located = await store.locate(await largeItem());
    await store.upload(located);
    const head = await clients(cloud.endpoint).s3.send(new HeadObjectCommand({ Bucket: bucket, Key: located.key }));
    expect(head.ContentLength).toBe(SIZE);
    expect(await unfinished(bucket)).toEqual([]);
  });

  it.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])(
    'interrupted during %s: nothing of it stays',
    async (operation) => {
      const bucket = await newBucket(`stopped-${operation.toLowerCase()}`);
      const stop = new AbortController();
      const { store, aws } = openStore(bucket, { storeDir: await tempFolder(), signal: stop.signal });
      const hold = proxy.hold({ operation });
      const uploading = store.upload(await store.locate(await largeItem()));
      await hold.arrived;
      stop.abort(new Error('stopped by the test'));
      // the service answers in the end, to whom it may concern
      hold.release();
      await expect(uploading).rejects.toThrow('stopped by the test');
      await aws.close();
      expect(await unfinished(bucket)).toEqual([]);
    },
  );

  it('interrupted while the answer of CreateMultipartUpload is lost: nothing of it stays', async () => {
    const bucket = await newBucket('stopped-unanswered');
    const stop = new AbortController();
    const env = { SAM_SYNC_REQUEST_TIMEOUT: '0.5' };
    const { store, aws } = openStore(bucket, { storeDir: await tempFolder(), signal: stop.signal, env });
    const hold = proxy.hold({ operation: 'CreateMultipartUpload' }, 'after-answer');
    const uploading = store.upload(await store.locate(await largeItem()));
    uploading.catch(() => {});
    await hold.arrived;
    stop.abort(new Error('stopped by the test'));
    await aws.close();
    expect(await unfinished(bucket)).toEqual([]);
    await expect(uploading).rejects.toThrow('stopped by the test');
    hold.release();
  });

  it.each(['UploadPart', 'CompleteMultipartUpload'])('%s is refused: nothing of it stays', async (operation) => {
    const bucket = await newBucket(`refused-${operation.toLowerCase()}`);
    const { store } = openStore(bucket, { storeDir: await tempFolder() });
    proxy.fault({ operation }, { kind: 'error', status: 400, code: 'InvalidRequest' }, { times: Infinity });
    await expect(store.upload(await store.locate(await largeItem()))).rejects.toThrow(operation);
    expect(await unfinished(bucket)).toEqual([]);
  });

  it.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])(
    'the answer of %s is lost: it arrives, and nothing else stays',
    async (operation) => {
      const bucket = await newBucket(`lost-${operation.toLowerCase()}`);
      const { store } = openStore(bucket, { storeDir: await tempFolder() });
      proxy.fault({ operation }, { kind: 'reset', when: 'after-answer' });
      const located = await store.locate(await largeItem());
      await store.upload(located);
      expect(await keysIn(bucket)).toEqual([located.key]);
      expect(await unfinished(bucket)).toEqual([]);
    },
  );

  it('given up because the run ends: nothing of it stays', async () => {
    const bucket = await newBucket('closed');
    const { store, aws } = openStore(bucket, { storeDir: await tempFolder() });
    const hold = proxy.hold({ operation: 'UploadPart' });
    const uploading = store.upload(await store.locate(await largeItem()));
    uploading.catch(() => {});
    await hold.arrived;
    await aws.close();
    hold.release();
    await expect(uploading).rejects.toThrow('closed');
    expect(await unfinished(bucket)).toEqual([]);
  });

  it('that cannot be given up is reported, with what removes its parts', async () => {
    const bucket = await newBucket('denied');
    const notes: string[] = [];
    const { store } = openStore(bucket, {
      storeDir: await tempFolder(),
      reporter: { report: (event) => void (event.type === 'note' && notes.push(`${event.text} ${event.hint}`)) },
    });
    proxy.fault({ operation: 'UploadPart' }, { kind: 'error', status: 400 }, { times: Infinity });
    proxy.fault(
      { operation: 'AbortMultipartUpload' },
      { kind: 'error', status: 403, code: 'AccessDenied' },
      { times: 9 },
    );
    await expect(store.upload(await store.locate(await largeItem()))).rejects.toThrow('UploadPart');
    expect(notes.join()).toMatch(/remain in bucket .*aws s3api abort-multipart-upload --bucket .* --upload-id \S+/);
  });
});

it('names the resource whose file is missing', async () => {
  const folder = await tempFolder();
  const { store } = openStore('none', { storeDir: path.join(folder, 'store') });
  const item = { kind: 'file', path: path.join(folder, 'api.yaml'), label: 'Child/Api' } as const;
  await expect(store.locate(item)).rejects.toThrow(/^Child\/Api: .*api\.yaml does not exist$/);
});

it('makes a zip again that was removed after it was made, and while it waits to be sent', async () => {
  const bucket = await newBucket('removed');
  const storeDir = path.join(await tempFolder(), 'store');
  const content = path.join(storeDir, 'artifacts/k/content');
  await fs.mkdir(content, { recursive: true });
  // too much, and too random, to be sent without a look
  await fs.writeFile(path.join(content, 'a.bin'), randomBytes(64 * 1024));
  const { store } = openStore(bucket, { storeDir });
  const item = { kind: 'zip', path: content, label: 'A' } as const;
  const made = await store.zip(item);
  await fs.rm(made.path);
  expect(await store.zip(item)).toEqual(made);
  expect((await fs.stat(made.path)).size).toBe(made.size);
  const held = proxy.hold({ operation: 'HeadObject' });
  const uploading = store.upload(await store.locate(item));
  await held.arrived;
  await fs.rm(made.path);
  held.release();
  await uploading;
  expect(await keysIn(bucket)).toEqual([(await store.locate(item)).key]);
  await store.dispose();
});

it('makes a zip again that was damaged', async () => {
  const folder = await tempFolder({ 'store/deps/key/content/a.py': 'a'.repeat(1000) });
  const item = { kind: 'zip', path: path.join(folder, 'store/deps/key/content'), label: 'A' } as const;
  const zip = async () => {
    const { store } = openStore('unused', { storeDir: path.join(folder, 'store') });
    const made = await store.zip(item);
    await store.dispose();
    return made;
  };
  const made = await zip();
  const bytes = await fs.readFile(made.path);
  await fs.writeFile(made.path, Buffer.alloc(made.size));
  expect(await zip()).toEqual(made);
  expect(await fs.readFile(made.path)).toEqual(bytes);
});

it('sends nothing under the key of another content', async () => {
  const bucket = await newBucket('changed');
  const folder = await tempFolder({ 'app/a.py': '1', 'api.yaml': '1' });
  const { store } = openStore(bucket, { storeDir: path.join(folder, 'store') });
  const items = [
    { kind: 'zip', path: path.join(folder, 'app'), label: 'A' },
    { kind: 'file', path: path.join(folder, 'api.yaml'), label: 'B' },
  ] as const;
  const located = await Promise.all(items.map((item) => store.locate(item)));
  await fs.writeFile(path.join(folder, 'app/a.py'), '2');
  await fs.writeFile(path.join(folder, 'api.yaml'), '2');
  for (const artifact of located)
    await expect(store.upload(artifact)).rejects.toThrow(
      new RegExp(`^${artifact.item.label}: .* changed while it was packaged$`),
    );
  expect(await keysIn(bucket)).toEqual([]);

  // the sync itself changes a folder with the build cache in it
  const around = await store.locate({ kind: 'zip', path: folder, label: 'C' });
  await writeFiles(path.join(folder, 'store'), { 'deps/key/entry.json': '{}' });
  await store.upload(around);
  expect(await keysIn(bucket)).toEqual([around.key]);
  await store.dispose();
});

it('ends zips under way before it removes their folder: nothing writes into it afterwards', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const folder = await tempFolder(Object.fromEntries(names.map((name) => [`${name}/data`, name.repeat(1_000_000)])));
  const storeDir = path.join(folder, 'store');
  const { store } = openStore('unused', { storeDir });
  const zipping = Promise.allSettled(
    names.map((name) => store.zip({ kind: 'zip', path: path.join(folder, name), label: name })),
  );
  await store.dispose();
  await zipping;
  expect(await fs.readdir(path.join(storeDir, 'tmp')).catch(() => [])).toEqual([]);
});

it('keeps the zip of an immutable folder, unless another compressor made it', async () => {
  const folder = await tempFolder({ 'store/deps/key/content/a.py': 'a'.repeat(1000) });
  const entry = path.join(folder, 'store/deps/key');
  const zip = async () => {
    const { store } = openStore('unused', { storeDir: path.join(folder, 'store') });
    const { sha256 } = await store.zip({ kind: 'zip', path: path.join(entry, 'content'), label: 'A' });
    await store.dispose();
    return sha256;
  };
  const sha256 = await zip();
  // the record is believed
  const record = path.join(entry, 'package.json');
  const { compressor, ...values } = JSON.parse(await fs.readFile(record, 'utf8')) as Record<string, string>;
  await fs.writeFile(record, JSON.stringify({ ...values, compressor, sha256: 'recorded' }));
  expect(await zip()).toBe('recorded');
  for (const other of [{}, { compressor: 'libdeflate 0.0.9' }]) {
    await fs.writeFile(record, JSON.stringify({ ...values, sha256: 'recorded', ...other }));
    expect(await zip()).toBe(sha256);
  }
});

it('the key of an immutable folder is as that of one that may change, through links too, and leaves a zip that is there alone', async () => {
  const files = { 'a.py': 'a', 'lib/b.py': 'b', 'lib/c.txt': '' };
  const below = (folder: string) =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
  const folder = await tempFolder({ ...below('app'), ...below('store/artifacts/k/content') });
  const storeDir = path.join(folder, 'store');
  await fs.symlink(storeDir, path.join(folder, 'linked-store'));
  await fs.symlink(path.join(storeDir, 'artifacts/k/content'), path.join(folder, 'link'));
  const entry = path.join(storeDir, 'artifacts/k');
  const zipOf = async (place: string, store = openStore('unused', { storeDir }).store) => {
    const item = { kind: 'zip', path: path.join(folder, place), label: 'A' } as const;
    const { key } = await store.locate(item);
    const { path: file, sha256 } = await store.zip(item);
    const bytes = await fs.readFile(file);
    await store.dispose();
    return { key, sha256, bytes, file };
  };
  const { file: _loose, ...wanted } = await zipOf('app');
  const file = path.join(entry, 'package.zip');
  const places = ['store/artifacts/k/content', 'link', 'linked-store/artifacts/k/content'];
  for (const place of places) {
    expect(await zipOf(place)).toEqual({ ...wanted, file });
    expect((await fs.readdir(entry)).sort()).toEqual(['content', 'package.json', 'package.zip']);
    await fs.rm(file);
    await fs.rm(path.join(entry, 'package.json'));
  }
  // the store is a link, and is named by it
  const { store } = openStore('unused', { storeDir: path.join(folder, 'linked-store') });
  expect(await zipOf('link', store)).toMatchObject({ key: wanted.key, sha256: wanted.sha256 });

  // a shared cache brought the zip, without its key
  await fs.writeFile(file, 'brought');
  const origin = { bucket: 'b', key: 'k', etag: 'e' };
  const brought = { sha256: 'brought', size: 7, origin };
  await fs.writeFile(
    path.join(entry, 'package.json'),
    JSON.stringify(zipRecord(brought, path.join(entry, 'package.zip'))),
  );
  expect(await zipOf('link')).toMatchObject({ key: wanted.key, sha256: 'brought', bytes: Buffer.from('brought') });
  expect(zipOfRecord(await readRecord(path.join(entry, 'package.json')))).toEqual(brought);
});
