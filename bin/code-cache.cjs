'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

/** Files older than this (ms) are removed when a new one is written: most belong to old versions. */
const OLD_AFTER = 30 * 24 * 60 * 60 * 1000;
/** Sizes of the header's parts (bytes): the length of the index and its hash. */
const LENGTH_BYTES = 4;
const HASH_BYTES = 20;
const PARAMETERS = 'exports, require, module, __filename';

/**
 * Loads the bundle with the code that V8 compiled in an earlier run, which saves a quarter of a short command's processor
 * time. Node's own compile cache (from 22.8 on) lacks functions that were compiled when called (docs/decisions.md). `save`,
 * called at the end of a run, writes newly compiled code. A failing cache never fails the run.
 *
 * `flags` of V8 are set first. V8 rejects code that was compiled under other flags, as of NODE_OPTIONS, so each set of flags has
 * a file of its own.
 *
 * Commands of each `use` have a file of their own: a short command would also read what long ones compiled of the same parts, 25 ms
 * for 1.5 MB.
 *
 * The file name contains the use, the build, Node's version, the architecture and V8's tag of its version and flags. V8 does not verify
 * cached code, so the index has a hash of each part, and the header a hash of the index.
 */
exports.openBundle = function openBundle(folder, { cacheDir = codeCacheDir(), flags = [], use = '' } = {}) {
  for (const flag of flags) v8.setFlagsFromString(flag);
  const mainText = fs.readFileSync(path.join(folder, 'main.cjs'), 'latin1');
  const build = /^\/\/ build (\w+)/.exec(mainText)?.[1];
  const tag = v8.cachedDataVersionTag();
  const file = path.join(cacheDir, `${use}${build}-${process.version}-${process.arch}-${tag.toString(16)}`);
  const cache = openCache(build === undefined ? undefined : file);
  const modules = new Map();
  let isNew = false;

  const load = (name) => {
    const loaded = modules.get(name);
    if (loaded) return loaded.module.exports;
    const filename = path.join(folder, name);
    const text = name === 'main.cjs' ? mainText : fs.readFileSync(filename, 'latin1');
    const cachedData = cache.read(name);
    const script = new vm.Script(`(function (${PARAMETERS}) {${text}\n})`, { filename, cachedData });
    if (cachedData === undefined || script.cachedDataRejected) isNew = true;
    const module = { exports: {} };
    modules.set(name, { module, script });
    script.runInThisContext()(module.exports, requirePart, module, filename);
    return module.exports;
  };
  const ownRequire = createRequire(path.join(folder, 'main.cjs'));
  const requirePart = (id) => (id.startsWith('./') ? load(id.slice(2)) : ownRequire(id));

  const save = () => {
    // the program may have changed some
    for (const flag of flags) v8.setFlagsFromString(flag);
    if (isNew && build !== undefined && v8.cachedDataVersionTag() === tag) {
      const parts = cache.readAll();
      // includes functions that V8 compiled on their first call
      for (const [name, { script }] of modules) parts.set(name, script.createCachedData());
      writeCache(file, parts);
    }
    cache.close();
  };
  return { main: load('main.cjs'), save };
};

/** Opens a cache file, whose parts are read on demand. A missing file, or one of another user, has no parts. */
function openCache(file) {
  let descriptor;
  let index = new Map();
  try {
    descriptor = fs.openSync(file, 'r');
    if (fs.fstatSync(descriptor).uid === (process.getuid?.() ?? 0)) index = readIndex(descriptor);
  } catch {
    // missing or damaged
  }
  const read = (name) => {
    const part = index.get(name);
    if (part === undefined) return undefined;
    try {
      const data = readBytes(descriptor, part.at, part.length);
      return hashOf(data) === part.hash ? data : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    read,
    /** Returns all undamaged parts. */
    readAll: () =>
      new Map([...index.keys()].map((name) => [name, read(name)]).filter(([, data]) => data !== undefined)),
    close: () => {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    },
  };
}

/** Reads the index: file name in the bundle → position of its compiled code. */
function readIndex(descriptor) {
  const head = readBytes(descriptor, 0, LENGTH_BYTES + HASH_BYTES);
  const start = LENGTH_BYTES + HASH_BYTES;
  const text = readBytes(descriptor, start, head.readUInt32LE(0));
  if (hashOf(text) !== head.toString('hex', LENGTH_BYTES)) return new Map();
  let at = start + text.length;
  return new Map(
    JSON.parse(text).map(([name, length, hash]) => {
      at += length;
      return [name, { at: at - length, length, hash }];
    }),
  );
}

function readBytes(descriptor, at, length) {
  const bytes = Buffer.allocUnsafe(length);
  if (fs.readSync(descriptor, bytes, 0, length, at) !== length) throw new Error('the file is cut');
  return bytes;
}

/** Writes the file atomically: several commands may end at the same time. */
function writeCache(file, parts) {
  const temporary = `${file}.tmp-${process.pid}`;
  try {
    const index = Buffer.from(JSON.stringify([...parts].map(([name, data]) => [name, data.length, hashOf(data)])));
    const head = Buffer.alloc(LENGTH_BYTES);
    head.writeUInt32LE(index.length);
    makeFolder(path.dirname(file));
    removeOld(path.dirname(file));
    const content = Buffer.concat([head, Buffer.from(hashOf(index), 'hex'), index, ...parts.values()]);
    fs.writeFileSync(temporary, content, { mode: 0o600 });
    fs.renameSync(temporary, file);
  } catch {
    // a full or read-only home folder
    remove(temporary);
  }
}

function removeOld(folder) {
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    if (fs.statSync(file).mtimeMs < Date.now() - OLD_AFTER || isLeftover(name)) remove(file);
  }
}

/** Whether a process wrote this temporary file and was killed. */
function isLeftover(name) {
  const [, pid] = /\.tmp-(\d+)$/.exec(name) ?? [];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function remove(file) {
  try {
    // earlier versions left a folder
    fs.rmSync(file, { force: true, recursive: true });
  } catch {
    // keep it
  }
}

/** Hashes against damage, not attackers: whoever can write here can write all files of this user. */
function hashOf(bytes) {
  return crypto.createHash('sha1').update(bytes).digest('hex');
}

/** Returns the folder for compiled code below `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`. */
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

/** Creates a folder and its parents. Node's `recursive` never returns where folders cannot be created, e.g. in /proc. */
function makeFolder(folder) {
  if (fs.existsSync(folder)) return;
  const above = path.dirname(folder);
  if (above !== folder) makeFolder(above);
  fs.mkdirSync(folder, { mode: 0o700 });
}
