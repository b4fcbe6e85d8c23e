import { writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { openSourceHasher } from '../../src/builder/cache/source-hash.ts';
import type { BuildDefinition } from '../../src/builder/plan-build.ts';
import { planBuild } from '../../src/builder/plan-build.ts';
import { createTools } from '../../src/builder/tools/tools.ts';
import { esbuildWorkflow } from '../../src/builder/workflows/esbuild/esbuild-workflow.ts';
import { createProjectMemos } from '../../src/builder/workflows/project-memos.ts';
import { SourceChangedError } from '../../src/builder/workflows/workflow.ts';
import type { BuildContext } from '../../src/builder/workflows/workflow.ts';
import { toolEnv } from '../support/build-app.ts';
import { silent } from '../support/cloud.ts';
import { fakeFunction, fakeStack } from '../support/stack-builder.ts';
import { tempFolder } from '../support/temp-folder.ts';

const code = (version: string): string => `export const handler = async () => '${version}';\n`;

/** A bundle's folder, key and the moments in which files were hashed; `atMoment` is called before each. */
function bundler(dir: string, atMoment: (moment: number) => void) {
  const options = { projectDir: dir, stackName: 's', dependencyLayer: false, buildInSource: false, env: toolEnv() };
  const metadata = { buildMethod: 'esbuild', runtime: 'nodejs22.x', properties: { CodeUri: 'fn' } };
  const fn = fakeFunction({ id: 'Fn', code: { kind: 'folder', path: path.join(dir, 'fn') }, ...metadata });
  const definition = planBuild(fakeStack({ functions: [fn] }), options).definitions[0] as BuildDefinition;
  const hasher = openSourceHasher(path.join(dir, 'index.json'));
  let moments = 0;
  const context = {
    options,
    hasher: {
      ...hasher,
      hashFile: (file: string) => {
        atMoment(++moments);
        return hasher.hashFile(file);
      },
    },
    tools: createTools({ env: options.env, signal: new AbortController().signal, reporter: silent }),
    ...createProjectMemos(),
    stepId: 'build',
    note: () => {},
  } as unknown as BuildContext;
  return {
    moments: () => moments,
    make: async (target: string) => {
      const prepared = await esbuildWorkflow.prepare(definition, context);
      await fs.mkdir(target, { recursive: true });
      return prepared.make(target, undefined);
    },
    keyNow: async () => (await esbuildWorkflow.prepare(definition, context)).sourceKey(),
  };
}

it.each(['of the first build', 'of a build whose files are known'])(
  'a save in any moment %s is not taken for what was bundled',
  async (which) => {
    let tried = 0;
    for (let moment = 1; moment <= tried || tried === 0; moment++) {
      const dir = await tempFolder({ 'fn/app.ts': code('one') });
      const file = path.join(dir, 'fn/app.ts');
      const past = new Date(Date.now() - 60_000);
      await fs.utimes(file, past, past);
      let from = Infinity;
      const { make, keyNow, moments } = bundler(dir, (now) => {
        if (now - from === moment) writeFileSync(file, code('two'));
      });
      if (which.includes('known')) await make(path.join(dir, 'before'));
      from = moments();
      const target = path.join(dir, 'target');
      const made = await make(target).catch((error: unknown) => {
        if (error instanceof SourceChangedError) return undefined;
        throw error;
      });
      tried = Math.max(tried, moments() - from);
      from = Infinity;
      const bundled = /'two'|"two"/.test(await fs.readFile(path.join(target, 'app.js'), 'utf8'));
      const isOfNow = made !== undefined && made.sourceKey === (await keyNow());
      expect({ moment, isOfNow, bundled: isOfNow ? bundled : 'any' }).toEqual({
        moment,
        isOfNow,
        bundled: isOfNow ? true : 'any',
      });
    }
  },
);
