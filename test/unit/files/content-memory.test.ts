import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { createContentMemory } from '../../../src/files/content-memory.ts';
import { tempFolder, writeFiles } from '../../support/temp-folder.ts';

it('tells a change of content from a save, and forgets what went with its folder', async () => {
  const dir = await tempFolder({ 'a/x.py': '1' });
  const file = path.join(dir, 'a/x.py');
  const memory = createContentMemory();
  const changed = (target = file, folder = false): boolean => memory.filter([{ path: target, folder }]).length > 0;
  // nobody knows what it was before
  expect([changed(), changed()]).toEqual([true, false]);
  await writeFiles(dir, { 'a/x.py': '2' });
  expect([changed(), changed()]).toEqual([true, false]);
  await fs.chmod(file, 0o755);
  expect([changed(), changed()]).toEqual([process.platform !== 'win32', false]);
  await fs.rm(file);
  expect([changed(), changed()]).toEqual([true, false]);
  await writeFiles(dir, { 'a/x.py': '2' });
  expect(changed()).toBe(true);
  expect(changed(path.join(dir, 'a'), true)).toBe(true);
  // it was away meanwhile, and is here again
  expect(changed()).toBe(true);
});
