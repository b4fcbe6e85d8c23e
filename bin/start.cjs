'use strict';

// CommonJS, like the bundle: Node loads its ES module loader only for ES modules
const fs = require('node:fs');
const path = require('node:path');
const { openBundle } = require('./code-cache.cjs');

/**
 * V8's flags for a watch, which mostly waits: a young generation of 16 MB pays for servers. With Node.js 20 the optimizing compiler,
 * which takes 8 MB, is for long loops only (later V8 has no such flag). Set before anything is loaded: V8 uses compiled code only
 * under the flags that it was compiled under.
 */
const WATCH_FLAGS = [
  '--semi-space-growth-factor=1',
  ...(process.versions.v8.startsWith('11.')
    ? ['--interrupt-budget=10000000', '--max-bytecode-size-for-early-opt=0']
    : []),
];

/**
 * Whether the command is a watch, by the command line or the samconfig of this folder (`sam init` writes `watch = true`). A guess:
 * the flags change nothing but memory and time.
 */
function isWatch(program, args) {
  const isSync = program === 'sam' ? args.includes('sync') : args[0] !== 'cloud' && args[0] !== 'cache';
  if (!isSync || args.includes('--no-watch')) return false;
  if (args.includes('--watch')) return true;
  const file = 'samconfig.toml';
  try {
    // reading a named pipe would wait for a writer
    return fs.statSync(file).isFile() && /^\s*watch\s*=\s*true\b/m.test(fs.readFileSync(file, 'latin1'));
  } catch {
    return false;
  }
}

/** Runs the bundled program under one of its names. */
exports.start = async function start(program) {
  // otherwise the AWS SDK prints a warning with the first client
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const packageDir = path.dirname(fs.realpathSync(__dirname));
  const folder = path.join(packageDir, 'dist');
  if (!fs.existsSync(path.join(folder, 'main.cjs')) && !buildCheckout(packageDir)) {
    console.error(`Error: ${folder} is missing: run \`npm run prepare\` in ${packageDir}`);
    process.exitCode = 1;
    return;
  }
  try {
    const args = process.argv.slice(2);
    const how = isWatch(program, args) ? { flags: WATCH_FLAGS } : { use: args.includes('--code') ? 'code-' : '' };
    const { main: bundle, save } = openBundle(folder, how);
    process.exitCode = await bundle.main(args, bundle.processIo(program, packageDir));
    save();
  } catch (error) {
    // the program reports its own errors; here a part of it failed to load, e.g. because of too many open files
    console.error('Error: could not load sam-sync:', error.syscall === undefined ? error : error.message);
    process.exitCode = 1;
  }
};

/**
 * Builds a fresh clone on its first run: `npm install --global <folder>` links it, and recent versions of npm then run no
 * script of it. Returns false if there is nothing to build or the build failed.
 */
function buildCheckout(packageDir) {
  const script = path.join(packageDir, 'scripts', 'prepare.mjs');
  if (!fs.existsSync(script)) return false;
  console.error(`Building sam-sync in ${packageDir}, once (20 s) …`);
  const { spawnSync } = require('node:child_process');
  // standard output belongs to the command
  return spawnSync(process.execPath, [script], { stdio: ['ignore', 2, 2] }).status === 0;
}
