import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');

it('the list of what is shipped names the bundled packages and esbuild, and no tool of the tests', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(ROOT, 'scripts/supply-chain.mjs')]);
  expect(stdout).toMatch(/^licences: .*MIT \(\d+\)/m);
  const sbom = JSON.parse(await fs.readFile(path.join(ROOT, 'dist/sbom.cdx.json'), 'utf8')) as {
    components: { name: string }[];
  };
  const names = sbom.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['@aws-sdk/client-lambda', 'libdeflate', 'esbuild']));
  expect(names).not.toContain('vitest');
});
