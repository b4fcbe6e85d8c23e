import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBundle } from './code-cache.mjs';

/** Runs the bundled program under one of its names. */
export async function start(program) {
  // the AWS SDK writes it to stderr with the first client
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const packageDir = path.dirname(path.dirname(fs.realpathSync(fileURLToPath(import.meta.url))));
  const folder = path.join(packageDir, 'dist');
  if (!fs.existsSync(path.join(folder, 'main.cjs'))) {
    console.error(`${folder} is missing: run \`npm install && npm run build\` in ${packageDir}`);
    process.exitCode = 1;
    return;
  }
  const { main: bundle, save } = openBundle(folder);
  process.exitCode = await bundle.main(process.argv.slice(2), bundle.processIo(program, packageDir));
  save();
}
