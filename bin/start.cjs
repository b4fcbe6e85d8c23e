'use strict';

// CommonJS, like the bundle: Node loads its ES module loader only for ES modules
const fs = require('node:fs');
const path = require('node:path');
const { loadBundle } = require('./load-bundle.cjs');

/** Runs the bundled program under one of its names. */
exports.start = async function start(program) {
  // otherwise the AWS SDK prints a warning with the first client
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const packageDir = path.dirname(fs.realpathSync(__dirname));
  const folder = path.join(packageDir, 'dist');
  if (!fs.existsSync(path.join(folder, 'main.cjs'))) {
    console.error(`${folder} is missing: run \`npm install && npm run build\` in ${packageDir}`);
    process.exitCode = 1;
    return;
  }
  try {
    const { main: bundle, save } = loadBundle(folder);
    process.exitCode = await bundle.main(process.argv.slice(2), bundle.processIo(program, packageDir));
    save();
  } catch (error) {
    // the program reports its own errors; here a part of it failed to load, e.g. because of too many open files
    console.error('Error: could not load sam-sync:', error.syscall === undefined ? error : error.message);
    process.exitCode = 1;
  }
};
