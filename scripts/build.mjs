// Bundles src/main.ts into dist/, split so that a command loads only what it uses. esbuild splits only ES modules, and V8
// caches compiled code (bin/code-cache.cjs) best for CommonJS: each part is converted afterwards.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = path.join(root, 'dist');
const fresh = path.join(root, `dist.tmp-${process.pid}`);
// `npm run build -- --source-maps`, for a debugger: the parts keep their lines and lead back to src/
const forDebugger = process.argv.includes('--source-maps');
const shape = {
  minifyWhitespace: !forDebugger,
  minifySyntax: !forDebugger,
  legalComments: 'none',
  sourcemap: forDebugger ? 'inline' : false,
};

await fs.rm(fresh, { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts', 'deflate-worker': 'src/package/zip/deflate-worker.ts' },
  outdir: fresh,
  outExtension: { '.js': '.cjs' },
  write: false,
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  // esbuild splits and tree-shakes packages only in their ESM form
  mainFields: ['module', 'main'],
  // ws has JavaScript for what these native packages do
  define: {
    'process.env.WS_NO_BUFFER_UTIL': '"1"',
    'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
    SOURCE_HASH: JSON.stringify(await sourceHash()),
  },
  target: 'node20',
  ...shape,
  metafile: true,
  logLevel: 'warning',
  external: ['esbuild'],
});
if (result.warnings.length > 0)
  throw new Error('esbuild warnings mean code that works in the source and not in the bundle');
checkLazyImports(result.metafile.inputs);
await fs.mkdir(fresh);
await writeParts(result.outputFiles);
await fs.cp(path.join(root, 'src/local/plugin'), path.join(fresh, 'plugin'), {
  recursive: true,
  filter: (source) => !source.includes('__pycache__'),
});
const pageInputs = await buildPage(path.join(fresh, 'page'));
const types = 'cloudformation-types.json';
await fs.copyFile(path.join(root, 'src/model/validation', types), path.join(fresh, types));
await fs.writeFile(
  path.join(fresh, 'THIRD-PARTY-LICENSES.txt'),
  await licences([...Object.keys(result.metafile.inputs), ...pageInputs]),
);
// running commands keep their old files until the new ones are complete
await fs.rm(target, { recursive: true, force: true });
await fs.rename(fresh, target);

/**
 * Rejects `import()` of a CommonJS package: Node provides its named exports, but in a split bundle it has only `default`.
 * Import such a package statically, in a file that is loaded lazily.
 */
function checkLazyImports(inputs) {
  for (const [file, { imports }] of Object.entries(inputs))
    for (const { kind, path: imported, external } of imports)
      if (kind === 'dynamic-import' && !external && inputs[imported].format !== 'esm')
        throw new Error(`${file} imports ${imported} by import(): CommonJS has no names there`);
}

/** Bundles the page of `--ui`, which browsers load as it is. Returns the files it is made of. */
async function buildPage(outdir) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: 'src/ui/page/main.tsx', out: 'page' },
      { in: 'src/ui/page/page.css', out: 'page' },
    ],
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['es2022', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    ...shape,
    minifyIdentifiers: !forDebugger,
    metafile: true,
    logLevel: 'warning',
  });
  await fs.copyFile(path.join(root, 'src/ui/page/index.html'), path.join(outdir, 'index.html'));
  return Object.keys(metafile.inputs);
}

/** Hashes the TypeScript of src/: caches of what it computed are of no use to another version. */
async function sourceHash() {
  const hash = createHash('sha256');
  for (const name of (await fs.readdir(path.join(root, 'src'), { recursive: true })).sort())
    if (name.endsWith('.ts'))
      hash.update(`${name.replaceAll(path.sep, '/')}\0${await fs.readFile(path.join(root, 'src', name), 'utf8')}\0`);
  return hash.digest('hex').slice(0, 16);
}

/** Writes the parts as CommonJS. The first line of main.cjs identifies the build. */
async function writeParts(files) {
  const parts = await Promise.all(
    files.map(async ({ path: file, text }) => [path.basename(file), await toCommonJs(text)]),
  );
  const hash = createHash('sha256');
  for (const [name, text] of parts.sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name}\0${text.length}\0${text}`);
  // without it nothing is cached, and the lines of main.cjs are those of its source map
  const build = forDebugger ? '' : `// build ${hash.digest('hex').slice(0, 16)}\n`;
  for (const [name, text] of parts)
    await fs.writeFile(path.join(fresh, name), name === 'main.cjs' ? build + text : text);
}

async function toCommonJs(text) {
  // it would become a require(), which cannot load ES modules
  if (/(?<![\w$.])import\((?!["'])/.test(text)) throw new Error('an import() whose module is known only at run time');
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    ...shape,
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'importMetaUrl' },
  });
  const url = 'var importMetaUrl=require("node:url").pathToFileURL(__filename).href;';
  return code.includes('importMetaUrl') ? url + code : code;
}

/** Returns the license texts of all bundled packages. */
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
