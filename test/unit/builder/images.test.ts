import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { contextHash, readContext } from '../../../src/builder/images/docker-context.ts';
import { planImages } from '../../../src/builder/images/plan-images.ts';
import type { DockerfileSource } from '../../../src/builder/images/plan-images.ts';
import { openSourceHasher } from '../../../src/builder/cache/source-hash.ts';
import type { FunctionResource } from '../../../src/model/stack.ts';
import { fakeFunction, fakeStack } from '../../support/stack-builder.ts';
import { tempFolder, writeFiles } from '../../support/temp-folder.ts';

const image = (id: string, metadata: FunctionResource['metadata'] = {}, more: Partial<FunctionResource> = {}) =>
  fakeFunction({
    id,
    packageType: 'Image',
    runtime: undefined,
    code: { kind: 'image', context: '/app/fn' },
    metadata,
    ...more,
  });
const plan = (...functions: FunctionResource[]) => planImages(fakeStack({ functions }), {});

describe('what images are planned', () => {
  it('reads all that Metadata says', () => {
    const metadata = {
      Dockerfile: 'd/File',
      DockerTag: 'v1',
      DockerBuildTarget: 't',
      DockerBuildArgs: { A: 1, B: 'x' },
      DockerBuildExtraParams: ['--ssh', 'default'],
    };
    expect(plan(image('Fn', metadata))[0]).toMatchObject({
      ids: ['Fn'],
      source: {
        context: '/app/fn',
        dockerfile: 'd/File',
        target: 't',
        args: { A: '1', B: 'x' },
        extra: ['--ssh', 'default'],
      },
      names: new Map([['Fn', 'fn:v1']]),
    });
  });

  test.each<[string, FunctionResource, number]>([
    ['the same, under another name', image('B', { DockerTag: 'x' }), 1],
    ['another target', image('B', { DockerBuildTarget: 'x' }), 2],
    ['another argument', image('B', { DockerBuildArgs: { A: '1' } }), 2],
    ['another architecture', image('B', {}, { architecture: 'arm64' }), 2],
    ['another context', image('B', {}, { code: { kind: 'image', context: '/app/other' } }), 2],
    ['an archive', image('B', {}, { code: { kind: 'image-archive', path: '/app/i.tar' } }), 2],
    ['one in a registry', image('B', {}, { code: { kind: 'remote' } }), 1],
    ['SkipBuild', image('B', {}, { skipBuild: true }), 1],
  ])('%s', (_what, other, count) => {
    expect(plan(image('A'), other)).toHaveLength(count);
  });

  it('names those of nested stacks apart', () => {
    expect([...(plan(image('Child/Fn'))[0]?.names.values() ?? [])]).toEqual(['child-fn:latest']);
  });

  test.each([
    [{ DockerBuildArgs: ['A'] }, 'DockerBuildArgs'],
    [{ DockerBuildArgs: { A: { Ref: 'X' } } }, 'Fn: only CloudFormation knows the value of A in DockerBuildArgs'],
    [{ DockerBuildExtraParams: 'x' }, 'DockerBuildExtraParams'],
  ])('%j is wrong', (metadata, message) => {
    expect(() => plan(image('Fn', metadata))).toThrow(message);
  });
});

const source = (context: string, dockerfile = 'Dockerfile'): DockerfileSource => ({
  kind: 'dockerfile',
  context,
  dockerfile,
  target: undefined,
  args: {},
  extra: [],
});

describe('the context', () => {
  const FILES = {
    Dockerfile: 'FROM x',
    'a.md': '',
    'docs/b.md': '',
    'docs/keep.md': '',
    'node_modules/m/i.js': '',
    '.aws-sam/x': '',
    'app.js': '',
  };

  it('is what .dockerignore leaves, as Docker reads it', async () => {
    // not anchored as .gitignore: *.md is of the top alone; `!` brings back from a folder that is left out
    const dir = await tempFolder({ ...FILES, '.dockerignore': '# comment\n*.md\ndocs\n!docs/keep.md\nnode_modules\n' });
    const { files } = await readContext(source(dir));
    expect(files.map(({ path: name }) => name)).toEqual(['.dockerignore', 'Dockerfile', 'app.js', 'docs/keep.md']);
  });

  it('a file beside the Dockerfile counts more', async () => {
    const dir = await tempFolder({ ...FILES, '.dockerignore': '*', 'Dockerfile.dockerignore': 'docs\nnode_modules\n' });
    const { files } = await readContext(source(dir));
    expect(files.map(({ path: name }) => name)).toEqual([
      '.dockerignore',
      'Dockerfile',
      'Dockerfile.dockerignore',
      'a.md',
      'app.js',
    ]);
  });

  it('decides the key: content, links, the Dockerfile wherever it is; not what is ignored', async () => {
    const dir = await tempFolder({ ...FILES, '.dockerignore': '**/*.md\n', 'outside/Dockerfile': 'FROM y' });
    const hasher = openSourceHasher(path.join(dir, 'index.json'));
    const about = source(dir, 'outside/Dockerfile');
    const keys = [await contextHash(about, hasher)];
    const change = async (files: Record<string, string>): Promise<boolean> => {
      await writeFiles(dir, files);
      keys.push(await contextHash(about, hasher));
      return keys.at(-1) !== keys.at(-2);
    };
    expect(await change({ 'a.md': 'changed', '.aws-sam/x': 'changed' })).toBe(false);
    expect(await change({ 'app.js': 'changed' })).toBe(true);
    expect(await change({ 'outside/Dockerfile': 'FROM z' })).toBe(true);
    await fs.symlink('app.js', path.join(dir, 'link'));
    expect(await change({})).toBe(true);
    await fs.mkdir(path.join(dir, 'empty/inside'), { recursive: true });
    expect(await change({})).toBe(true);
    expect(await change({ 'empty/inside/b.md': 'ignored' })).toBe(false);
    expect(await change({ 'empty/inside/b.txt': '' })).toBe(true);
  });
});
