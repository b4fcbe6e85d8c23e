import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { openCheckRecords } from '../../../src/builder/checks/check-records.ts';
import { tempFolder } from '../../support/temp-folder.ts';

it('the results of checks are kept as long as their artifact exists, and found only if they are whole', async () => {
  const store = await tempFolder({ 'artifacts/one/content/app.py': '', 'artifacts/two/content/app.py': '' });
  const file = path.join(store, 'checks.json');
  const artifact = (key: string): string => path.join(store, 'artifacts', key, 'content');
  const kept = async (): Promise<string[]> => Object.keys(JSON.parse(await fs.readFile(file, 'utf8')) as object);
  const problem = { message: 'no handler', property: 'handler' } as const;
  const written = openCheckRecords(store);
  written.set(artifact('one'), 'a', 'none');
  written.set(artifact('two'), 'a', problem);
  written.set(artifact('gone'), 'a', 'none');
  await written.save();
  expect(await kept()).toEqual(['artifacts/one', 'artifacts/two']);
  const read = openCheckRecords(store);
  expect(read.find(artifact('one'), 'a')).toBe('none');
  expect(read.find(artifact('two'), 'a')).toMatchObject(problem);
  expect(read.find(artifact('two'), 'b')).toBeUndefined();
  expect(read.find(artifact('constructor'), 'a')).toBeUndefined();

  await fs.rm(path.join(store, 'artifacts', 'one'), { recursive: true });
  read.set(artifact('two'), 'b', 'none');
  await read.save();
  expect(await kept()).toEqual(['artifacts/two']);
  expect(openCheckRecords(store).find(artifact('two'), 'a')).toMatchObject(problem);

  for (const damage of ['{"artifacts/two":{"a":1}}', '{"artifacts/two":[]}', '{"artifacts/two":', '[]', '']) {
    await fs.writeFile(file, damage);
    const damaged = openCheckRecords(store);
    expect(damaged.find(artifact('two'), 'a'), damage).toBeUndefined();
    damaged.set(artifact('two'), 'b', 'none');
    await damaged.save();
    expect(openCheckRecords(store).find(artifact('two'), 'b'), damage).toBe('none');
  }
});
