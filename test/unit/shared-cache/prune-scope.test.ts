import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { openFileScope } from '../../../src/shared-cache/scopes/file-scope.ts';
import { pruneScope } from '../../../src/shared-cache/scopes/prune-scope.ts';
import type { CacheScope } from '../../../src/shared-cache/scopes/scope.ts';
import { temporarySuffix } from '../../../src/support/temporary-names.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const DAY = 86_400_000;
const { signal } = new AbortController();
const build = (zip: string): string => JSON.stringify({ kind: 'build', code: { sha256: zip, size: 3 } });

/** A cache whose objects were written so many days ago. */
async function cacheOf(objects: Readonly<Record<string, readonly [days: number, content: string]>>) {
  const folder = await tempFolder(Object.fromEntries(Object.entries(objects).map(([name, [, text]]) => [name, text])));
  for (const [name, [days]] of Object.entries(objects)) {
    const time = (Date.now() - days * DAY) / 1000;
    await fs.utimes(path.join(folder, name), time, time);
  }
  const scope = openFileScope('file:cache', folder);
  const names = async (): Promise<string[]> => {
    const found = await fs.readdir(folder, { recursive: true, withFileTypes: true });
    return found.flatMap((item) => (item.isFile() ? [`${path.basename(item.parentPath)}/${item.name}`] : [])).sort();
  };
  return { scope, folder, names };
}

const MIXED = {
  'ac/way': [90, '{"kind":"inputs"}'],
  'ac/old': [60, build('old')],
  'ac/new': [1, build('shared')],
  'ac/broken': [60, '{'],
  'cas/old': [60, 'zip'],
  'cas/shared': [60, 'zip'],
  'cas/unnamed': [1, 'zip'],
} as const;

it('removes old builds and zips that no entry names, and keeps what leads to newer builds', async () => {
  const { scope, names } = await cacheOf({ ...MIXED });
  const before = Date.now() - 30 * DAY;
  const would = await pruneScope(scope, { before, dryRun: true, signal });
  expect(await names()).toHaveLength(7);
  expect(await pruneScope(scope, { before, dryRun: false, signal })).toEqual(would);
  expect(would).toMatchObject({ entries: 2, zips: 1 });
  expect(await names()).toEqual(['ac/new', 'ac/way', 'cas/shared', 'cas/unnamed']);
});

it('removes everything but zips of the last hour, which a writer may be about to name', async () => {
  const { scope, names } = await cacheOf({ ...MIXED, 'cas/now': [0, 'zip'] });
  await pruneScope(scope, { before: Date.now(), dryRun: false, signal });
  expect(await names()).toEqual(['cas/now']);
});

it('removes what killed writers left, on this and other machines', async () => {
  const [running, killed, elsewhere, far] = [
    `cas/a.${temporarySuffix()}`,
    `cas/b.${temporarySuffix().replace(/-\d+-/, '-4194305-')}`,
    'ac/c.tmp-1-aaaaaa-00000001',
    'cas/d.tmp-1-aaaaaa-00000002',
  ];
  const half = [0, 'half'] as const;
  const { scope, names } = await cacheOf({ [running]: half, [killed]: half, [elsewhere]: [2, ''], [far]: half });
  await pruneScope(scope, { before: 0, dryRun: true, signal });
  expect(await names()).toHaveLength(4);
  await pruneScope(scope, { before: 0, dryRun: false, signal });
  expect(await names()).toEqual([running, far].sort());
});

it('keeps the zips of entries that are added meanwhile', async () => {
  const { scope, folder, names } = await cacheOf({ ...MIXED });
  const meanwhile: CacheScope = {
    ...scope,
    remove: async (...how) => {
      await scope.remove(...how);
      await fs.writeFile(path.join(folder, 'ac', 'added'), build('old'));
    },
  };
  await pruneScope(meanwhile, { before: Date.now() - 30 * DAY, dryRun: false, signal });
  expect(await names()).toContain('cas/old');
});
