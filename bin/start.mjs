import * as fs from 'node:fs';
import * as module from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Runs the bundled program under one of its names. */
export async function start(program) {
  // compiled code is kept between runs (Node ≥ 22.8)
  module.enableCompileCache?.();
  // the AWS SDK writes it to stderr with the first client
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const packageDir = path.dirname(path.dirname(fs.realpathSync(fileURLToPath(import.meta.url))));
  const bundle = new URL('../dist/main.mjs', import.meta.url);
  if (!fs.existsSync(bundle)) {
    console.error(`${fileURLToPath(bundle)} is missing: run \`npm install && npm run build\` in ${packageDir}`);
    process.exitCode = 1;
    return;
  }
  const { main, processIo } = await import(bundle.href);
  process.exitCode = await main(process.argv.slice(2), processIo(program, packageDir));
}
