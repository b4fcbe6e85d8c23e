import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { localPackage, startIndex } from '../support/python-packages.ts';
import { pythonEnv } from '../support/python-env.ts';
import { runCli } from '../support/run-cli.ts';
import { story } from '../support/story.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { isResource, startReadyWatch } from '../support/watch-cli.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.11, Handler: app.handler } }
Resources:
  Uv:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: python-uv }
    Properties: { CodeUri: apps/fn }
  Pip:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: pip }
Outputs:
  Uv: { Value: !Ref Uv }
  Pip: { Value: !Ref Pip }
`;
const value = (text: string): string => `VALUE = "${text}"\n`;

function filesOf(index: string): Record<string, string> {
  return {
    'template.yaml': TEMPLATE,
    'pyproject.toml': '[tool.uv.workspace]\nmembers = ["apps/*", "libs/*"]\n',
    'apps/fn/pyproject.toml': `[project]\nname = "fn"\nversion = "0.1"\nrequires-python = ">=3.9"\ndependencies = ["lib", "thing"]\n[tool.uv.sources]\nlib = { workspace = true }\nthing = { index = "own" }\n[[tool.uv.index]]\nname = "own"\nurl = "${index}"\nexplicit = true\n`,
    'apps/fn/app.py':
      'import lib, lib2, thing\ndef handler(event, context):\n    return [lib.VALUE, lib2.VALUE, thing.VALUE]\n',
    ...localPackage('libs/lib', 'lib', {
      value: 'lib 1',
      dependencies: ['lib2'],
      more: '[tool.uv.sources]\nlib2 = { workspace = true }\n',
    }),
    ...localPackage('libs/lib2', 'lib2', { value: 'lib2 1' }),
    'pip/requirements.txt': '-r ../common/requirements.txt\n',
    'pip/app.py': 'import lib2\ndef handler(event, context):\n    return lib2.VALUE\n',
    'common/requirements.txt': '-e ../libs/lib2\n',
  };
}

describe('packages on this machine, and of a private index', () => {
  let cloud: TestCloud;
  let app: string;
  let env: Record<string, string>;
  let outputs: Record<string, string>;

  beforeAll(async () => {
    cloud = await startTestCloud();
    const [decoy, index] = await Promise.all(
      ['public', 'private'].map((text) =>
        startIndex([{ name: 'thing', version: '1.0', files: { 'thing.py': value(text) } }]),
      ),
    );
    app = await tempFolder(filesOf(index!.url));
    const caches = await tempFolder();
    env = { ...(await pythonEnv({ caches, index: decoy!.url })), ...cloud.env } as Record<string, string>;
    await promisify(execFile)('uv', ['lock', '--quiet'], { cwd: app, env });
  });
  afterAll(() => cloud?.stop());

  const sync = async (dir: string, ...args: string[]): Promise<string> => {
    const result = await runCli(['--stack-name', 'packages', '--yes', '--output', 'json', ...args], { cwd: dir, env });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const answers = (): Promise<unknown[]> =>
    Promise.all(['Uv', 'Pip'].map((id) => invoke(cloud.endpoint, outputs[id]!)));

  const step = story('one stack, changed in every way that there is to sync');

  step('a plain sync deploys them, and the next one has nothing to do', async () => {
    ({ outputs } = JSON.parse(await sync(app)) as { outputs: Record<string, string> });
    expect(await answers()).toEqual([['lib 1', 'lib2 1', 'private'], 'lib2 1']);
    expect(JSON.parse(await sync(app))).toMatchObject({ status: 'unchanged' });
  });

  step('plain syncs and --code apply an edit of theirs', async () => {
    await writeFiles(app, { 'libs/lib/src/lib/__init__.py': value('lib 2') });
    await sync(app);
    expect(await answers()).toEqual([['lib 2', 'lib2 1', 'private'], 'lib2 1']);
    await writeFiles(app, { 'libs/lib2/src/lib2/__init__.py': value('lib2 2') });
    await sync(app, '--code');
    expect(await answers()).toEqual([['lib 2', 'lib2 2', 'private'], 'lib2 2']);
  });

  step('--watch applies it, also of what another one needs, and waits for a file that is included', async () => {
    const watch = await startReadyWatch(app, env, ['--stack-name', 'packages']);
    await watch.after(
      () => watch.write('libs/lib2/src/lib2/__init__.py', value('lib2 3')),
      isResource('Uv', 'in-sync'),
    );
    await watch.seen(({ resource, state, changed }) => resource === 'Pip' && state === 'in-sync' && changed === true);
    expect(await answers()).toEqual([['lib 2', 'lib2 3', 'private'], 'lib2 3']);

    const included = path.join(app, 'common/requirements.txt');
    const failed = await watch.after(() => fs.rename(included, `${included}.away`), isResource('Pip', 'failed'));
    expect(failed.error?.message).toContain(`includes ${included}, which does not exist`);
    await watch.after(() => fs.rename(`${included}.away`, included), isResource('Pip', 'in-sync'));
    await watch.stop();
  });

  step('another checkout with empty caches finds everything in sync', async () => {
    const other = await tempFolder();
    await fs.cp(app, other, { recursive: true, filter: (file) => path.basename(file) !== '.aws-sam' });
    const caches = await tempFolder();
    env = { ...env, UV_CACHE_DIR: path.join(caches, 'uv'), PIP_CACHE_DIR: path.join(caches, 'pip') };
    const { resources } = JSON.parse(await sync(other, '--code')) as { resources: { outcome: string }[] };
    expect(resources.map(({ outcome }) => outcome)).toEqual(resources.map(() => 'unchanged'));
    expect(resources.length).toBeGreaterThan(1);
    await fs.rm(path.join(app, '.aws-sam'), { recursive: true });
    expect(JSON.parse(await sync(app))).toMatchObject({ status: 'unchanged' });
  });
});
