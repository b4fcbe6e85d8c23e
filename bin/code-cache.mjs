import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vm from 'node:vm';

/** Files that were written so long ago (ms) go with the next one that is written: most are of versions that are gone. */
const OLD_AFTER = 30 * 24 * 60 * 60 * 1000;
const HASH = 'sha256';
const HASH_BYTES = 32;
const PARAMETERS = 'exports, require, module, __filename, importModule';

/**
 * Loads the bundle with the code that V8 compiled for it in an earlier run: that is a third of what a short command takes.
 * `save`, called at the end of a run, keeps what had to be compiled. Nothing fails because of the cache.
 *
 * The file is named by what the code was compiled of and for (the build, Node's version, the machine's architecture) and
 * begins with the hash of all that follows, as V8 takes what it is given without a look.
 */
export function openBundle(folder, { cacheDir = codeCacheDir() } = {}) {
  const mainText = fs.readFileSync(path.join(folder, 'main.cjs'), 'latin1');
  const build = /^\/\/ build (\w+)/.exec(mainText)?.[1];
  const file = path.join(cacheDir, `${build}-${process.version}-${process.arch}`);
  const known = build === undefined ? new Map() : readCache(file);
  const modules = new Map();
  let isNew = false;

  const load = (name) => {
    const loaded = modules.get(name);
    if (loaded) return loaded.module.exports;
    const filename = path.join(folder, name);
    const text = name === 'main.cjs' ? mainText : fs.readFileSync(filename, 'latin1');
    const cachedData = known.get(name);
    const script = new vm.Script(`(function (${PARAMETERS}) {${text}\n})`, {
      filename,
      cachedData,
    });
    if (cachedData === undefined || script.cachedDataRejected) isNew = true;
    const module = { exports: {} };
    modules.set(name, { module, script });
    script.runInThisContext()(module.exports, requirePart, module, filename, importModule);
    return module.exports;
  };
  const ownRequire = createRequire(path.join(folder, 'main.cjs'));
  const requirePart = (id) => (id.startsWith('./') ? load(id.slice(2)) : ownRequire(id));

  const save = () => {
    if (!isNew || build === undefined) return;
    // with the functions that were compiled when they were called
    for (const [name, { script }] of modules) known.set(name, script.createCachedData());
    writeCache(file, known);
  };
  return { main: load('main.cjs'), save };
}

/** Compiled code that was kept cannot import by itself. */
function importModule(specifier) {
  return import(specifier);
}

/** `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`; below it a folder of ours. */
function codeCacheDir({ env, platform } = process) {
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
}

/** Name of the file in the bundle → its compiled code. Empty if there is none, or another user's, or a damaged one. */
function readCache(file) {
  const parts = new Map();
  try {
    const descriptor = fs.openSync(file, 'r');
    try {
      if (fs.fstatSync(descriptor).uid !== (process.getuid?.() ?? 0)) return parts;
      const bytes = fs.readFileSync(descriptor);
      const body = bytes.subarray(HASH_BYTES);
      if (!hashOf(body).equals(bytes.subarray(0, HASH_BYTES))) return parts;
      const start = 4 + body.readUInt32LE(0);
      const lengths = JSON.parse(body.toString('latin1', 4, start));
      let at = start;
      for (const [name, length] of lengths) parts.set(name, body.subarray(at, (at += length)));
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    // as if there were none
    parts.clear();
  }
  return parts;
}

/** Whole or not at all: several commands may end at the same time. */
function writeCache(file, parts) {
  const temporary = `${file}.tmp-${process.pid}`;
  try {
    const lengths = Buffer.from(JSON.stringify([...parts].map(([name, data]) => [name, data.length])));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(lengths.length);
    const body = Buffer.concat([size, lengths, ...parts.values()]);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    removeOld(path.dirname(file));
    fs.writeFileSync(temporary, Buffer.concat([hashOf(body), body]), { mode: 0o600 });
    fs.renameSync(temporary, file);
  } catch {
    // a home that is full or not ours to write to
    remove(temporary);
  }
}

function removeOld(folder) {
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    if (fs.statSync(file).mtimeMs < Date.now() - OLD_AFTER) remove(file);
  }
}

function remove(file) {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // it stays
  }
}

function hashOf(bytes) {
  return crypto.createHash(HASH).update(bytes).digest();
}
