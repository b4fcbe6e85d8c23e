import type { BuiltFolder } from '../build/artifact.ts';
import type { DeployedState } from '../deploy/deploy-stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import type { ArtifactStore } from '../package/artifact-store.ts';
import { refersTo } from './missing-uploads.ts';

/** Zips and sends what is built while other things still build. */
export interface EarlyUploads {
  add(folder: BuiltFolder, ids: readonly ResourceIdentifier[], content: 'code' | 'dependencies'): void;
  /** Rejects with the first upload that failed. */
  done(): Promise<void>;
}

/**
 * Only what is surely needed is sent early: code of the root stack that the deployed template does not refer to, and
 * everything if there is no stack yet. Dependencies are only zipped, because their key depends on the function.
 */
export function createEarlyUploads(store: ArtifactStore, deployed: DeployedState): EarlyUploads {
  const running: Promise<void>[] = [];
  const send = async (
    path: string,
    ids: readonly ResourceIdentifier[],
    content: 'code' | 'dependencies',
  ): Promise<void> => {
    const label = ids.length > 1 ? `${ids[0]} and ${ids.length - 1} more` : (ids[0] ?? path);
    const item = { kind: 'zip', path, label } as const;
    if (content === 'dependencies') {
      if (deployed.stack === undefined) await store.zip(item);
      return;
    }
    const isNew = deployed.stack === undefined;
    if (!isNew && ids.every((id) => id.includes('/'))) return;
    const located = await store.locate(item);
    if (isNew || !refersTo(deployed.template, located)) await store.upload(located);
  };
  return {
    add(folder, ids, content) {
      const sending = send(folder.path, ids, content);
      sending.catch(() => {}); // told by done(), when the builds are over
      running.push(sending);
    },
    async done() {
      await Promise.all(running);
    },
  };
}
