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
