import * as path from 'node:path';

/** Returns our folder in the user's cache: `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`. */
export function userCacheDir(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
  platform: NodeJS.Platform,
): string {
  const xdg = env['XDG_CACHE_HOME'];
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, 'sam-sync');
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'sam-sync');
  if (platform === 'win32') return path.join(env['LOCALAPPDATA'] || path.join(home, 'AppData', 'Local'), 'sam-sync');
  return path.join(home, '.cache', 'sam-sync');
}
