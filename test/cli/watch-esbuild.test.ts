import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { isResource, isStack, startReadyWatch, startWatch } from '../support/watch-cli.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild}
    Properties: {Runtime: nodejs22.x, CodeUri: src, Handler: app.handler}
Outputs:
  F: {Value: !Ref F}
`;

/** A handler that answers what it imports. */
const importing = (name: string): string => `import { v } from '${name}';\nexport const handler = async () => v;\n`;
const saying = (value: string): string => `export const v = '${value}';\n`;

describe('esbuild functions whose modules are found elsewhere', () => {
  let cloud: TestCloud;

  beforeAll(async () => {
    cloud = await startTestCloud();
  });
  afterAll(() => cloud?.stop());

  it('plain and --code bring a file that is found instead, also with fresh caches', async () => {
    const dir = await tempFolder({
      'template.yaml': TEMPLATE,
      'src/app.ts': importing('@/x'),
      'src/tsconfig.json': '{"compilerOptions":{"paths":{"@/*":["../over/*","../base/*"]}}}',
      'base/x.ts': importing('../shared/z').replace('export const handler = async () => v', 'export { v }'),
      'shared/z/index.js': saying('base'),
    });
    const sync = async (...more: string[]): Promise<unknown> => {
      const args = ['--stack-name', 'instead', '--yes', '--output', 'json', ...more];
      const { code, stdout, stderr } = await runCli(args, { cwd: dir, env: cloud.env });
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      const { outputs } = JSON.parse(stdout) as { outputs?: Record<string, string> };
      return invoke(cloud.endpoint, (name = outputs?.['F'] ?? name));
    };
    let name = '';
    expect(await sync()).toBe('base');
    await writeFiles(dir, { 'shared/z.js': saying('beside') });
    expect(await sync('--code')).toBe('beside');
    await writeFiles(dir, { 'over/x.ts': saying('over') });
    expect(await sync()).toBe('over');
    await fs.rm(path.join(dir, '.aws-sam'), { recursive: true });
    expect(await sync('--code')).toBe('over');
    await fs.rm(path.join(dir, 'over'), { recursive: true });
    expect(await sync('--code')).toBe('beside');
  });

  it('--watch from a state that fails: what is missing outside the code is synced when it comes', async () => {
    const dir = await tempFolder({ 'template.yaml': TEMPLATE, 'src/app.ts': importing('../shared/z') });
    const watch = await startWatch(dir, cloud.env, ['--stack-name', 'late']);
    await watch.seen(isResource('F', 'failed'), 0, 60_000);
    await watch.quiet();
    await watch.after(() => watch.write('shared/z.ts', saying('one')), isResource('F', 'in-sync'), 60_000);
    const { outputs } = await watch.seen(({ event }) => event === 'outputs');
    const answer = () => invoke(cloud.endpoint, (outputs as Record<string, string>)['F'] ?? '');
    expect(await answer()).toBe('one');

    const steps: [what: string, file: string, text: string, state: 'failed' | 'in-sync'][] = [
      ['a module that is not there', 'shared/z.ts', "export { v } from '../new/deep/y';\n", 'failed'],
      ['which comes with a mistake', 'new/deep/y.ts', 'export const v = ;\n', 'failed'],
      ['which is fixed', 'new/deep/y.ts', saying('two'), 'in-sync'],
      ['a package that is not installed', 'shared/z.ts', "export { v } from 'lent';\n", 'failed'],
      ['which is installed', 'node_modules/lent/index.js', 'exports.v = "three";\n', 'in-sync'],
      ['a nearer one', 'shared/node_modules/lent/index.js', 'exports.v = "four";\n', 'in-sync'],
    ];
    for (const [what, file, text, state] of steps) {
      const line = await watch.after(() => watch.write(file, text), isResource('F', state));
      expect({ what, state: line.state }).toEqual({ what, state });
      await watch.quiet();
    }
    expect(await answer()).toBe('four');
  });

  it('source maps need no NODE_OPTIONS by hand: deployed by a plain sync and in a watch, and taken back', async () => {
    const mapped = TEMPLATE.replace('BuildMethod: esbuild', 'BuildMethod: esbuild, BuildProperties: {Sourcemap: true}');
    const code = `type Never = {};
export const handler = async (): Promise<string> => {
  const stack = new Error('x').stack ?? '';
  return /app\\.ts:3/.test(stack) ? 'mapped' : 'as bundled';
};
`;
    const dir = await tempFolder({ 'template.yaml': mapped, 'src/app.ts': code });
    const args = ['--stack-name', 'maps', '--yes', '--output', 'json'];
    const first = await runCli(args, { cwd: dir, env: cloud.env });
    expect({ code: first.code, stderr: first.code === 0 ? '' : first.stderr }).toEqual({ code: 0, stderr: '' });
    const { outputs } = JSON.parse(first.stdout) as { outputs: Record<string, string> };
    const answer = () => invoke(cloud.endpoint, outputs['F'] ?? '');
    expect(await answer()).toBe('mapped');

    const watch = await startReadyWatch(dir, cloud.env, ['--stack-name', 'maps']);
    await watch.after(
      () => watch.write('src/app.ts', `\n\n${code}`.replace('ts:3', 'ts:5')),
      isResource('F', 'in-sync'),
    );
    expect(await answer()).toBe('mapped');
    await watch.after(() => watch.write('template.yaml', TEMPLATE), isStack('in-sync'));
    expect(await answer()).toBe('as bundled');
    await watch.after(() => watch.write('template.yaml', mapped), isStack('in-sync'));
    expect(await answer()).toBe('mapped');
    await watch.stop();
    await writeFiles(dir, { 'src/app.ts': code });
    expect((await runCli([...args, '--code'], { cwd: dir, env: cloud.env })).code).toBe(0);
    expect(await answer()).toBe('mapped');
  });

  it('a layer of bundles is deployed, and synced by --code and in a watch; functions find it by name', async () => {
    const layered = TEMPLATE.replace(
      'Outputs:',
      `    Layers: [!Ref L]
  L:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [src/shared.ts]}}
    Properties: {ContentUri: layer, CompatibleRuntimes: [nodejs22.x]}
Outputs:`,
    )
      .replace('BuildMethod: esbuild}', 'BuildMethod: esbuild, BuildProperties: {External: [shared]}}')
      .replace('Handler: app.handler}\n    Layers: [!Ref L]', 'Handler: app.handler, Layers: [!Ref L]}');
    const dir = await tempFolder({
      'template.yaml': layered,
      'src/app.ts': importing('shared'),
      'layer/src/shared.ts': "export { v } from '../../common/v';\n",
      'common/v.ts': saying('one'),
    });
    const args = ['--stack-name', 'layered', '--yes', '--output', 'json'];
    const first = await runCli(args, { cwd: dir, env: cloud.env });
    expect({ code: first.code, stderr: first.code === 0 ? '' : first.stderr }).toEqual({ code: 0, stderr: '' });
    const { outputs } = JSON.parse(first.stdout) as { outputs: Record<string, string> };
    const answer = () => invoke(cloud.endpoint, outputs['F'] ?? '');
    expect(await answer()).toBe('one');
    await writeFiles(dir, { 'common/v.ts': saying('two') });
    expect((await runCli([...args, '--code'], { cwd: dir, env: cloud.env })).code).toBe(0);
    expect(await answer()).toBe('two');
    const watch = await startReadyWatch(dir, cloud.env, ['--stack-name', 'layered']);
    await watch.after(() => watch.write('common/v.ts', saying('three')), isResource('L', 'in-sync'));
    await watch.quiet();
    expect(await answer()).toBe('three');
  });
});
