import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import { tempFolder } from '../support/temp-folder.ts';

it('a function that would have more than 250 MB with its packages has no layer of its own, and that is said', async () => {
  const dir = await tempFolder({
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: fn, Handler: app.h, Runtime: nodejs22.x } }
`,
    'fn/package.json': '{ "name": "f", "version": "1.0.0", "dependencies": { "words": "file:../words" } }',
    'fn/app.js': '',
    'words/package.json': '{ "name": "words", "version": "1.0.0" }',
    'words/index.js': '',
  });
  const small = await buildApp(dir, { dependencyLayer: true });
  expect(small.failures).toEqual([]);
  expect(Object.keys(await small.layerFiles('F'))).toContain('nodejs/node_modules/words/index.js');
  // without content on the disk
  await fs.writeFile(path.join(dir, 'fn/large.bin'), '');
  await fs.truncate(path.join(dir, 'fn/large.bin'), 250 * 1024 * 1024);
  const large = await buildApp(dir, { dependencyLayer: true });
  expect(large.result.dependencyLayers.size).toBe(0);
  expect(await fs.readdir(large.result.folders.get('F')!.path)).toEqual(
    expect.arrayContaining(['large.bin', 'node_modules']),
  );
  expect(large.result.notes).toEqual([
    {
      level: 'info',
      ids: ['F'],
      text: "no dependency layer: code and packages together exceed Lambda's limit of 250 MB",
    },
  ]);
});
