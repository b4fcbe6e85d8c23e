import * as fs from 'node:fs/promises';
import type { BuildResult } from '../../builder/build-result.ts';
import { isBuiltFunction, isBuiltLayer } from '../../builder/plan-build.ts';
import { UserError } from '../../errors.ts';
import type { FunctionResource, LayerResource } from '../../model/stack.ts';
import type { ArtifactItem, ArtifactStore } from '../../package/artifact-store.ts';
import { isArchive } from '../../package/package-templates.ts';
import { hashFile, isMissing, readContent } from '../../support/files.ts';
import { createGate } from '../../support/map-limit.ts';
import type { ContentSummary } from '../planned-request.ts';

/** The zip of a function's code or of a layer. */
export interface CodeArtifact {
  item: Exclude<ArtifactItem, { kind: 'template' }>;
  path: string;
  /** Bytes. */
  size: number;
  /** Base64, as Lambda's `CodeSha256`. */
  sha256: string;
}

/** Code in a request to Lambda. */
type SentCode = { ZipFile: Uint8Array } | { S3Bucket: string; S3Key: string };

/** The same without the bytes. */
type DescribedCode = { ZipFile: ContentSummary } | { S3Bucket: string; S3Key: string };

/** Makes zips, each once, and sends them to Lambda. */
export interface CodeArtifacts {
  /** The zip of a function or layer; undefined if its code is not in the project (inline, in S3, an image). */
  ofResource(resource: FunctionResource | LayerResource, built: BuildResult): Promise<CodeArtifact | undefined>;
  /** The zip of a function's dependency layer; undefined if it has none. */
  ofDependencies(id: string, built: BuildResult): Promise<CodeArtifact | undefined>;
  /** Sends a request with the bytes or, if they are too many for one, with their place in S3 after the upload. */
  send<T>(artifact: CodeArtifact, request: (code: SentCode) => Promise<T>): Promise<T>;
  /** The code as `send` puts it into the request, with the bytes by size and hash. Uploads nothing. */
  describe(artifact: CodeArtifact): Promise<DescribedCode>;
  /** Removes what is not kept between runs. */
  dispose(): Promise<void>;
}

/** Lambda takes zips up to this size (bytes) in a request; larger ones it reads from S3 (Lambda quotas). */
const MAX_DIRECT = 50 * 1024 * 1024;
/** Zips in memory at the same time. */
const SENT_AT_ONCE = 8;

/** Whether a request has room for the zip. */
export function fitsRequest({ size }: { size: number }): boolean {
  return size < MAX_DIRECT;
}

/** Where the zips of code are made and kept. */
export interface CodeStores {
  /** Names and makes zips; uploads nothing. */
  local: ArtifactStore;
  /** The name of the deployment bucket; creates nothing. */
  findBucket(): Promise<string>;
  /** Opens the store that uploads to that bucket; creates the managed bucket if it is missing. */
  openUploads(): Promise<ArtifactStore>;
}

/** Opens the zips of one code sync. */
export function openCodeArtifacts({ local: zips, findBucket, openUploads }: CodeStores): CodeArtifacts {
  const gate = createGate(SENT_AT_ONCE);
  let large: Promise<ArtifactStore> | undefined;
  const make = (item: CodeArtifact['item']): Promise<CodeArtifact> => makeCode(zips, item);
  const read = async ({ item, path: file, size }: CodeArtifact): Promise<Uint8Array> => {
    try {
      return await readContent(file, size);
    } catch (error) {
      if (item.kind !== 'zip' || !isMissing(error)) throw error;
      // it was removed after the comparison; the folder gives the same zip again
      return fs.readFile((await zips.zip(item)).path);
    }
  };
  return {
    ofResource: async (resource, built) => {
      const folder = built.folders.get(resource.id)?.path;
      const { code, id } = resource;
      if (folder !== undefined) return make({ kind: 'zip', path: folder, label: id });
      // source that was not built must not run
      if (isBuilt(resource)) throw new Error(`${id} was not built`);
      if (code.kind !== 'folder' && code.kind !== 'file') return undefined;
      const asItIs = code.kind === 'file' && (await isArchiveThere(code.path, id));
      return make({ kind: asItIs ? 'file' : 'zip', path: code.path, label: id });
    },
    ofDependencies: async (id, built) => {
      const folder = built.dependencyLayers.get(id)?.path;
      return folder === undefined ? undefined : make({ kind: 'zip', path: folder, label: `the dependencies of ${id}` });
    },
    send: async (artifact, request) => {
      const { item } = artifact;
      if (fitsRequest(artifact)) return gate(async () => request({ ZipFile: await read(artifact) }));
      const store = await (large ??= openUploads());
      const located = await store.locate(item);
      await store.upload(located);
      return request({ S3Bucket: located.bucket, S3Key: located.key });
    },
    describe: async ({ item, size, sha256 }) => {
      if (fitsRequest({ size })) return { ZipFile: { size, sha256 } };
      return { S3Bucket: await findBucket(), S3Key: (await zips.locate(item)).key };
    },
    dispose: async () => {
      await zips.dispose();
      await (await large)?.dispose();
    },
  };
}

/** Makes the zip, or describes the file that is sent as it is. */
export async function makeCode(zips: Pick<ArtifactStore, 'zip'>, item: CodeArtifact['item']): Promise<CodeArtifact> {
  return { item, ...(item.kind === 'zip' ? await zips.zip(item) : await describeFile(item)) };
}

function isBuilt(resource: FunctionResource | LayerResource): boolean {
  return 'packageType' in resource ? isBuiltFunction(resource) : isBuiltLayer(resource);
}

async function isArchiveThere(file: string, id: string): Promise<boolean> {
  try {
    return await isArchive(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UserError(`${id}: ${file} does not exist`, {
      cause: error,
      hint: 'Correct the path in the template, or create the file.',
    });
  }
}

async function describeFile({ path: file }: { path: string }): Promise<Pick<CodeArtifact, 'path' | 'size' | 'sha256'>> {
  return { path: file, size: (await fs.stat(file)).size, sha256: await hashFile(file, 'sha256', 'base64') };
}
