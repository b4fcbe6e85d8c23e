import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { esbuild, functions, times } from './apps.ts';
import type { Bench } from './bench-case.ts';
import { prepareCopy, syncAgain, writeCopy } from './commands.ts';
import { measure } from './measure.ts';
import type { Row } from './rows.ts';

const FUNCTIONS = 100;
/** In `node_modules` of the root, as a large repository has them; most of them belong to no function. */
const PACKAGES = 5_000;

/** An npm workspace of functions that share one `node_modules`; only ours: SAM CLI installs the packages of each function. */
export async function workspace(bench: Bench): Promise<Row[]> {
  const { files, ...app } = functions(times(FUNCTIONS, esbuild()), { seed: 'workspace' });
  const root = { name: 'workspace', version: '1.0.0', private: true, workspaces: ['functions/*'] };
  // npm refuses members of the same name
  const members = Object.entries(files).map(([file, text]) => {
    const name = path.basename(path.dirname(file));
    return [file, file.endsWith('package.json') ? text.replace('"function"', `"${name}"`) : text] as const;
  });
  const plan = {
    tool: 'ours',
    name: 'workspace',
    app: { ...app, files: { ...Object.fromEntries(members), 'package.json': JSON.stringify(root) } },
  } as const;
  const { dir, way } = await writeCopy(bench, plan);
  const argv = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts'];
  const { code, output } = await measure({ argv, cwd: dir, env: way.env });
  if (code !== 0) throw new Error(`npm install: exit code ${code}\n${output}`);
  for (let n = 0; n < PACKAGES; n++) {
    const folder = path.join(dir, 'node_modules', `package-${n}`);
    await fs.mkdir(folder, { recursive: true });
    await fs.writeFile(path.join(folder, 'package.json'), JSON.stringify({ name: `package-${n}`, version: '1.0.0' }));
    await fs.writeFile(path.join(folder, 'index.js'), `exports.n = ${n};\n`);
  }
  const copy = await prepareCopy(bench, plan);
  return [
    await bench.compare({
      id: 'workspace-none',
      title: `plain sync, npm workspace of ${FUNCTIONS} esbuild functions, 5,000 packages, nothing changed`,
      goals: [{ kind: 'time', ms: 800 }],
      subjects: [syncAgain(copy, { rounds: 6 })],
    }),
  ];
}
