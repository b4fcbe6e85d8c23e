import type { Reporter } from '../../console/reporter.ts';
import { ensureCloud } from '../../local/cloud.ts';
import type { Env } from '../../aws/config-files.ts';
import type { LocalCloud } from '../../local/local-cloud.ts';
import { resolveCloudPlace } from './cloud-place.ts';

/** Sets up and starts the local cloud that the environment names, or finds it running. */
export function openLocalCloud(how: { env: Env; reporter: Reporter; signal: AbortSignal }): Promise<LocalCloud> {
  return ensureCloud({ ...resolveCloudPlace(how.env), ...how });
}
