import type { ResourceIdentifier } from '../model/stack.ts';
import type { CodeObject } from '../services/lambda/web-functions/revisions.ts';
import { openArtifactStore } from './open-stores.ts';
import type { SyncRun } from './sync-run.ts';

/** Code of a Web Function where a deployment would put it. */
export interface WebFunctionCode extends CodeObject {
  /** Uploads it unless the bucket has it. */
  upload(): Promise<void>;
}

/** Uploads code of Web Functions without a deployment. */
export interface WebFunctionUploads {
  locate(id: ResourceIdentifier, folder: string): Promise<WebFunctionCode>;
  close(): Promise<void>;
}

/** Opens the bucket for the code of Web Functions; the name of the bucket is looked up at once. */
export function openWebFunctionUploads(run: SyncRun): WebFunctionUploads {
  const { store, webFunctions } = openArtifactStore(run, { bucket: '' });
  const finding = webFunctions.bucketName();
  // reported by the first use
  finding.catch(() => {});
  return {
    locate: async (label, path) => {
      const located = await store.locate({ kind: 'zip', path, label, use: 'web-function' });
      return { bucket: await finding, key: located.key, upload: () => store.upload(located) };
    },
    close: () => store.dispose(),
  };
}
