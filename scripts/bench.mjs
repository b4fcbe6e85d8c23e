// npm run bench [-- CASE… | --list | --resume | --report | --rounds N]: both tools on the same applications, then bench/RESULTS.md.
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { build } from 'esbuild';
import { installAndBuild, root, run } from './install.mjs';

installAndBuild();

// two folders below the root, like test/support, whose files find the root by their own location
const outdir = '.cache/bench';
const common = { absWorkingDir: root, outdir, bundle: true, format: 'esm', platform: 'node', target: 'node20' };
const outExtension = { '.js': '.mjs' };
await build({ ...common, entryPoints: ['bench/main.ts'], outExtension, packages: 'external' });
// bundled like the program: it measures the same calls without the program
const banner = {
  js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
};
const mainFields = ['module', 'main'];
await build({ ...common, entryPoints: ['bench/floor.ts'], outExtension, mainFields, minify: true, banner });

// the program looks for the emulator's plugin beside the bundle
await fs.cp(path.join(root, 'src/local/plugin'), path.join(root, outdir, 'plugin'), { recursive: true });
// the plugin's resource types
const types = 'cloudformation-types.json';
await fs.cp(path.join(root, 'src/model/validation', types), path.join(root, outdir, types));

const options = { allowFailure: true, shell: false };
// it measures this checkout, also if .cache is a link
const main = ['--preserve-symlinks-main', `${outdir}/main.mjs`];
process.exitCode = run(process.execPath, [...main, ...process.argv.slice(2)], options);
