import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, expect } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import { fuzz, mutatedText, mutatedValue, orUserError } from '../support/fuzz.ts';
import { MANIFEST_APP } from '../support/hostile-app.ts';
import { stubTools } from '../support/stub-tools.ts';
import { snapshotFolder, tempFolder, writeFiles } from '../support/temp-folder.ts';

const outside = await tempFolder({ 'sentinel/keep.txt': 'mine' });
const app = path.join(outside, 'app');
const tools = await stubTools();

beforeEach(async () => {
  await fs.rm(app, { recursive: true, force: true });
  await writeFiles(app, MANIFEST_APP);
});

/** The functions that are built from what is in a folder. */
const USERS: Readonly<Record<string, ReadonlySet<string>>> = {
  npm: new Set(['Npm', 'Bundle']),
  local: new Set(['Npm', 'Bundle']),
  yarn: new Set(['Yarn']),
  pnpm: new Set(['Pnpm']),
  pip: new Set(['Pip']),
  pkg: new Set(['Pip', 'Uv', 'Poetry', 'Pipenv']),
  uv: new Set(['Uv']),
  poetry: new Set(['Poetry']),
  pipenv: new Set(['Pipenv']),
  gems: new Set(['Gems']),
  gem: new Set(['Gems']),
  maven: new Set(['Maven']),
  rust: new Set(['Rust']),
  crate: new Set(['Rust']),
  net: new Set(['Net']),
  lib: new Set(['Net']),
  go: new Set(['Go']),
  make: new Set(['Make']),
};

/** Builds the functions of the file with the file as it is now, and puts it back. */
async function buildWith(name: string, content: string): Promise<void> {
  const file = path.join(app, name);
  await fs.writeFile(file, content);
  const env = { PATH: tools.path, HOME: outside, NAME: 'name' };
  const only = USERS[name.split('/')[0] ?? ''] ?? new Set();
  const built = await orUserError(() => buildApp(app, { env, dependencyLayer: true, only }));
  for (const { message } of built?.failures ?? []) expect(message).not.toMatch(/\[object Object\]|^$/);
  await fs.writeFile(file, MANIFEST_APP[name] ?? '');
  const { '.aws-sam': _own, ...sources } = await snapshotTop();
  expect(sources).toEqual(before);
}

/** What is beside and directly in the application: builds write below `.aws-sam` only. */
async function snapshotTop(): Promise<Record<string, string>> {
  const names = await fs.readdir(app);
  const around = await fs.readdir(outside);
  return Object.fromEntries([...names, ...around.map((name) => `../${name}`)].map((name) => [name, '']));
}

await writeFiles(app, MANIFEST_APP);
const before = await snapshotTop();

const MANIFESTS = Object.keys(MANIFEST_APP).filter((name) => !/\.(?:py|rb|js|go|tgz)$|^template/.test(name));

const changedText = fc
  .constantFrom(...MANIFESTS)
  .chain((name) => mutatedText([MANIFEST_APP[name] ?? '']).map((text) => [name, text] as const));

fuzz('a manifest that is changed at random is built from, or refused in a sentence', 60, changedText, ([name, text]) =>
  buildWith(name, text),
);

const JSONS = MANIFESTS.filter((name) => name.endsWith('.json'));
const changedValue = fc
  .constantFrom(...JSONS)
  .chain((name) => mutatedValue([JSON.parse(MANIFEST_APP[name] ?? '')]).map((value) => [name, value] as const));

fuzz(
  'a package.json or lock file whose parts are in other places is built from, or refused in a sentence',
  60,
  changedValue,
  async ([name, value]) => {
    await buildWith(name, JSON.stringify(value) ?? '');
    expect(await snapshotFolder(path.join(outside, 'sentinel'))).toEqual({ 'keep.txt': 'mine' });
  },
);
