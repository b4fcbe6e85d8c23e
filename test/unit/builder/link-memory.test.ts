import * as path from 'node:path';
import { expect, it } from 'vitest';
import { openLinkMemory } from '../../../src/builder/layout/link-memory.ts';
import { tempFolder } from '../../support/temp-folder.ts';

it('a folder that is missing, and was never looked at, is not done', async () => {
  const dir = await tempFolder({ file: '' });
  const memory = openLinkMemory(path.join(dir, 'links'));
  for (const missing of ['missing', 'file/below'])
    expect(memory.isDone({ dir: path.join(dir, missing), links: new Map(), files: [], folders: [] })).toBe(false);
});
