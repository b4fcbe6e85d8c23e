import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { readErrorMessages, untestedMessages } from '../support/error-messages.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** Messages that no test can lead to, with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

async function readTests(): Promise<string> {
  const folder = path.join(ROOT, 'test');
  const names = (await fs.readdir(folder, { recursive: true })).filter((name) => name.endsWith('.test.ts'));
  return (await Promise.all(names.map((name) => fs.readFile(path.join(folder, name), 'utf8')))).join('\n');
}

it('every error message occurs in a test', async () => {
  const messages = await readErrorMessages(path.join(ROOT, 'src'));
  expect(messages.length).toBeGreaterThan(100);
  const untested = untestedMessages(messages, await readTests());
  const listed = untested
    .map(({ file, line, parts }) => ({ place: `${file}:${line}`, text: parts.join('…') }))
    .filter(({ text }) => !Object.hasOwn(EXCEPTIONS, text));
  expect(listed).toEqual([]);
});

it('finds messages and what is tested of them', async () => {
  const folder = path.join(await fs.mkdtemp('/tmp/x-'), '');
  await fs.rm(folder, { recursive: true });
});
