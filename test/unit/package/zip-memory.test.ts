import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { openZipMemory } from '../../../src/package/zip/zip-memory.ts';
import type { ZipMemory } from '../../../src/package/zip/zip-memory.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const NAMES = Array.from({ length: 20 }, (_, index) => `artifacts/${index}`);

/** A build cache of entries with a record each. */
async function openStore() {
  const dir = await tempFolder(
    Object.fromEntries(
      NAMES.flatMap((name) => [
        [`${name}/content/app.py`, name],
        [`${name}/package.json`, JSON.stringify({ key: `key of ${name}`, sha256: `sum of ${name}` })],
      ]),
    ),
  );
  const fileOf = (name: string): string => path.join(dir, name, 'package.json');
  const readAll = async (memory: ZipMemory): Promise<Record<string, string | undefined>> => {
    const records = NAMES.map(async (name) => [name, (await memory.read(fileOf(name), 'key'))['key']] as const);
    return Object.fromEntries(await Promise.all(records));
  };
  return { dir, fileOf, readAll };
}

it('copies the records of many zips into one file, and uses a copy for the content that it was made of only', async () => {
  const { dir, fileOf, readAll } = await openStore();
  const first = openZipMemory(dir);
  await readAll(first);
  await first.save();
  const [removed = '', remade = '', updated = '', ...copied] = NAMES.slice(8);
  // a copy is used: the record itself says something else by now
  for (const name of copied) await fs.writeFile(fileOf(name), JSON.stringify({ key: 'another' }));
  await fs.rm(path.join(dir, removed), { recursive: true });
  await fs.rename(path.join(dir, remade, 'content'), path.join(dir, 'old'));
  await fs.mkdir(path.join(dir, remade, 'content'));
  await fs.writeFile(fileOf(remade), JSON.stringify({ key: 'of other packages' }));
  const second = openZipMemory(dir);
  await readAll(second);
  const keys = await readAll(second);
  expect(keys).toMatchObject({ [removed]: undefined, [remade]: 'of other packages', [updated]: `key of ${updated}` });
  for (const name of copied) expect(keys[name]).toBe(`key of ${name}`);
  // a value that the copy lacks is in the record
  await fs.writeFile(fileOf(copied[0] ?? ''), JSON.stringify({ 'key:README': 'counted' }));
  expect(await second.read(fileOf(copied[0] ?? ''), 'key:README')).toEqual({ 'key:README': 'counted' });

  await second.update(fileOf(updated), { sha256: 'written again' });
  await second.save();
  const third = openZipMemory(dir);
  await readAll(third);
  expect(await third.read(fileOf(updated), 'sha256')).toEqual({ key: `key of ${updated}`, sha256: 'written again' });
  expect(JSON.parse(await fs.readFile(fileOf(updated), 'utf8'))).toMatchObject({ sha256: 'written again' });
});

it('of a file of copies that is damaged, the records are read', async () => {
  const { dir, readAll } = await openStore();
  const memory = openZipMemory(dir);
  const expected = await readAll(memory);
  await memory.save();
  const text = await fs.readFile(path.join(dir, 'zips.json'), 'utf8');
  for (const damaged of [text.slice(0, text.length / 2), text.replaceAll('key of', ''), 'null']) {
    await fs.writeFile(path.join(dir, 'zips.json'), damaged.replaceAll('{', '['));
    expect(await readAll(openZipMemory(dir))).toEqual(expected);
  }
});

it('writes no file of copies for a few zips', async () => {
  const { dir, fileOf } = await openStore();
  const memory = openZipMemory(dir);
  for (const name of NAMES.slice(0, 10)) await memory.read(fileOf(name), 'key');
  await memory.update(fileOf(NAMES[0] ?? ''), { sha256: 'x' });
  await memory.save();
  expect(await fs.readdir(dir)).toEqual(['artifacts']);
});
