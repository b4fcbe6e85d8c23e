import * as os from 'node:os';
import * as path from 'node:path';
import { buildStoreDir } from '../builder/build-options.ts';
import { openSyncMemory } from '../cloud/sync-state.ts';
import type { SyncMemory } from '../cloud/sync-state.ts';
import { parsePollDelay } from '../deploy/deploy-stack.ts';
import { createArtifactStore } from '../package/artifact-store.ts';
import type { ArtifactStore } from '../package/artifact-store.ts';
import { createObjectStore } from '../package/object-store.ts';
import type { ObjectStore } from '../package/object-store.ts';
import { openUploadRecords } from '../package/unfinished-uploads.ts';
import type { WebFunctionStore } from '../package/web-function-store.ts';
import { userCacheDir } from '../support/user-cache.ts';
import type { SyncRun } from './sync-run.ts';
import { openWebFunctionStore } from './web-function-store.ts';

/** The bucket that artifacts are uploaded to. */
export interface ArtifactBucket {
  /** Its name; empty in a store that only names and zips. */
  bucket: string;
  /** Rejects if the bucket is no longer the one to use. Called once, before the first upload. */
  checkBucket?: (() => Promise<void>) | undefined;
}

/** The artifacts of a run. */
export interface RunStores {
  store: ArtifactStore;
  /** The code of Web Functions, which has a bucket of its own. */
  webFunctions: WebFunctionStore;
  /** What both have uploaded. */
  sent: ObjectStore['sent'];
}

/** Opens the artifacts of a run with the options' encryption key, metadata and prefix; nothing is uploaded yet. */
export function openArtifactStore(
  { options, environment, aws }: SyncRun,
  { bucket, checkBucket }: ArtifactBucket,
): RunStores {
  const { kmsKeyId, metadata, s3Prefix: prefix, projectDir, stackName, s3Bucket } = options;
  const { reporter, signal, env } = environment;
  const sent = { objects: 0, bytes: 0 };
  const storeDir = buildStoreDir(projectDir);
  const packagesDir = path.join(userCacheDir(env, os.homedir(), process.platform), 'packages');
  const uploads = openUploadRecords(storeDir, aws);
  const settings = { aws, kmsKeyId, metadata, prefix, sent, uploads, reporter, signal };
  const objects = createObjectStore({ ...settings, bucket, checkBucket });
  const webFunctions = openWebFunctionStore(settings, { stackName, s3Bucket, pollDelayMs: parsePollDelay(env) });
  return {
    store: createArtifactStore({ objects, bucket, prefix, webFunctions, storeDir, packagesDir, reporter, signal }),
    webFunctions,
    sent,
  };
}

/** Opens what earlier runs learned about the stack. */
export async function openStackMemory({ options, aws }: Pick<SyncRun, 'options' | 'aws'>): Promise<SyncMemory> {
  const { projectDir, stackName } = options;
  return openSyncMemory({ storeDir: buildStoreDir(projectDir), region: await aws.region(), stackName });
}
