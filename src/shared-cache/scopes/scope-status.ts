import type { CacheScope } from './scope.ts';

/** What a shared cache holds. */
export interface ScopeStatus {
  name: string;
  entries: number;
  zips: number;
  bytes: number;
  /** When the oldest and the newest object were written (ms since the epoch). */
  oldest: number | undefined;
  newest: number | undefined;
}

/** Counts the objects of a scope. Rejects if it cannot be listed. */
export async function scopeStatus(scope: CacheScope, signal: AbortSignal): Promise<ScopeStatus> {
  const status: ScopeStatus = { name: scope.name, entries: 0, zips: 0, bytes: 0, oldest: undefined, newest: undefined };
  for await (const { name, size, writtenAt } of scope.list(signal)) {
    if (name.startsWith('ac/')) status.entries++;
    else status.zips++;
    status.bytes += size;
    status.oldest = Math.min(status.oldest ?? writtenAt, writtenAt);
    status.newest = Math.max(status.newest ?? writtenAt, writtenAt);
  }
  return status;
}
