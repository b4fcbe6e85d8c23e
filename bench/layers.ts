import * as path from 'node:path';
import { decidingVariables } from '../src/builder/workflows/python/installer-settings.ts';
import { uvFolder } from '../test/support/uv.ts';
import { functions, node, python } from './apps.ts';
import type { App } from './apps.ts';
import type { Bench } from './bench-case.ts';
import { prepareCopy, syncAgain, syncFirst } from './commands.ts';
import type { Copy } from './commands.ts';
import type { Row } from './rows.ts';
import type { Tool } from './tools.ts';

const TOOLS: readonly Tool[] = ['ours', 'peer'];

/** A Python function with numpy and requests, a Node.js function with two packages, and a nested one with requests. */
function application(seed: string): App {
  const root = functions([python(['numpy==2.2.6', 'requests==2.32.5']), node({ axios: '1.13.2', lodash: '4.17.21' })], {
    seed,
  });
  const child = functions([python(['requests==2.32.5'])], { seed: `${seed} child` });
  const nested = Object.entries(child.files).map(([file, text]) => [`child/${file}`, text] as const);
  const template = `${root.files['template.yaml']}  Child:
    Type: AWS::Serverless::Application
    Properties:
      Location: child/template.yaml
`;
  return { ...root, files: { ...root.files, ...Object.fromEntries(nested), 'template.yaml': template } };
}

/** Variables with which pip installs: uv does not read this setting, which has pip's own default. */
const WITH_PIP: Readonly<Record<string, string>> = { PIP_PREFER_BINARY: '0' };

/** Variables with which uv is on PATH, and no setting of pip keeps sam-sync from using it. */
async function withUv(): Promise<Readonly<Record<string, string>>> {
  const folder = await uvFolder();
  if (folder === undefined) throw new Error('this row needs uv');
  const unset = decidingVariables(process.env).map(([name]) => [name, ''] as const);
  return { ...Object.fromEntries(unset), PATH: [folder, process.env['PATH']].join(path.delimiter) };
}

/** The first sync of large packages: with pip, and where uv is on PATH. */
export async function largePackages(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [tool, env, atLeast] of [
    ['pip', WITH_PIP, 1.8],
    ['uv', await withUv(), 3],
  ] as const) {
    const first = (subject: Tool, rounds: number) =>
      syncFirst(bench, { tool: subject, name: `first-${tool}`, app: application, rounds, slow: true, env });
    rows.push(
      await bench.compare({
        id: `large-first-${tool}`,
        title: `numpy, requests, two npm packages, nested: first sync with ${tool}`,
        goals: [
          { kind: 'faster', times: atLeast },
          { kind: 'cpu', share: 0.5 },
        ],
        subjects: [await first('ours', 4), await first('peer', 2)],
      }),
    );
  }
  return rows;
}

/** What the dependency layer saves: the first sync, then one line of the function with numpy, with the option and without. */
export async function layers(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [option, words, atLeast] of [
    ['--dependency-layer', 'with', 10],
    ['--no-dependency-layer', 'without', 6],
  ] as const) {
    const args = [option];
    const copies: Copy[] = [];
    for (const tool of TOOLS) {
      copies.push(await prepareCopy(bench, { tool, name: words, app: application(`${words} ${tool}`), args }));
    }
    const again = { args: [option, '--code', '--resource-id', 'Function000'], edits: true };
    rows.push(
      await bench.compare({
        id: `layers-code-${words}`,
        title: `a function with numpy (24 MB), one line changed, \`--code\`, ${words} dependency layers`,
        goals: [{ kind: 'faster', times: atLeast }],
        subjects: copies.map((copy) => syncAgain(copy, { ...again, rounds: copy.tool === 'ours' ? 10 : 4 })),
      }),
    );
  }
  return rows;
}
