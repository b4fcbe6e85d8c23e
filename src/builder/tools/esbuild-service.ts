import type * as Esbuild from 'esbuild';
import { UserError } from '../../errors.ts';

/** esbuild's process ends after this time without work (ms). It starts again within 10 ms. */
const IDLE_FOR = 1_000;

/** An esbuild whose process runs, or ended because it had no work. */
interface Service {
  /** How many callers use it. */
  users: number;
  timer: NodeJS.Timeout | undefined;
  isStopped: boolean;
  /** How many of its processes ended by themselves. */
  lost: number;
}

/** By module: each esbuild has one process for all callers. */
const services = new Map<typeof Esbuild, Service>();

/**
 * Runs `work` with an esbuild. Its process, which takes 20 MB, ends when it has had no work for a while. If the process was
 * killed, `work` runs again with a new one.
 */
export async function useEsbuild<T>(esbuild: typeof Esbuild, work: () => Promise<T>): Promise<T> {
  const service = services.get(esbuild) ?? { users: 0, timer: undefined, isStopped: false, lost: 0 };
  services.set(esbuild, service);
  service.users++;
  service.isStopped = false;
  clearTimeout(service.timer);
  try {
    return await withNewProcess(esbuild, service, work);
  } finally {
    service.users--;
    if (service.users === 0) service.timer = setTimeout(() => stop(esbuild, service), IDLE_FOR).unref();
  }
}

/** Whether a call failed because esbuild's process has ended. esbuild starts no other one by itself. */
export function isProcessGone(error: unknown): error is Error {
  return error instanceof Error && /^The service (was stopped|is no longer running)/.test(error.message);
}

async function withNewProcess<T>(esbuild: typeof Esbuild, service: Service, work: () => Promise<T>): Promise<T> {
  const { lost } = service;
  try {
    return await work();
  } catch (error) {
    if (!isProcessGone(error)) throw error;
    // not a process that another caller has started since
    if (service.lost === lost) {
      service.lost++;
      endProcess(esbuild);
    }
  }
  try {
    return await work();
  } catch (error) {
    if (!isProcessGone(error)) throw error;
    throw new UserError(`The process of esbuild does not run: ${error.message}`, {
      cause: error,
      hint: 'If the system ends it, the machine may be short of memory: close other programs, then build again.',
    });
  }
}

/** Starts the processes again that ended without work, so that they are there when a build asks for them. */
export function wakeEsbuild(): void {
  for (const [esbuild, { isStopped }] of services)
    if (isStopped) useEsbuild(esbuild, () => esbuild.transform('')).catch(() => {}); // the build meets the same failure
}

function stop(esbuild: typeof Esbuild, service: Service): void {
  service.isStopped = endProcess(esbuild);
}

/** Ends the process; the next call starts another. false: an old esbuild, whose process ends with this one only. */
function endProcess(esbuild: typeof Esbuild): boolean {
  const { stop: end } = esbuild as Partial<typeof Esbuild>;
  void end?.();
  return end !== undefined;
}
