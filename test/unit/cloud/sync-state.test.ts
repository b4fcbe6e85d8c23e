import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { emptyFacts, openSyncMemory } from '../../../src/cloud/sync-state.ts';
import type { SyncFacts } from '../../../src/cloud/sync-state.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const id = (account: string, uuid = '1') => `arn:aws:cloudformation:eu-west-1:${account}:stack/app/${uuid}`;
const FACTS: SyncFacts = {
  updatedAt: '2026-01-01T00:00:00.000Z',
  listings: { '': { Fn: { type: 'AWS::Lambda::Function', physicalId: 'fn', updatedAt: 1 } } },
  found: { 'Child/Fn': { type: 'AWS::Lambda::Function', physicalId: 'child-fn', updatedAt: 2 } },
  functionUrls: { 'app-Fn:live': 'https://u.lambda-url.eu-west-1.on.aws/' },
  layerHashes: { 'arn:aws:lambda:eu-west-1:1:layer:a-b:1': 'hash' },
  deployments: { 'api/deployment': 'hash' },
  publishedLayers: { 'arn:layer:a-b': 'arn:layer:a-b:1' },
  publishing: ['arn:layer:a-b'],
  unsettled: ['Child/Fn'],
  sent: { 'arn:machine': [{ value: 'a', at: Date.now() }] },
  removedLayers: ['arn:layer:a-b:3'],
  revisions: { Site: 'ours' },
  ahead: { 'Child/Fn': ['MemorySize'] },
};

async function open(stackName = 'app', region = 'eu-west-1', projectDir?: string) {
  const dir = projectDir ?? (await tempFolder());
  return { dir, memory: openSyncMemory({ storeDir: path.join(dir, '.aws-sam', 'sam-sync'), region, stackName }) };
}

it('defects 1 and 3: keeps facts for each stack, region and account, whatever their names are made of', async () => {
  const { dir, memory } = await open();
  await memory.write(id('111111111111'), FACTS);
  expect(await memory.read(id('111111111111'))).toEqual(FACTS);
  expect(await memory.hasListing('')).toBe(true);
  expect(await memory.hasListing('Child')).toBe(false);
  expect(await memory.read(id('222222222222'))).toEqual(emptyFacts());
  expect(await memory.read(id('111111111111', '2'))).toEqual(emptyFacts());
  expect(await (await open('app', 'us-east-1', dir)).memory.hasListing('')).toBe(false);
  expect(await (await open('app2', 'eu-west-1', dir)).memory.hasListing('')).toBe(false);
});

it.each([
  ['nothing', ''],
  ['half a file', '{"version":1,"stackId"'],
  ['another version', JSON.stringify({ ...FACTS, version: 99, stackId: id('1') })],
  ['another stack', JSON.stringify({ ...FACTS, version: 1, stackId: id('2') })],
  [
    'other types',
    JSON.stringify({
      version: 1,
      stackId: id('1'),
      listings: { '': { Fn: null } },
      found: { Fn: { type: 1 } },
      layerHashes: { a: 1 },
      deployments: 3,
      publishing: 'a',
      unsettled: {},
      sent: { a: [null, { value: 1, at: 2 }], b: 1 },
      removedLayers: [1],
    }),
  ],
])('takes %s in the file for no file', async (_, text) => {
  const { dir, memory } = await open();
  await memory.write(id('1'), FACTS);
  const folder = path.join(dir, '.aws-sam/sam-sync/stacks');
  const [name] = await fs.readdir(folder);
  await fs.writeFile(path.join(folder, name ?? ''), text);
  expect(await memory.read(id('1'))).toEqual(emptyFacts());
});

it('forgets the oldest of too many facts', async () => {
  const { memory } = await open();
  const layerHashes = Object.fromEntries(Array.from({ length: 1_200 }, (_, index) => [`arn:${index}`, 'hash']));
  await memory.write(id('1'), { ...emptyFacts(), layerHashes });
  const kept = Object.keys((await memory.read(id('1'))).layerHashes);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([1_000, 'arn:200', 'arn:1199']);
});

it('guesses a resource from what the last run of the stack found, whichever stack had the name then', async () => {
  const { dir, memory } = await open();
  expect(await memory.guess('', 'Fn')).toBeUndefined();
  await memory.write(id('111111111111'), FACTS);
  expect((await memory.guess('', 'Fn'))?.physicalId).toBe('fn');
  expect((await memory.guess('Child', 'Fn'))?.physicalId).toBe('child-fn');
  expect(await memory.guess('', 'Other')).toBeUndefined();
  expect(await memory.guess('', 'constructor')).toBeUndefined();
  const newer = { type: 'AWS::Lambda::Function', physicalId: 'newer', updatedAt: 3 };
  await memory.write(id('222222222222'), { ...FACTS, listings: { '': { Fn: newer } } });
  const folder = path.join(dir, '.aws-sam/sam-sync/stacks');
  for (const name of await fs.readdir(folder)) {
    const isNewer = (await fs.readFile(path.join(folder, name), 'utf8')).includes('newer');
    const saved = new Date(isNewer ? Date.now() : Date.now() - 60_000);
    await fs.utimes(path.join(folder, name), saved, saved);
  }
  expect((await memory.guess('', 'Fn'))?.physicalId).toBe('newer');
});
