'use strict';

// CommonJS, as is the bundle: Node loads its machinery for ES modules only if one is loaded
const fs = require('node:fs');
const path = require('node:path');
const { openBundle } = require('./code-cache.cjs');

/** Runs the bundled program under one of its names. */
exports.start = async function start(program) {
  // the AWS SDK writes it to stderr with the first client
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const packageDir = path.dirname(fs.realpathSync(__dirname));
  const folder = path.join(packageDir, 'dist');
  if (!fs.existsSync(path.join(folder, 'main.cjs'))) {
    console.error(`${folder} is missing: run \`npm install && npm run build\` in ${packageDir}`);
    process.exitCode = 1;
    return;
  }
  try {
    const { main: bundle, save } = openBundle(folder);
    process.exitCode = await bundle.main(process.argv.slice(2), bundle.processIo(program, packageDir));
    save();
  } catch (error) {
    // what the program does not report by itself: a part of it could not be loaded, e.g. too many files are open
    console.error('Error: sam-sync could not be loaded:', error.syscall === undefined ? error : error.message);
    process.exitCode = 1;
  }
};
