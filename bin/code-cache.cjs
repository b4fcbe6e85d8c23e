'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');

/** Files that were written so long ago (ms) go with the next one that is written: most are of versions that are gone. */
const OLD_AFTER = 30 * 24 * 60 * 60 * 1000;
/** At the start of the file: the length of the index, and its hash (bytes). */
const LENGTH_BYTES = 4;
const HASH_BYTES = 20;
const PARAMETERS = 'exports, require, module, __filename';

/**
 * Loads the bundle with the code that V8 compiled for it in an earlier run: that is a third of what a short command takes.
 * `save`, called at the end of a run, keeps what had to be compiled. Nothing fails because of the cache.
 *
 * Its file is named by what the code was compiled of and for: the build, Node's version, the architecture. As V8 takes what
 * it is given without a look, each part has its hash in the index, and the index its own.
 */
exports.openBundle = function openBundle(folder, { cacheDir = codeCacheDir() } = {}) {
  const mainText = fs.readFileSync(path.join(folder, 'main.cjs'), 'latin1');
  const build = /^\/\/ build (\w+)/.exec(mainText)?.[1];
  const file = path.join(cacheDir, `${build}-${process.version}-${process.arch}`);
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
    if (isNew && build !== undefined) {
      const parts = cache.readAll();
      // with the functions that were compiled when they were called
      for (const [name, { script }] of modules) parts.set(name, script.createCachedData());
      writeCache(file, parts);
    }
    cache.close();
  };
  return { main: load('main.cjs'), save };
};

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

/** The parts of a cache file, read one by one as they are needed. Without the file, or with another user's, there are none. */
function openCache(file) {
  let descriptor;
  let index = new Map();
  try {
    descriptor = fs.openSync(file, 'r');
    if (fs.fstatSync(descriptor).uid === (process.getuid?.() ?? 0)) index = readIndex(descriptor);
  } catch {
    // none, or damaged
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
    /** Those that are whole. */
    readAll: () =>
      new Map([...index.keys()].map((name) => [name, read(name)]).filter(([, data]) => data !== undefined)),
    close: () => {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    },
  };
}

/** Name of the file in the bundle → where its compiled code is. */
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

/** Whole or not at all: several commands may end at the same time. */
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
    // a home that is full or not ours to write to
    remove(temporary);
  }
}

/** Node's own way (`recursive`) tries for ever where nothing can be made, e.g. in /proc. */
function makeFolder(folder) {
  if (fs.existsSync(folder)) return;
  const above = path.dirname(folder);
  if (above !== folder) makeFolder(above);
  fs.mkdirSync(folder, { mode: 0o700 });
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

/** Against damage, not against people: who can write here can write anything of this user's. */
function hashOf(bytes) {
  return crypto.createHash('sha1').update(bytes).digest('hex');
}
