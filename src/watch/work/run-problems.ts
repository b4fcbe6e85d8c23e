import type { BuildResult } from '../../builder/artifact.ts';
import type { RunProblem } from '../../errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import type { SyncedResource } from '../loop/watch-tasks.ts';

/** What is known of functions that cannot run although they were built. */
export interface KnownRunProblems {
  /** What was built just now counts from now on. */
  note(built: BuildResult): void;
  /** The results, with why a function that was synced cannot run. */
  addTo(results: readonly SyncedResource[]): Promise<SyncedResource[]>;
}

export function createRunProblems(): KnownRunProblems {
  const known = new Map<ResourceIdentifier, readonly RunProblem[]>();
  const checking = new Set<Promise<void>>();
  return {
    note: ({ folders, runProblems }) => {
      const remember = async (): Promise<void> => {
        const found = await runProblems;
        for (const id of folders.keys()) known.set(id, found.get(id) ?? []);
      };
      const check = remember().finally(() => checking.delete(check));
      checking.add(check);
    },
    addTo: async (results) => {
      await Promise.all(checking);
      return results.map((result) => {
        const problems = result.outcome === 'failed' ? [] : (known.get(result.id) ?? []);
        return problems.length === 0 ? result : { ...result, problems };
      });
    },
  };
}
