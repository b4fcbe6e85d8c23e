import type { ResourceIdentifier } from '../model/stack.ts';

/** Tells what builds write into their own source from what people save there. */
export interface OwnWrites {
  /** A sync of the resource begins, or has ended. */
  started(id: ResourceIdentifier): void;
  ended(id: ResourceIdentifier): void;
  /** Whether the change of these paths counts for the resource. */
  counts(id: ResourceIdentifier, paths: readonly string[]): boolean;
}

/** Notifications may come so long after a build has ended (ms). */
const LATE_BY = 200;
/** So many syncs in a row that were begun by nothing but what the one before had written are enough. */
const MOST_REPEATS = 4;

interface Known {
  running: boolean;
  endedAt: number;
  /** Paths that were written during the last sync, and how often in a row the same. */
  written: string;
  repeats: number;
}

/**
 * A build that writes something new into its source each time would be repeated for ever. One whose results are the same is
 * repeated once, because the content of what it wrote is compared. `onRepeating` is told what is not followed any more.
 */
export function createOwnWrites(
  onRepeating: (id: ResourceIdentifier, paths: readonly string[]) => void,
  clock: () => number = () => performance.now(),
): OwnWrites {
  const resources = new Map<ResourceIdentifier, Known>();
  const knownOf = (id: ResourceIdentifier): Known => {
    const known = resources.get(id) ?? { running: false, endedAt: -LATE_BY, written: '', repeats: 0 };
    resources.set(id, known);
    return known;
  };
  return {
    started: (id) => {
      knownOf(id).running = true;
    },
    ended: (id) => Object.assign(knownOf(id), { running: false, endedAt: clock() }),
    counts: (id, paths) => {
      const known = knownOf(id);
      const isOwn = known.running || clock() - known.endedAt < LATE_BY;
      const written = [...paths].sort().join('\n');
      if (!isOwn || written !== known.written) {
        known.written = isOwn ? written : '';
        known.repeats = 0;
        return true;
      }
      known.repeats++;
      if (known.repeats === MOST_REPEATS) onRepeating(id, paths);
      return known.repeats < MOST_REPEATS;
    },
  };
}
