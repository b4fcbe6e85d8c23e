import type * as Esbuild from 'esbuild';

/** esbuild's process ends after this time without work (ms). It starts again within 10 ms. */
const IDLE_FOR = 1_000;

/** An esbuild whose process runs, or ended because it had no work. */
interface Service {
  /** How many callers use it. */
  users: number;
  timer: NodeJS.Timeout | undefined;
  isStopped: boolean;
}

/** By module: each esbuild has one process for all callers. */
const services = new Map<typeof Esbuild, Service>();

/** Runs `work` with an esbuild. Its process, which takes 20 MB, ends when nobody has used it for a while. */
export async function useEsbuild<T>(esbuild: typeof Esbuild, work: () => Promise<T>): Promise<T> {
  const service = services.get(esbuild) ?? { users: 0, timer: undefined, isStopped: false };
  services.set(esbuild, service);
  service.users++;
  service.isStopped = false;
  clearTimeout(service.timer);
  try {
    return await work();
  } finally {
    service.users--;
    if (service.users === 0) service.timer = setTimeout(() => stop(esbuild, service), IDLE_FOR).unref();
  }
}

/** Starts the processes again that ended without work, so that they are there when a build asks for them. */
export function wakeEsbuild(): void {
  for (const [esbuild, { isStopped }] of services)
    if (isStopped) useEsbuild(esbuild, () => esbuild.transform('')).catch(() => {}); // the build meets the same failure
}

function stop(esbuild: typeof Esbuild, service: Service): void {
  // an application's esbuild may be an old one, which ends with this process only
  const { stop: end } = esbuild as Partial<typeof Esbuild>;
  if (end === undefined) return;
  service.isStopped = true;
  void end();
}
