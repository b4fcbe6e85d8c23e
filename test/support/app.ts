import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempFolder } from './temp-folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A copy of an application of `test/fixtures` or `examples`, removed when the test (file) ends. */
export async function copyApp(name: string, kind: 'test/fixtures' | 'examples' = 'test/fixtures'): Promise<string> {
  const folder = path.join(await tempFolder(), 'app');
  await fs.cp(path.join(ROOT, kind, name), folder, {
    recursive: true,
    filter: (source) => !source.includes('.aws-sam'),
  });
  return folder;
}

/** Replaces text in a file of an application; the text must be there. */
export async function edit(app: string, file: string, from: string, to: string): Promise<void> {
  const target = path.join(app, file);
  const text = await fs.readFile(target, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not contain ${JSON.stringify(from)}`);
  await fs.writeFile(target, text.replace(from, to));
}

/** Changes the code of every function and layer, and every definition, of `test/fixtures/shop`. */
export async function changeShop(app: string): Promise<void> {
  await edit(app, 'greet/app.py', '12345', '54321');
  await edit(app, 'count/app.js', "'1m'", "'2m'");
  await edit(app, 'words/words.py', 'world', 'moon');
  await edit(app, 'shared/text/python/text.py', '"!"', '"?"');
  await edit(app, 'orders/place/app.py', '"placed": loud', '"set": loud');
  await edit(app, 'orders/audit/log/index.js', 'logged: true', 'logged: 2');
  await edit(app, 'api/rest.yaml', 'pong', 'PONG');
  await edit(app, 'api/http.json', '/items', '/things');
  await edit(app, 'flow/flow.asl.yaml', 'End: true', 'ResultPath: $.greeting\n    End: true');
}
