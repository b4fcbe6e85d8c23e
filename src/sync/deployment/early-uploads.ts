import type { BuiltFolder } from '../../builder/build-result.ts';
import type { DeployedState } from '../../deploy/deploy-stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { localWebFunctions } from '../../model/web-functions.ts';
import type { ArtifactStore } from '../../package/artifact-store.ts';

/** Uploads finished builds while other builds run. */
export interface EarlyUploads {
  add(folder: BuiltFolder, ids: readonly ResourceIdentifier[], content: 'code' | 'dependencies'): void;
  /** Throws the first failure so far: what failed early is not sent a second time. */
  throwIfFailed(): void;
  /** Rejects with the first upload that failed. */
  done(): Promise<void>;
}

/**
 * Uploads early only for a stack that does not exist, which needs everything: for an existing one a code sync, which sends code
 * directly, may be enough. Dependencies are only zipped, because their key depends on the function, and so are Web Functions,
 * so that an application that cannot be built gets no bucket for them.
 */
export function createEarlyUploads(
  store: ArtifactStore,
  { root, deployed }: { root: Stack; deployed: DeployedState },
): EarlyUploads {
  const webFunctions = new Set(localWebFunctions(root));
  const running: Promise<void>[] = [];
  const failures: unknown[] = [];
  const send = async (
    path: string,
    ids: readonly ResourceIdentifier[],
    content: 'code' | 'dependencies',
  ): Promise<void> => {
    const label = ids.length > 1 ? `${ids[0]} and ${ids.length - 1} more` : (ids[0] ?? path);
    const item = { kind: 'zip', path, label } as const;
    const later = content === 'dependencies' || ids.some((id) => webFunctions.has(id));
    if (later) await store.zip(item);
    else await store.upload(await store.locate(item));
  };
  return {
    add(folder, ids, content) {
      if (deployed.stack !== undefined) return;
      const sending = send(folder.path, ids, content);
      sending.catch((error: unknown) => failures.push(error)); // reported after the builds
      running.push(sending);
    },
    throwIfFailed() {
      if (failures.length > 0) throw failures[0];
    },
    async done() {
      await Promise.all(running);
    },
  };
}
