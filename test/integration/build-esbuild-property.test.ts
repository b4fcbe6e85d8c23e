import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildApp } from '../support/build-app.ts';
import type { BuiltApp } from '../support/build-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { arrivals, isNoticed } from '../support/watched-inputs.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild }
    Properties: { CodeUri: fn, Handler: src/app.handler, Runtime: nodejs22.x }
`;

const SPECIFIERS = ['./a', './b', './a.js', '../shared/a', '../../shared/b', '../../over', '@/a', '@/deep/b', 'lent'];
const MODULES = ['fn/src/a', 'fn/src/b', 'shared/a', 'shared/b', 'over/a', 'over/deep/b', 'over'];
const ENDINGS = ['.ts', '.tsx', '.js', '/index.ts', '/index.js'];
const PACKAGES = ['node_modules/lent/index.js', 'fn/node_modules/lent/index.js', 'fn/src/node_modules/lent/index.js'];
const TSCONFIGS = ['tsconfig.json', 'fn/tsconfig.json', 'fn/src/tsconfig.json', 'shared/tsconfig.json', 'fn/base.json'];

const constant = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** The text of a module: a value of its own, another module's, or a mistake. */
const moduleText: fc.Arbitrary<string> = fc.oneof(
  { weight: 7, arbitrary: fc.nat({ max: 999 }).map((value) => `export const v = ${value};\n`) },
  { weight: 2, arbitrary: constant(...SPECIFIERS).map((name) => `export { v } from '${name}';\n`) },
  { weight: 1, arbitrary: fc.constant('export const v = ;\n') },
);
const tsconfigText: fc.Arbitrary<string> = constant(
  '{ "compilerOptions": { "paths": { "@/*": ["../over/*", "../shared/*"] } } }',
  '{ "compilerOptions": { "paths": { "@/*": ["./src/*", "./*"] } } }',
  '{ "compilerOptions": { "baseUrl": ".", /* lent is here */ "paths": { "lent": ["./over", "./a"] }, } }',
  '{ "extends": "./base" }',
  '{ "extends": "../fn/base.json" }',
  '{}',
);

const orRemoved = (text: fc.Arbitrary<string>): fc.Arbitrary<string | null> => fc.option(text, { freq: 4 });

/** One edit: a file and its text; null: it is removed. */
const edit: fc.Arbitrary<[file: string, text: string | null]> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.tuple(constant(...MODULES), constant(...ENDINGS)).map((parts) => parts.join('')),
      orRemoved(moduleText),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('fn/src/app.ts'), constant(...SPECIFIERS).map(entryText)) },
  { weight: 2, arbitrary: fc.tuple(constant(...TSCONFIGS), orRemoved(tsconfigText)) },
  { weight: 1, arbitrary: fc.tuple(constant(...PACKAGES), orRemoved(moduleText)) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      constant('shared/a/package.json', 'over/package.json', 'fn/package.json'),
      orRemoved(constant('{ "main": "../shared/b" }', '{ "main": "./deep/b", "module": "./a.js" }', '{}')),
    ),
  },
);

function entryText(name: string): string {
  return `import { v } from '${name}';\nexport const handler = async () => v;\n`;
}

/** Where every project begins: each way to import something finds it, and other places come before most of them. */
const START = {
  'template.yaml': TEMPLATE,
  'fn/src/app.ts': entryText('@/a'),
  'fn/src/a.js': "export { v } from '../../shared/b';\n",
  'fn/src/b.js': "export const v = 'b';\n",
  'fn/tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["../over/*", "../shared/*"] } } }',
  'shared/a/index.js': "export { v } from './b';\n",
  'shared/b.js': "export const v = 'shared';\n",
  'over/deep/b.js': "export { v } from 'lent';\n",
  'over/index.js': "export const v = 'over';\n",
  'node_modules/lent/index.js': "export const v = 'lent';\n",
};

/** The bundle, or that there is none. */
async function resultOf(app: BuiltApp): Promise<unknown> {
  return app.failures.length > 0 ? 'failed' : app.files('F');
}

async function apply(dir: string, [file, text]: readonly [string, string | null]): Promise<void> {
  if (text === null) await fs.rm(path.join(dir, file), { force: true });
  else await writeFiles(dir, { [file]: text });
}

it('an esbuild project gives the same bundle with caches that know it and on a new machine, and watch notices each edit that changes it', async () => {
  const numRuns = Number(process.env['SAM_SYNC_PROPERTY_RUNS'] ?? 12);
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 6, maxLength: 10 }), async (edits) => {
      const dir = await tempFolder(START);
      let known = await buildApp(dir);
      for (const one of edits) {
        const [file, text] = one;
        const told = text === null ? [{ place: file, folder: false }] : await arrivals(dir, { [file]: text });
        await apply(dir, one);
        const fresh = await resultOf(await buildApp(dir, { projectDir: await tempFolder() }));
        if (JSON.stringify(fresh) !== JSON.stringify(await resultOf(known))) {
          const isSeen = told.some(({ place, folder }) => isNoticed(known, 'F', place, folder));
          expect({ file, isSeen }).toEqual({ file, isSeen: true });
        }
        known = await buildApp(dir);
        expect({ file, result: await resultOf(known) }).toEqual({ file, result: fresh });
      }
    }),
    { numRuns },
  );
}, 120_000);
