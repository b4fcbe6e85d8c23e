import * as os from 'node:os';
import { UsageError } from '../../errors.ts';
import { DEFAULT_CLOUD_PORT, type CloudPlace } from '../../local/cloud.ts';
import { userCacheDir } from '../../support/user-cache.ts';

/** The variable with the port of the local cloud. */
export const CLOUD_PORT_VARIABLE = 'SAM_SYNC_CLOUD_PORT';

/** Returns the cache folder and port of the local cloud. */
export function resolveCloudPlace(env: Readonly<Record<string, string | undefined>>): CloudPlace {
  return { cacheDir: userCacheDir(env, os.homedir(), process.platform), port: resolveCloudPort(env) };
}

function resolveCloudPort(env: Readonly<Record<string, string | undefined>>): number {
  const text = env[CLOUD_PORT_VARIABLE];
  if (text === undefined || text === '') return DEFAULT_CLOUD_PORT;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new UsageError(`${CLOUD_PORT_VARIABLE}: "${text}" is not a port`, {
    hint: `A port is a number from 1 to 65535; the default is ${DEFAULT_CLOUD_PORT}.`,
  });
}
