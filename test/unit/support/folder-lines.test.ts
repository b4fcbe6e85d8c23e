import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { readFolderLines } from '../../../src/support/folder-lines.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const HOW = { version: 1, dayOf: (value: string) => Number(value.split(':', 1)[0]) };

it('saves the values of a folder with more files than a call takes arguments', async () => {
  const file = path.join(await tempFolder(), 'index.json');
  const lines = readFolderLines(file, HOW);
  for (let index = 0; index < 150_000; index++) lines.set('/data', `${index}`, '20000:a');
  lines.set('/data', 'newest', '20001:b');
  await fs.writeFile(file, lines.toText(20_000));
  const saved = readFolderLines(file, HOW);
  expect(saved.get('/data', '149999')).toBe('20000:a');
  expect(readFolderLines(file, HOW).toText(20_001)).toContain('newest');
});

it('keeps values under any names, and of a damaged file the lines that are whole', async () => {
  const file = path.join(await tempFolder(), 'index.json');
  const lines = readFolderLines(file, HOW);
  const names = ['a\nb', '"],[', 'tab\t,tab', 'back\\slash', '\u2028', '\ud800', '__proto__', 'é', 'e\u0301', ']', ''];
  for (const folder of names) for (const name of names) lines.set(`/${folder}`, name, `20000:${folder} ${name}`);
  const text = lines.toText(0);
  await fs.writeFile(file, text);
  const whole = readFolderLines(file, HOW);
  for (const folder of names)
    for (const name of names) expect(whole.get(`/${folder}`, name)).toBe(`20000:${folder} ${name}`);
  for (let length = 0; length < text.length; length += 41) {
    await fs.writeFile(file, text.slice(0, length));
    const damaged = readFolderLines(file, HOW);
    for (const folder of names) {
      const found = damaged.get(`/${folder}`, 'é');
      if (found !== undefined) expect(found).toBe(`20000:${folder} é`);
    }
  }
  await fs.writeFile(file, text.replaceAll('\n', '\r\n'));
  expect(readFolderLines(file, HOW).get('/é', 'é')).toBe(undefined);
});
