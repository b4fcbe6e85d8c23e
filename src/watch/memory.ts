import { Session } from 'node:inspector';
import * as v8 from 'node:v8';

/** Memory is released when nothing has run for this long (ms). */
const QUIET = 200;
/** A collection takes 3 ms for each megabyte, in which no save is noticed; a larger application does not feel 10 MB. */
const LARGEST_HEAP = 64 * 1024 * 1024;

/** Up to this many resources, a watch uses so little processor time that the optimizing compiler does not pay. */
const FEW_RESOURCES = 100;

/** Lets V8 optimize code as often as it usually does, if there is much to do: for a watch, `bin/start.cjs` makes it rare. */
export function optimizeFor(resources: number): void {
  if (resources <= FEW_RESOURCES || !process.versions.v8.startsWith('11.')) return;
  v8.setFlagsFromString('--interrupt-budget=135168');
  v8.setFlagsFromString('--max-bytecode-size-for-early-opt=81');
}

/** Returns memory to the system after work that does not come again soon. */
export interface MemoryRelease {
  /** Releases memory as soon as nothing has run for a moment. */
  request(): void;
  close(): void;
}

/** Creates the release of a process's memory. */
export function createMemoryRelease(isIdle: () => boolean, release: () => void = collectGarbage): MemoryRelease {
  let timer: NodeJS.Timeout | undefined;
  const request = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => (isIdle() ? release() : request()), QUIET).unref();
  };
  return { request, close: () => clearTimeout(timer) };
}

/** Collects garbage and gives free pages back, which V8's own collections keep for the next work. */
function collectGarbage(): void {
  if (process.memoryUsage().heapTotal > LARGEST_HEAP) return;
  const session = new Session();
  session.connect();
  // the answer comes from within the session
  session.post('HeapProfiler.collectGarbage', () => void setImmediate(() => session.disconnect()));
}
