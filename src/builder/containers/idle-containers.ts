import { openSlot } from './container-slot.ts';
import type { ContainerSlot, SlotRequest } from './container-slot.ts';

/**
 * Keeps containers on other machines between the builds of a watch: a container that has the sources needs only what changed, and
 * its build tools are warm.
 */
export interface IdleContainers {
  /** Returns a waiting container for such a build, or opens one. */
  take(request: SlotRequest, signal: AbortSignal): Promise<ContainerSlot>;
  /** Lets a container wait, or closes it if it cannot serve another build. */
  keep(slot: ContainerSlot): Promise<void>;
  /** Closes all that wait. Those that are kept later are closed at once. */
  close(): Promise<void>;
}

/** Containers that wait cost the engine memory: those of build daemons, for example. */
const WAITING = 4;

/** Starts with none. */
export function openIdleContainers(): IdleContainers {
  /** The one that waits longest comes first. */
  const waiting: ContainerSlot[] = [];
  let isClosed = false;
  return {
    take: async (request, signal) => {
      for (;;) {
        const index = waiting.findIndex((slot) => keyOf(slot.request) === keyOf(request));
        const [slot] = index === -1 ? [] : waiting.splice(index, 1);
        if (slot === undefined) return openSlot(request, signal);
        slot.signal = signal;
        slot.inputs = [];
        slot.storedFiles.clear();
        // the engine may have lost it meanwhile
        if (await slot.reset().catch(() => false)) return slot;
        await slot.close();
      }
    },
    keep: async (slot) => {
      if (isClosed || !slot.isReusable()) return slot.close();
      waiting.push(slot);
      if (waiting.length > WAITING) await waiting.shift()?.close();
    },
    close: async () => {
      isClosed = true;
      await Promise.all(waiting.splice(0).map((slot) => slot.close()));
    },
  };
}

/** What a container has from its start. */
function keyOf({ definition, settings, place, imageId }: SlotRequest): string {
  const { codeDir, makefile, architecture } = definition;
  return JSON.stringify([place.remote, imageId, architecture, settings.env, codeDir, makefile]);
}
