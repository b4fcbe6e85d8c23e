'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** Returns the folder for compiled code below `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`. */
exports.codeCacheDir = function codeCacheDir({ env, platform } = process) {
  const home = os.homedir();
  const base =
    env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME)
      ? env.XDG_CACHE_HOME
      : platform === 'darwin'
        ? path.join(home, 'Library', 'Caches')
        : platform === 'win32'
          ? (env.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'))
          : path.join(home, '.cache');
  return path.join(base, 'sam-sync', 'code');
};

/** Creates a folder and its parents. Node's `recursive` never returns where folders cannot be created, e.g. in /proc. */
exports.makeFolder = makeFolder;
function makeFolder(folder) {
  if (fs.existsSync(folder)) return;
  const above = path.dirname(folder);
  if (above !== folder) makeFolder(above);
  fs.mkdirSync(folder, { mode: 0o700 });
}
