import type { ResourceIdentifier } from '../model/stack.ts';
import type { CodeObject } from '../services/lambda/web-functions/revisions.ts';
import { openArtifactStore } from './open-stores.ts';
import type { SyncRun } from './sync-run.ts';

/** Code of a Web Function where a deployment would put it. */
interface WebFunctionCode extends CodeObject {
  /** Uploads it unless the bucket has it. */
  upload(): Promise<void>;
}

/** Uploads code of Web Functions without a deployment. */
export interface WebFunctionUploads {
  /** undefined: the bucket does not exist yet. */
  locate(id: ResourceIdentifier, folder: string): Promise<WebFunctionCode | undefined>;
  close(): Promise<void>;
}

/** Opens the bucket for the code of Web Functions; the name of the bucket is looked up at once. */
export function openWebFunctionUploads(run: SyncRun): WebFunctionUploads {
  const { store, webFunctions } = openArtifactStore(run, { bucket: '' });
  const finding = webFunctions.findBucket();
  // reported by the first use
  finding.catch(() => {});
  return {
    locate: async (label, path) => {
      const located = await store.locate({ kind: 'zip', path, label, use: 'web-function' });
      const bucket = await finding;
      return bucket === undefined ? undefined : { bucket, key: located.key, upload: () => store.upload(located) };
    },
    close: () => store.dispose(),
  };
}
