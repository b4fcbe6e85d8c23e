import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { createFunctionChecker } from '../../../src/builder/checks/check-functions.ts';
import { createTools } from '../../../src/builder/tools/tools.ts';
import { silent } from '../../support/cloud.ts';
import { tempFolder, writeFiles } from '../../support/temp-folder.ts';

const STORE = '.aws-sam/sam-sync';
const CONTENT = `${STORE}/artifacts/key/content`;
const CODE = { [`${CONTENT}/app.mjs`]: 'export const handler = () => 1;' };
const NO_CODE = { [`${CONTENT}/other.mjs`]: '' };
const PROJECT = { 'template.yaml': 'Resources: {}', ...NO_CODE };

/** Checks the function with a new process's checker; returns whether it can run. */
async function canRun(project: string): Promise<boolean> {
  const check = {
    id: 'F',
    kind: 'function' as const,
    runtime: 'nodejs22.x',
    handler: 'app.handler',
    codeDir: project,
    isBundled: false,
    hasLayers: false,
    isWrapped: false,
    template: { file: path.join(project, 'template.yaml'), handler: [], runtime: [] },
  };
  const folders = new Map([['F', { path: path.join(project, CONTENT), cached: true }]]);
  const tools = createTools({ env: process.env, signal: new AbortController().signal, reporter: silent });
  const built = { folders, dependencyLayers: new Map(), handlers: new Map() };
  return (await createFunctionChecker(project).check([check], built, tools)).size === 0;
}

it('checks an artifact again that was removed and made again with another content', async () => {
  const project = await tempFolder(PROJECT);
  expect(await canRun(project)).toBe(false);
  await fs.rm(path.join(project, CONTENT), { recursive: true });
  await writeFiles(project, CODE);
  expect(await canRun(project)).toBe(true);
  await fs.rm(path.join(project, CONTENT), { recursive: true });
  await writeFiles(project, NO_CODE);
  expect(await canRun(project)).toBe(false);
});

it.each([
  ['damaged', async (file: string) => fs.writeFile(file, '{"artifacts/key":')],
  ['a folder', async (file: string) => fs.mkdir(file)],
])('checks functions if the file of earlier results is %s', async (_, spoil) => {
  const project = await tempFolder(PROJECT);
  await spoil(path.join(project, STORE, 'checks.json'));
  expect(await canRun(project)).toBe(false);
});
