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

/** What the dependency layer saves: the first sync, then one line of the function with numpy, with the option and without. */
export async function layers(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [option, words] of [
    ['--dependency-layer', 'with'],
    ['--no-dependency-layer', 'without'],
  ] as const) {
    const args = [option];
    const first = (tool: Tool, rounds: number) =>
      syncFirst(bench, { tool, name: `first-${words}`, app: application, rounds, slow: true, args });
    rows.push(
      await bench.compare({
        id: `layers-first-${words}`,
        title: `numpy, requests, two npm packages, nested: first sync ${words} dependency layers`,
        goals: [],
        subjects: [await first('ours', 2), await first('peer', 1)],
      }),
    );
    const copies: Copy[] = [];
    for (const tool of TOOLS) {
      copies.push(await prepareCopy(bench, { tool, name: words, app: application(`${words} ${tool}`), args }));
    }
    const again = { args: [option, '--code', '--resource-id', 'Function000'], edits: true };
    rows.push(
      await bench.compare({
        id: `layers-code-${words}`,
        title: `the same, one line changed, \`--code\`, ${words} dependency layers`,
        goals: [],
        subjects: copies.map((copy) => syncAgain(copy, { ...again, rounds: copy.tool === 'ours' ? 4 : 2 })),
      }),
    );
  }
  return rows;
}
