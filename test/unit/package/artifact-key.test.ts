import * as path from 'node:path';
import { expect, it } from 'vitest';
import { fileKey, textKey, readSums, treeKey } from '../../../src/package/artifact-key.ts';
import { listEntries } from '../../../src/package/zip/tree-entries.ts';
import { tempFolder } from '../../support/temp-folder.ts';

// the expected values were printed by the peer's own hash functions (1.170.0) for the same files
it('names folders, files and texts as the peer does', async () => {
  const folder = await tempFolder({ 'app.py': 'print(1)\n', 'b/z.txt': 'x', 'b-c': '', 'ü.txt': 'é' });
  // 1.170 sorts `b-c` before `b/z.txt`, as bytes do; a sort by folders would not
  const entries = await listEntries(folder);
  const sums = await readSums(entries);
  expect(treeKey(sums)).toBe('7c2d5e85ee48cea6cd66ac4a6fec1bfb');
  expect(treeKey(sums, { path: 'AWS_SAM_CLI_README', text: 'note' })).toBe('b1a2198227264b6253671e885445d97c');
  expect(await fileKey(path.join(folder, 'app.py'))).toBe('dee5c46989f5ec092311188f4fe829c3');
  expect(textKey('Resources: {}\n')).toBe('340b908c5f5df1bf0ad01dabebcab210');
});
