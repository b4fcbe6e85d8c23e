import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { COMPRESSOR } from '../../src/package/zip/compression.ts';
import { nodeFolder } from '../support/npm-tool.ts';
import { tempFolder } from '../support/temp-folder.ts';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('../../src/package/zip', import.meta.url));

/** Zips a folder and prints the zip's hash and how many threads ran. */
const PROGRAM = `
import { createCompressor } from './compressor.ts';
import { listEntries } from './tree-entries.ts';
import { writeZip } from './zip.ts';
const [folder, target, threads] = process.argv.slice(2);
let started = 0;
process.on('worker', () => (started += 1));
const compressor = createCompressor(Number(threads));
const { sha256 } = await writeZip(await listEntries(folder), target, { compressor });
await compressor.close();
const stray = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
console.log(JSON.stringify({ sha256, started, stray }));
`;

let script: string;
let large: string;
let small: string;
beforeAll(async () => {
  const bundle = await tempFolder();
  script = path.join(bundle, 'program.mjs');
  const common = {
    absWorkingDir: sources,
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  } as const;
  await build({
    ...common,
    stdin: { contents: PROGRAM, resolveDir: sources, loader: 'ts' },
    format: 'esm',
    outfile: script,
  });
  const thread = path.join(bundle, 'deflate-worker.cjs');
  const banner = { js: 'var importMetaUrl=require("node:url").pathToFileURL(__filename).href;' };
  const define = { 'import.meta.url': 'importMetaUrl' };
  await build({ ...common, entryPoints: ['deflate-worker.ts'], format: 'cjs', outfile: thread, banner, define });
  small = await tempFolder({
    'app.py': 'def handler(event, context): return 1\n'.repeat(100),
    'a.txt': 'a',
    // too small to be compressed, and not
    'b.txt': 'a'.repeat(63),
    'c.txt': 'a'.repeat(64),
  });
  large = await tempFolder({ 'app.py': 'def handler(event, context): return 1\n', empty: '' });
  const noise = createHash('shake256', { outputLength: 6_000_000 }).update('noise').digest();
  await fs.writeFile(path.join(large, 'noise'), noise.subarray(0, 700_000));
  // three pieces
  await fs.writeFile(
    path.join(large, 'large'),
    Buffer.concat([noise.toString('hex'), noise].map((part) => Buffer.from(part))),
  );
  for (let n = 0; n < 40; n += 1)
    await fs.writeFile(path.join(large, `${n}.txt`), noise.toString('hex', n * 7000, n * 7000 + 60_000));
});

/** Other bytes replace the code of each deployed function and what caches hold: they need another `COMPRESSOR`. */
const SHA256_BY: Readonly<Record<string, { small: string; large: string }>> = {
  'libdeflate 0.1.0, level 6, pieces of 8 MiB; fflate 0.8.3, level 6, to 64 KiB; from 64 bytes': {
    small: '43kvULOVMc9KM/obHLX2tHuRWOEXGQtCn/TtnL4igyU=',
    large: 'K2XSW4dWrGJuHrnuMV5c6C750HWv3/PZS46JFBglkIc=',
  },
};

it.for(['20.20.2', '22.23.3', '24.21.0'])(
  'equal files are equal zips, with any number of threads: Node.js %s',
  async (version, context) => {
    const node = await nodeFolder(version);
    if (node === undefined) return context.skip(`npm has no Node.js ${version} for this machine`);
    const program = path.join(node, process.platform === 'win32' ? 'node.exe' : 'node');
    const zip = async (tree: string, threads: number): Promise<unknown> => {
      const target = path.join(await tempFolder(), 'out.zip');
      return JSON.parse((await run(program, [script, tree, target, String(threads)])).stdout);
    };
    const sha256 = SHA256_BY[COMPRESSOR];
    for (const started of [0, 1, 3]) {
      expect(await zip(large, started)).toEqual({ sha256: sha256?.large, started, stray: 0 });
    }
    expect(await zip(small, 3)).toEqual({ sha256: sha256?.small, started: 0, stray: 0 });
  },
);
