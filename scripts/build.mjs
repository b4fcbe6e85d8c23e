// Bundles src/main.ts and what it imports into dist/, split so that a command loads only what it uses.
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = path.join(root, 'dist');
const fresh = path.join(root, `dist.tmp-${process.pid}`);

await fs.rm(fresh, { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts' },
  outdir: fresh,
  outExtension: { '.js': '.mjs' },
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  // packages that ship both forms are split and shaken in their ESM form only
  mainFields: ['module', 'main'],
  target: 'node20',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  sourcemap: false,
  metafile: true,
  logLevel: 'warning',
  external: ['esbuild'],
  // bundled CommonJS packages ask for Node's own modules with require()
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
await fs.cp(path.join(root, 'src/local/plugin'), path.join(fresh, 'plugin'), {
  recursive: true,
  filter: (source) => !source.includes('__pycache__'),
});
await fs.writeFile(path.join(fresh, 'THIRD-PARTY-LICENSES.txt'), await licences(Object.keys(result.metafile.inputs)));
// a run that is under way keeps its old files until the new ones are whole
await fs.rm(target, { recursive: true, force: true });
await fs.rename(fresh, target);

/** The licence texts of the packages whose code is in the bundle. */
async function licences(inputs) {
  const folders = new Set(
    inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  );
  const parts = [];
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await fs.readFile(path.join(root, folder, 'package.json'), 'utf8'));
    const file = (await fs.readdir(path.join(root, folder))).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await fs.readFile(path.join(root, folder, file), 'utf8') : `License: ${license}`;
    parts.push(`${name} ${version}\n\n${text.trim()}\n`);
  }
  return parts.join(`\n${'-'.repeat(80)}\n\n`);
}
