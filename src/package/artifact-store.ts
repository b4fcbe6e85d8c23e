import { realpathSync } from 'node:fs';
import type { Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../errors.ts';
import type { CountedFile } from '../model/built-stack.ts';
import { discard, exists, isMissing, readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { createGate } from '../support/map-limit.ts';
import { oncePerName } from '../support/once.ts';
import { parseJson, recordOf, text } from '../support/shapes.ts';
import { removeLeftovers } from '../support/temporary.ts';
import { temporarySuffix } from '../support/temporary-names.ts';
import { openCompressedFiles } from './compressed-files.ts';
import type { CompressedFiles } from './compressed-files.ts';
import { fileKey, readSums, textKey, treeKey } from './artifact-key.ts';
import type { FileSum } from './artifact-key.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';
import { listEntries } from './tree-entries.ts';
import type { TreeEntry } from './tree-entries.ts';
import type { WebFunctionStore } from './web-function-store.ts';
import { writeZip } from './zip.ts';
import type { ZipFile } from './zip.ts';

/** Something local that the packaged template will name by its place in S3. */
export type ArtifactItem =
  /** A folder, or a single file, that travels as a zip. */
  | { kind: 'zip'; path: string; label: string; counted?: CountedFile | undefined; use?: ArtifactUse }
  /** A file that travels as it is. `extension`: what its key ends in, e.g. `.template`. */
  | { kind: 'file'; path: string; label: string; extension?: string; use?: ArtifactUse }
  /** The text of a packaged nested template. */
  | { kind: 'template'; text: string; label: string };

/** What has a place of its own. */
type ArtifactUse = 'web-function' | undefined;

/** What the store knows of an item before anything is sent. */
export interface LocatedArtifact {
  item: ArtifactItem;
  /** Its name, or (`isExport`) that of the export by which templates import it. */
  bucket: string;
  isExport?: boolean;
  key: string;
}

/** How items are named, zipped and sent. */
export interface ArtifactStoreOptions {
  objects: ObjectStore;
  bucket: string;
  /** `--s3-prefix`. */
  prefix: string | undefined;
  /** For the code of Web Functions. */
  webFunctions?: WebFunctionStore | undefined;
  /**
   * The build's store. A folder `<kind>/<key>/content` in it never changes once it is there; its zip and what is known of
   * it are kept beside `content` and go when it goes. Absolute.
   */
  storeDir: string;
  signal: AbortSignal;
}

/** Names, zips and sends what the packaged templates refer to; each thing once however many resources use it. */
export interface ArtifactStore {
  /** The place in S3, from the content alone: nothing is sent, nothing is asked. */
  locate(item: ArtifactItem): Promise<LocatedArtifact>;
  /** Whether it is there, of whatever bytes: nothing is made or sent. */
  has(located: LocatedArtifact): Promise<boolean>;
  /** Sends it if it is not there yet. */
  upload(located: LocatedArtifact): Promise<void>;
  /** The zip that would be sent, made if needed. */
  zip(item: Extract<ArtifactItem, { kind: 'zip' }>): Promise<ZipFile>;
  /** Removes what is not kept between runs. */
  dispose(): Promise<void>;
}

/** Zips are compressed on the one thread that runs JavaScript; two at a time keep reading and compressing apart. */
const ZIPS_AT_ONCE = 2;

export function createArtifactStore(options: ArtifactStoreOptions): ArtifactStore {
  const located = new Map<string, Promise<LocatedArtifact>>();
  const uploads = new Map<string, Promise<void>>();
  const zips = new Map<string, Promise<ZipFile>>();
  const zipGate = createGate(ZIPS_AT_ONCE);
  const context: ZipContext = {
    ...options,
    compressed: openCompressedFiles(options.storeDir),
    looseDir: path.join(options.storeDir, 'tmp', `zips.${temporarySuffix()}`),
    sums: new Map(),
    memoGate: createGate(1),
  };

  const zip: ArtifactStore['zip'] = async (item) => {
    // layers of several functions are links to the same folder
    const real = await fs.realpath(item.path);
    const make = (): Promise<ZipFile> => zipGate(async () => makeZip(context, item.path));
    const made = await oncePerName(zips, real, make);
    if (await exists(made.path)) return made;
    // it was removed meanwhile, e.g. to make room: the folder gives the same one again
    zips.delete(real);
    return oncePerName(zips, real, make);
  };
  const objectsFor = (item: ArtifactItem): ObjectStore => (placeFor(item, options) ?? options).objects;
  const send = ({ key, item }: LocatedArtifact): Promise<void> =>
    objectsFor(item).ensure(key, item.label, async (): Promise<StoredObject> => {
      if (item.kind === 'template') return { kind: 'text', text: item.text };
      if (item.kind === 'file') return { kind: 'file', path: item.path, size: (await fs.stat(item.path)).size };
      return { kind: 'file', ...(await zip(item)) };
    });

  return {
    zip,
    locate: (item) =>
      oncePerName(located, itemName(item), async (): Promise<LocatedArtifact> => {
        const place = placeFor(item, options);
        const key = withPrefix((place ?? options).prefix, await itemKey(context, item));
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
          await send(artifact); // removed between being made and being read
        }
      }),
    dispose: async () => {
      await context.compressed.save().catch(() => {}); // without it the next run compresses again
      await discard(context.looseDir);
    },
  };
}

/** Where an item goes, if not where most do. */
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

/** What makes keys and zips. */
interface ZipContext extends ArtifactStoreOptions {
  compressed: CompressedFiles;
  /** For zips of folders that may change: good for this run alone. */
  looseDir: string;
  /** Of immutable folders: layers of many functions are the same one, each with a key of its own. */
  sums: Map<string, Promise<FileSum[]>>;
  /** Facts about a folder are added one after another: none is lost. */
  memoGate: ReturnType<typeof createGate>;
}

async function itemKey(context: ZipContext, item: ArtifactItem): Promise<string> {
  if (item.kind === 'template') return `${textKey(item.text)}.template`;
  await existing(item);
  if (item.kind === 'file') return `${await fileKey(item.path)}${item.extension ?? ''}`;
  const memo = memoFile(context, item.path);
  if (memo === undefined) return treeKey(await readSums(await readEntries(item.path)), item.counted);
  const name = item.counted ? `key:${item.counted.text}` : 'key';
  const known = await readMemo(memo);
  const remembered = known[name];
  if (remembered !== undefined) return remembered;
  const sums = await oncePerName(context.sums, memo, async () => readSums(await readEntries(item.path)));
  const key = treeKey(sums, item.counted);
  await remember(context, memo, { [name]: key });
  return key;
}

async function existing(item: { path: string; label: string }): Promise<void> {
  if (await exists(item.path)) return;
  throw new UserError(`${item.label}: there is no file or folder ${item.path}`, {
    hint: 'Correct the path in the template, or make the file.',
  });
}

/** A single file counts as a tree that holds it alone. */
async function readEntries(target: string): Promise<TreeEntry[]> {
  const stat: Stats = await fs.stat(target);
  if (stat.isDirectory()) return listEntries(target);
  const executable = (stat.mode & 0o111) !== 0;
  return [{ path: path.basename(target), absolute: target, size: stat.size, executable }];
}

/** The file of facts about an immutable folder, or undefined if the folder may change. */
function memoFile(options: ArtifactStoreOptions, target: string): string | undefined {
  const real = realpathSync.native(target);
  const inside = path.relative(realOrSame(options.storeDir), real).split(path.sep);
  const isEntry = inside.length === 3 && inside[0] !== '..' && inside[2] === 'content';
  return isEntry ? path.join(path.dirname(real), 'package.json') : undefined;
}

function realOrSame(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch (error) {
    if (isMissing(error)) return folder;
    throw error;
  }
}

async function readMemo(file: string): Promise<Record<string, string>> {
  // if it is damaged work is repeated, nothing is wrong
  return recordOf(text)(parseJson((await readTextIfExists(file)) ?? '')) ?? {};
}

function remember({ memoGate }: ZipContext, memo: string, facts: Readonly<Record<string, string>>): Promise<void> {
  return memoGate(async () => writeFileAtomic(memo, JSON.stringify({ ...(await readMemo(memo)), ...facts })));
}

async function makeZip(context: ZipContext, target: string): Promise<ZipFile> {
  const { signal, compressed, looseDir } = context;
  const memo = memoFile(context, target);
  if (memo === undefined) {
    return writeZip(await readEntries(target), path.join(looseDir, `${textKey(target)}.zip`), { signal });
  }
  const file = memo.replace(/\.json$/, '.zip');
  const known = await readMemo(memo);
  const stat = await fs.stat(file).catch(() => undefined);
  if (known['sha256'] !== undefined && stat?.size === Number(known['size'])) {
    return { path: file, size: stat.size, sha256: known['sha256'] };
  }
  // half a zip, large and of no use, is what a killed run leaves here
  await removeLeftovers(path.dirname(file));
  const made = await writeZip(await readEntries(target), file, { signal, compressed });
  await remember(context, memo, { sha256: made.sha256, size: String(made.size) });
  return made;
}
