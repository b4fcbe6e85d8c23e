import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { addToUseCounts, readUseCounts } from '../../../src/shared-cache/use-counts.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const RUN = { hits: 1, taken: 1, misses: 0, packagesTaken: 0, fetchedBytes: 5, savedMs: 3 };

it('counts that cannot be read fail no run', async () => {
  const folder = await tempFolder();
  await fs.mkdir(path.join(folder, 'uses.json'));
  await addToUseCounts(folder, RUN);
  await fs.rmdir(path.join(folder, 'uses.json'));
  await addToUseCounts(folder, RUN);
  await addToUseCounts(folder, RUN);
  expect(await readUseCounts(folder)).toMatchObject({ runs: 2, hits: 2, fetchedBytes: 10 });
});
