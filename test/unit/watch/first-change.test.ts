import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import type { Stack } from '../../../src/model/stack.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';
import { watchSources } from '../../../src/watch/sources/source-watch.ts';
import { silent } from '../../support/cloud.ts';
import { tempFolder } from '../../support/temp-folder.ts';

it('the first write to code is reported at once, once, before the batch that it belongs to; other files are not', async () => {
  const dir = await tempFolder({ 'template.yaml': '', 'src/app.py': 'old', 'other/file.txt': 'old' });
  const run = { options: { projectDir: dir }, environment: { reporter: silent } } as Parameters<typeof watchSources>[0];
  const templateFile = path.join(dir, 'template.yaml');
  const source = parseTemplate('Resources: {}', templateFile);
  const functions = [{ id: 'Fn', code: { kind: 'folder', path: path.join(dir, 'src') } }];
  const root = {
    path: '',
    templateFile,
    functions,
    layers: [],
    webFunctions: [],
    children: [],
    source,
    resolved: source,
  };
  const seen: string[] = [];
  const names = (files: readonly string[]): string => files.map((file) => path.basename(file)).join();
  const sources = watchSources(run, {
    onFirst: (ids, file) => seen.push(`first ${[...ids].join()} ${path.basename(file)}`),
    onChange: ({ files }) => seen.push(`change ${names(files)}`),
    onOwn: () => {},
  });
  sources.follow(
    {
      root: root as unknown as Stack,
      syncMethod: () => 'code',
      built: new Map(),
      templateFiles: [templateFile],
      optionFiles: [],
      excludes: {},
    },
    // the files are older than the watch
    Date.now() + 60_000,
  );
  try {
    await fs.appendFile(templateFile, 'new');
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual(['change template.yaml']);
    await fs.appendFile(path.join(dir, 'src/app.py'), 'new');
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBeGreaterThan(2);
    expect(seen.slice(1, 3)).toEqual(['first Fn app.py', 'change app.py']);
  } finally {
    sources.close();
  }
});
