import { UserError } from '../errors.ts';
import type { SyncOptions } from '../sync/sync-options.ts';
import type { WatchOutside } from '../sync/sync-outside.ts';

/** Options that decide where everything goes: a session has one place. */
const FIXED = ['stackName', 'region', 'profile', 'local', 'projectDir', 'code', 'output'] as const;

/** The options as the samconfig and parameter files say now. Rejects if they are wrong, or mean another place. */
export async function readChangedOptions(
  before: SyncOptions,
  watch: WatchOutside,
): Promise<{ options: SyncOptions; files: readonly string[]; isChanged: boolean }> {
  const { options, files } = await watch.readOptions();
  const moved = FIXED.filter((name) => options[name] !== before[name]);
  if (moved.length > 0) {
    throw new UserError(`The configuration changed ${moved.join(', ')}, which a running watch cannot take over`, {
      hint: 'End it and start it again, or change it back.',
    });
  }
  // whether it watches is decided
  const now: SyncOptions = { ...options, watch: before.watch, tail: before.tail };
  return { options: now, files, isChanged: JSON.stringify(now) !== JSON.stringify(before) };
}
