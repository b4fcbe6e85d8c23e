import { statSync } from 'node:fs';
import * as path from 'node:path';
import { timed } from '../console/reporter.ts';
import type { Reporter } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import type { CountedFile } from '../model/built-stack.ts';
import { createAbort } from '../support/abort.ts';
import { discard, exists, isMissing } from '../support/files.ts';
import { createGate } from '../support/map-limit.ts';
import { oncePerName } from '../support/once.ts';
import { isBelow } from '../support/places.ts';
import { removeLeftovers } from '../support/temporary.ts';
import { temporarySuffix } from '../support/temporary-names.ts';
import { openCompressedFiles } from './zip/compressed-files.ts';
import type { CompressedFiles } from './zip/compressed-files.ts';
import { createCompressor } from './zip/compressor.ts';
import type { Compressor } from './zip/compressor.ts';
import { openPackedPackages } from './zip/packed-packages.ts';
import { fileKey, readSums, textKey, treeKey } from './artifact-key.ts';
import { isSmallTree } from './zip/compression.ts';
import type { FileSum } from './artifact-key.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';
import { listEntries, readContents } from './zip/tree-entries.ts';
import type { TreeEntry } from './zip/tree-entries.ts';
import { openZipMemory } from './zip/zip-memory.ts';
import type { ZipMemory } from './zip/zip-memory.ts';
import { findRecorded, keyName, zipOfRecord, zipRecord } from './zip/zip-record.ts';
import { createTargetFinder, isPackages, zipFileOf } from './zip/zip-target.ts';
import type { ZipTarget } from './zip/zip-target.ts';
import type { WebFunctionStore } from './web-function-store.ts';
import { writeZip } from './zip/zip.ts';
import type { ZipFile } from './zip/zip.ts';

/** A local file or folder, or a template, that the packaged template refers to in S3. */
export type ArtifactItem =
  /** A folder or a single file, uploaded as a zip. */
  | { kind: 'zip'; path: string; label: string; counted?: CountedFile | undefined; use?: ArtifactUse }
  /** A file, uploaded as it is. `extension`: the end of its key, e.g. `.template`. */
  | { kind: 'file'; path: string; label: string; extension?: string; use?: ArtifactUse }
  /** A packaged nested template. */
  | { kind: 'template'; text: string; label: string };

/** Artifacts that go to a bucket of their own. */
type ArtifactUse = 'web-function' | undefined;

/** An item and its place in S3, before the upload. */
export interface LocatedArtifact {
  item: ArtifactItem;
  /** The name of the bucket, or with `isExport` of the export for `Fn::ImportValue`. */
  bucket: string;
  isExport?: boolean;
  key: string;
}

/** Settings of the store. */
export interface ArtifactStoreOptions {
  objects: ObjectStore;
  bucket: string;
  /** `--s3-prefix`. */
  prefix: string | undefined;
  /** Stores the code of Web Functions. */
  webFunctions?: WebFunctionStore | undefined;
  /**
   * The build cache. A folder `<kind>/<key>/content` in it never changes; its zip and metadata are stored beside `content`
   * and removed with it. Absolute.
   */
  storeDir: string;
  /** The user's compressed packages, of all projects. Absolute. */
  packagesDir?: string | undefined;
  reporter: Reporter;
  signal: AbortSignal;
}

/** Names, zips and uploads the artifacts of packaged templates, each only once however many resources use it. */
export interface ArtifactStore {
  /** Returns the place in S3, which follows from the content: sends no request. */
  locate(item: ArtifactItem): Promise<LocatedArtifact>;
  /** Returns whether the key exists, with any content. Zips and uploads nothing. */
  has(located: LocatedArtifact): Promise<boolean>;
  /** Uploads it unless the bucket has it. */
  upload(located: LocatedArtifact): Promise<void>;
  /** Returns the zip to upload, creating it if needed. */
  zip(item: Extract<ArtifactItem, { kind: 'zip' }>): Promise<ZipFile>;
  /** Ends zips under way, saves the cache and removes temporary files. */
  dispose(): Promise<void>;
}

/** With two zips at a time one is read and written while the other one is compressed. */
const ZIPS_AT_ONCE = 2;

/** Creates the store. */
export function createArtifactStore(options: ArtifactStoreOptions): ArtifactStore {
  const located = new Map<string, Promise<LocatedArtifact>>();
  const uploads = new Map<string, Promise<void>>();
  const zips = new Map<string, Promise<ZipFile>>();
  const zipGate = createGate(ZIPS_AT_ONCE);
  const disposing = createAbort();
  const compressed = openCompressedFiles(options.storeDir);
  const { packagesDir } = options;
  const context: ZipContext = {
    ...options,
    signal: AbortSignal.any([options.signal, disposing.signal]),
    compressor: createCompressor(),
    compressed,
    packages: packagesDir === undefined ? compressed : openPackedPackages(compressed, packagesDir),
    looseDir: path.join(options.storeDir, 'tmp', `zips.${temporarySuffix()}`),
    sums: new Map(),
    records: openZipMemory(options.storeDir),
    targetOf: createTargetFinder(options.storeDir),
  };

  const zip: ArtifactStore['zip'] = async (item) => {
    // the layers of several functions may link to the same folder
    const target = context.targetOf(item.path);
    const createZip = (): Promise<ZipFile> =>
      zipGate(() => timed(options.reporter, { kind: 'zip', label: item.label }, () => makeZip(context, target)));
    const file = await oncePerName(zips, target.real, createZip);
    if (await exists(file.path)) return file;
    // it was removed, e.g. to free space: zip the folder again
    zips.delete(target.real);
    return oncePerName(zips, target.real, createZip);
  };
  const objectsFor = (item: ArtifactItem): ObjectStore => (placeFor(item, options) ?? options).objects;
  const nameOf = async (item: ArtifactItem): Promise<string> =>
    withPrefix((placeFor(item, options) ?? options).prefix, await itemKey(context, item));
  /** A key with another content than it says would deploy that content once the files are as they were. */
  const requireUnchanged = async ({ item, key }: LocatedArtifact): Promise<void> => {
    if (item.kind === 'template' || (await nameOf(item)) === key) return;
    throw new UserError(`${item.label}: ${item.path} changed while it was packaged`, {
      hint: 'Run the command again when nothing writes there.',
    });
  };
  const send = (artifact: LocatedArtifact): Promise<void> => {
    const { key, item } = artifact;
    return objectsFor(item).ensure(key, item.label, async (): Promise<StoredObject> => {
      if (item.kind === 'template') return { kind: 'text', text: item.text };
      if (item.kind === 'file') {
        await requireUnchanged(artifact);
        return { kind: 'file', path: item.path, size: statSync(item.path).size };
      }
      const file = await zip(item);
      const { real, recordFile } = context.targetOf(item.path);
      // a sync itself writes into a folder that holds the build cache: no two syncs give it the same key
      if (recordFile === undefined && ![real, item.path].some((folder) => isBelow(options.storeDir, folder)))
        await requireUnchanged(artifact);
      return { kind: 'file', ...file };
    });
  };

  return {
    zip,
    locate: (item) =>
      oncePerName(located, itemName(item), async (): Promise<LocatedArtifact> => {
        const place = placeFor(item, options);
        const key = await nameOf(item);
        return place === undefined
          ? { item, bucket: options.bucket, key }
          : { item, bucket: place.bucket.name, isExport: place.bucket.isExport, key };
      }),
    has: ({ key, item }) => objectsFor(item).has(key),
    upload: (artifact) =>
      oncePerName(uploads, `${useOf(artifact.item)}\0${artifact.key}`, async () => {
        try {
          await send(artifact);
        } catch (error) {
          if (artifact.item.kind !== 'zip' || !isMissing(error)) throw error;
          await send(artifact); // the zip was removed before the upload read it
        }
      }),
    dispose: async () => {
      // after a failure or an interruption others may still write into the folder that is removed here
      disposing.abort(new Error('The artifacts were disposed'));
      await context.compressor.close();
      await Promise.allSettled([...zips.values(), ...located.values()]);
      await context.packages.save().catch(() => {}); // only a cache
      await context.records.save();
      await discard(context.looseDir);
    },
  };
}

/** Returns the separate place of an item; undefined for the usual one. */
function placeFor(item: ArtifactItem, { webFunctions }: ArtifactStoreOptions): WebFunctionStore | undefined {
  return useOf(item) === 'web-function' ? webFunctions : undefined;
}

function useOf(item: ArtifactItem): ArtifactUse {
  return item.kind === 'template' ? undefined : item.use;
}

function itemName(item: ArtifactItem): string {
  if (item.kind === 'template') return `template:${textKey(item.text)}`;
  const use = item.use ?? '';
  if (item.kind === 'file') return `${item.path}\0${item.extension ?? ''}\0${use}`;
  return `${item.path}\0${item.counted?.text ?? ''}\0${use}`;
}

function withPrefix(prefix: string | undefined, key: string): string {
  const folder = prefix?.replace(/^\/+|\/+$/g, '');
  return folder ? `${folder}/${key}` : key;
}

/** State of the store. */
interface ZipContext extends ArtifactStoreOptions {
  compressor: Compressor;
  compressed: CompressedFiles;
  /** The same for zips of nothing but installed packages. */
  packages: CompressedFiles;
  /** Zips of folders that may change, used by this run only. */
  looseDir: string;
  /** File sums of immutable folders. Many functions may share a layer's folder under different keys. */
  sums: Map<string, Promise<FolderSums>>;
  records: ZipMemory;
  targetOf: ReturnType<typeof createTargetFinder>;
}

/** The sums of a folder's files and, if it was zipped meanwhile, the record of the zip, and the zip until it is used. */
interface FolderSums {
  sums: FileSum[];
  record: Readonly<Record<string, string>>;
  zip?: ZipFile | undefined;
}

async function itemKey(context: ZipContext, item: ArtifactItem): Promise<string> {
  if (item.kind === 'template') return `${textKey(item.text)}.template`;
  if (item.kind === 'file') {
    await requireExisting(item);
    return `${await fileKey(item.path)}${item.extension ?? ''}`;
  }
  const name = keyName(item.counted);
  // an entry of the cache is not looked at if its key is recorded
  if (!isBelow(item.path, context.storeDir)) await requireExisting(item);
  const { path: target, recordFile } = context.targetOf(item.path);
  if (recordFile === undefined) return treeKey(await readSums(await readEntries(target)), item.counted);
  const record = await context.records.read(recordFile, name);
  const recorded = record[name];
  if (recorded !== undefined) return recorded;
  await requireExisting(item);
  const isZipped = zipOfRecord(record) !== undefined;
  const { sums, record: added } = await oncePerName(context.sums, recordFile, () =>
    readOnce(context, { target, recordFile, isZipped }),
  );
  const key = treeKey(sums, item.counted);
  await context.records.update(recordFile, { ...added, [name]: key });
  return key;
}

/** Computes the sums of an immutable folder. A small one is zipped with what was read for them: nearly always that is needed next. */
async function readOnce(
  { signal, compressor }: ZipContext,
  { target, recordFile, isZipped }: { target: string; recordFile: string; isZipped: boolean },
): Promise<FolderSums> {
  const entries = await readEntries(target);
  if (isZipped || !isSmallTree(entries)) return { sums: await readSums(entries), record: {} };
  const withContents = readContents(entries);
  const zip = await writeZip(withContents, zipFileOf(recordFile), { signal, compressor });
  return { sums: await readSums(withContents), record: zipRecord(zip, zip.path), zip };
}

async function requireExisting(item: { path: string; label: string }): Promise<void> {
  if (await exists(item.path)) return;
  throw new UserError(`${item.label}: ${item.path} does not exist`, {
    hint: 'Correct the path in the template, or create the file.',
  });
}

/** Lists the files of a folder, or the file itself. */
async function readEntries(target: string): Promise<TreeEntry[]> {
  const stat = statSync(target);
  if (stat.isDirectory()) return listEntries(target);
  const executable = (stat.mode & 0o111) !== 0;
  return [{ path: path.basename(target), absolute: target, size: stat.size, executable }];
}

async function makeZip(context: ZipContext, { path: target, recordFile }: ZipTarget): Promise<ZipFile> {
  const { signal, compressor, looseDir, records } = context;
  signal.throwIfAborted();
  if (recordFile === undefined) {
    return writeZip(await readEntries(target), path.join(looseDir, `${textKey(target)}.zip`), { signal, compressor });
  }
  const read = await context.sums.get(recordFile);
  const made = read?.zip;
  if (read !== undefined && made !== undefined) {
    read.zip = undefined; // made again if it is removed
    return made;
  }
  const file = zipFileOf(recordFile);
  const record = await records.read(recordFile, 'sha256');
  const recorded = await findRecorded({ file, record }, (values) => records.update(recordFile, values));
  if (recorded !== undefined) return recorded;
  // a killed run leaves a large, incomplete zip
  await removeLeftovers(path.dirname(file));
  const compressed = isPackages(recordFile) ? context.packages : context.compressed;
  const zip = await writeZip(await readEntries(target), file, { signal, compressor, compressed });
  await records.update(recordFile, zipRecord(zip, file));
  return zip;
}
