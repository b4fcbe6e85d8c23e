import * as path from 'node:path';
import { expect, it } from 'vitest';
import { copyPackages } from '../../../../../src/builder/workflows/node/copy-packages.ts';
import { readTree } from '../../../../support/build-app.ts';
import { tempFolder } from '../../../../support/temp-folder.ts';

const manifest = (more: object): string => JSON.stringify({ name: 'app', version: '1.0.0', ...more });

/** What is copied for a package with this manifest, beside which `there` is installed. */
async function copied(more: object): Promise<string[]> {
  const base = await tempFolder({
    'app/package.json': manifest(more),
    'node_modules/there/package.json': manifest({ name: 'there' }),
  });
  const target = await tempFolder();
  await copyPackages({ from: path.join(base, 'app'), base, origins: new Map(), locals: new Map(), target });
  return Object.keys(await readTree(target));
}

it('packages are copied from folders above', async () => {
  expect(await copied({ dependencies: { there: '1.0.0' } })).toEqual(['node_modules/there/package.json']);
});

it('an optional package may be missing, another one not', async () => {
  expect(await copied({ optionalDependencies: { missing: '1.0.0' } })).toEqual([]);
  await expect(copied({ dependencies: { missing: '1.0.0' } })).rejects.toThrow(
    'app needs missing, which the package manager did not install',
  );
});
