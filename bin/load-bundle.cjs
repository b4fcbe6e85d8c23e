'use strict';

const fs = require('node:fs');
const nodeModule = require('node:module');
const path = require('node:path');
const { codeCacheDir, makeFolder } = require('./cache-folder.cjs');

/** Folders of compiled code older than this (ms) are removed when a new build creates its own. */
const OLD_AFTER = 30 * 24 * 60 * 60 * 1000;

/**
 * Loads the bundle with compiled code of earlier runs: with Node's compile cache (Node ≥ 22.8), else with our own.
 * Call `save` at the end of the run.
 */
exports.loadBundle = function loadBundle(folder) {
  if (nodeModule.enableCompileCache === undefined) return require('./code-cache.cjs').openBundle(folder);
  // the user may have enabled it with NODE_COMPILE_CACHE
  if (nodeModule.getCompileCacheDir() === undefined) enableCache(path.join(codeCacheDir(), 'node', buildOf(folder)));
  return { main: require(path.join(folder, 'main.cjs')), save: () => {} };
};

/** Enables the cache in a folder per build, as Node never removes code of earlier builds. */
function enableCache(dir) {
  try {
    if (!fs.existsSync(dir)) {
      makeFolder(dir);
      removeOld(path.dirname(dir));
    }
  } catch {
    // without a cache: Node would try forever to create a folder where it cannot, e.g. in /proc
    return;
  }
  nodeModule.enableCompileCache(dir);
}

/** Reads the build's hash from the first line of the bundle. */
function buildOf(folder) {
  const descriptor = fs.openSync(path.join(folder, 'main.cjs'), 'r');
  try {
    const head = Buffer.alloc(100);
    fs.readSync(descriptor, head, 0, head.length, 0);
    return /^\/\/ build (\w+)/.exec(head.toString('latin1'))?.[1] ?? 'unknown';
  } finally {
    fs.closeSync(descriptor);
  }
}

function removeOld(parent) {
  for (const name of fs.readdirSync(parent)) {
    const dir = path.join(parent, name);
    if (fs.statSync(dir).mtimeMs < Date.now() - OLD_AFTER) fs.rmSync(dir, { recursive: true, force: true });
  }
}
