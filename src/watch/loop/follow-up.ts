import type { LoopEvent } from './watch-tasks.ts';

/** Decides when a deployment follows code syncs that left values behind. */
export interface FollowUp {
  /** What happens in the loop. */
  note(event: LoopEvent): void;
  stop(): void;
}

/** Without a change for so long it is quiet (ms). */
const QUIET = 2_000;

/**
 * After a code sync of something that other values follow, deploys once, when nothing has changed for a while: whoever goes
 * on saving gets code syncs alone. `deploy` is called while the loop is idle.
 */
export function createFollowUp(deploy: () => void, quietMs: number = QUIET): FollowUp {
  let isWanted = false;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const begin = (): void => {
    timer = undefined;
    deploy();
  };
  return {
    stop,
    note: (event) => {
      switch (event.type) {
        case 'ended':
          isWanted ||= event.resource.behind === true;
          return;
        case 'deploy-ended':
          // one that failed waits for what is mended, as always
          isWanted = false;
          return stop();
        case 'idle':
          if (isWanted) timer ??= setTimeout(begin, quietMs);
          return;
        default:
          // something goes on again
          stop();
      }
    },
  };
}
