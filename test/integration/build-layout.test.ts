import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBuildLayout } from '../../src/builder/layout/build-layout.ts';
import { planBuiltTemplates, writeBuiltTemplates } from '../../src/builder/layout/built-templates.ts';
import { openBuildCache } from '../../src/builder/cache/build-cache.ts';
import type { WrittenEntry } from '../../src/builder/cache/build-cache.ts';
import { parseJson, recordOf, text as textShape } from '../../src/support/shapes.ts';
import { mapOf } from '../../src/template/template.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import { buildApp, readTree } from '../support/build-app.ts';
import { poll } from '../support/cloud.ts';
import { snapshotFolder, tempFolder, writeFiles } from '../support/temp-folder.ts';

const FN = `Type: AWS::Serverless::Function, Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: fn }`;
const template = (more = ''): string => `Transform: AWS::Serverless-2016-10-31\nResources:\n  Fn: { ${FN} }\n${more}`;
const CHILD = '  Other: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: child.yaml } }\n';
const APP = { 'template.yaml': template(), 'fn/app.py': 'one', 'child.yaml': template() };

/** Builds everything in the folder and lays it out. */
async function layOut(dir: string): Promise<void> {
  const { root, result, options } = await buildApp(dir);
  await writeBuiltTemplates(root, result, options);
}

async function laidOutTemplate(dir: string): Promise<Record<string, unknown>> {
  const file = path.join(dir, '.aws-sam/build/template.yaml');
  return mapOf(parseTemplate(await fs.readFile(file, 'utf8'), file)['Resources']);
}

const code = (dir: string, id: string, name = 'app.py'): Promise<string> =>
  fs.readFile(path.join(dir, '.aws-sam/build', id, name), 'utf8');

describe('the folder of built templates', () => {
  it('has the folder of a nested stack where a function of that id was, and the cache stays as it is', async () => {
    const dir = await tempFolder({ ...APP, 'template.yaml': template(`  Other: { ${FN} }\n`) });
    await layOut(dir);
    const store = path.join(dir, '.aws-sam/sam-sync/artifacts');
    const before = await readTree(store);
    await writeFiles(dir, { 'template.yaml': template(CHILD) });
    await layOut(dir);
    expect(await readTree(store)).toEqual(before);
    expect((await fs.lstat(path.join(dir, '.aws-sam/build/Other'))).isSymbolicLink()).toBe(false);
    expect(await code(dir, 'Other/Fn')).toBe('one');
    await writeFiles(dir, { 'template.yaml': template(`  Other: { ${FN} }\n`) });
    await layOut(dir);
    expect(await code(dir, 'Other')).toBe('one');
    expect(await readTree(store)).toEqual(before);
  });

  it('may be below a linked .aws-sam', async () => {
    const elsewhere = await tempFolder();
    const dir = await tempFolder(APP);
    await fs.symlink(elsewhere, path.join(dir, '.aws-sam'));
    await layOut(dir);
    await writeFiles(dir, { 'fn/app.py': 'two' });
    await layOut(dir);
    expect(await fs.readFile(path.join(elsewhere, 'build/Fn/app.py'), 'utf8')).toBe('two');
  });

  it('is corrected wherever somebody changed it, after its links were remembered too', async () => {
    const stacks = ['Kept', 'Retargeted', 'Removed', 'Added', 'Copied', 'Replaced'];
    const children = stacks.map((id) => CHILD.replace('Other', id)).join('');
    const dir = await tempFolder({ ...APP, 'template.yaml': template(children) });
    const { root, result, options } = await buildApp(dir);
    const write = () => openBuildLayout(options).write(root, planBuiltTemplates(root, result, options));
    const build = path.join(dir, '.aws-sam/build');
    // a folder that was written just now may change again without a trace
    await poll(async () => {
      await write();
      const text = await fs.readFile(path.join(dir, '.aws-sam/sam-sync/layouts/build.links'), 'utf8').catch(() => '');
      const known = Object.keys(recordOf(textShape)(parseJson(text)) ?? {});
      return stacks.every((id) => known.includes(path.join(build, id))) ? true : undefined;
    });
    const namesNow = async () => (await fs.readdir(build, { recursive: true })).sort();
    const before = await namesNow();
    const target = await fs.readlink(path.join(build, 'Kept/Fn'));
    await fs.rm(path.join(build, 'Retargeted/Fn'));
    await fs.symlink('../..', path.join(build, 'Retargeted/Fn'));
    await fs.rm(path.join(build, 'Removed/Fn'));
    await fs.writeFile(path.join(build, 'Added/Gone'), '');
    await fs.rm(path.join(build, 'Copied/Fn'));
    await fs.cp(path.join(dir, 'fn'), path.join(build, 'Copied/Fn'), { recursive: true });
    await fs.rename(path.join(build, 'Replaced'), path.join(dir, 'elsewhere'));
    await fs.cp(path.join(dir, 'elsewhere'), path.join(build, 'Replaced'), { recursive: true, verbatimSymlinks: true });
    await fs.rm(path.join(build, 'Replaced/Fn'));
    await write();
    expect(await namesNow()).toEqual(before);
    for (const id of stacks) expect(await fs.readlink(path.join(build, id, 'Fn')), id).toBe(target);
  });

  it('replaces what AWS SAM CLI made, and what we made before the cache was deleted', async () => {
    const dir = await tempFolder({ ...APP, '.aws-sam/build.toml': '', '.aws-sam/build/Fn/old.py': '' });
    await layOut(dir);
    expect(await readTree(path.join(dir, '.aws-sam/build/Fn/.'))).toEqual({ 'app.py': 'one' });
    await fs.rm(path.join(dir, '.aws-sam/sam-sync'), { recursive: true });
    await fs.rm(path.join(dir, '.aws-sam/build.toml'));
    await layOut(dir);
    expect(await readTree(path.join(dir, '.aws-sam/build/Fn/.'))).toEqual({ 'app.py': 'one' });
  });

  it.each<[what: string, make: (dir: string, users: string) => Promise<unknown>, message: RegExp]>([
    [
      'is a link',
      async (dir, users) => {
        await fs.mkdir(path.join(dir, '.aws-sam'));
        await fs.symlink(users, path.join(dir, '.aws-sam/build'));
      },
      /\.aws-sam\/build is a link, and a build would replace its target/,
    ],
    [
      'was made by somebody else',
      (dir) => writeFiles(dir, { '.aws-sam/build/mine.txt': 'mine' }),
      /\.aws-sam\/build was created neither by sam-sync nor by SAM CLI/,
    ],
    [
      'would be in the project itself',
      (dir) => fs.symlink('.', path.join(dir, '.aws-sam')),
      /\.aws-sam is a link to a folder that contains the project/,
    ],
    [
      'would be above the project',
      (dir) => fs.symlink(path.dirname(dir), path.join(dir, '.aws-sam')),
      /\.aws-sam is a link to a folder that contains the project/,
    ],
  ])('is refused, and nothing is written, if it %s', async (_what, make, message) => {
    const users = await tempFolder({ 'template.yaml': 'SamResourceId', 'Gone/precious': 'p' });
    const dir = await tempFolder({ ...APP, 'build/precious': 'p' });
    await make(dir, users);
    const before = [await snapshotFolder(dir), await snapshotFolder(users)];
    await expect(layOut(dir)).rejects.toThrow(message);
    expect([await snapshotFolder(dir), await snapshotFolder(users)]).toEqual(before);
  });

  it('refuses an id that leads out of it, wherever that comes from', async () => {
    const dir = await tempFolder(APP);
    const { root, result, options } = await buildApp(dir);
    const [fn] = root.functions;
    const evil = { ...root, functions: [{ ...fn!, id: '../../Fn', logicalId: '../../Fn' }] };
    const folders = new Map([['../../Fn', result.folders.get('Fn')!]]);
    await expect(writeBuiltTemplates(evil, { ...result, folders }, options)).rejects.toThrow(
      /is not a valid file name/,
    );
    expect((await fs.readdir(dir)).sort()).toEqual(['.aws-sam', 'child.yaml', 'fn', 'template.yaml']);
  });
});

describe('after a build of some resources', () => {
  const ESBUILD =
    '  Ts: { Type: AWS::Serverless::Function, Metadata: { BuildMethod: esbuild, BuildProperties: { Sourcemap: true } }, Properties: { Runtime: nodejs22.x, Handler: src/app.handler, CodeUri: ts } }\n';
  const files = { ...APP, 'template.yaml': template(CHILD + ESBUILD), 'ts/src/app.ts': 'export const handler = 1;' };

  it('these are laid out, and the others stay, in another process too', async () => {
    const dir = await tempFolder(files);
    await layOut(dir);
    const whole = await laidOutTemplate(dir);
    await writeFiles(dir, { 'fn/app.py': 'two' });
    const some = await buildApp(dir, { only: new Set(['Fn']) });
    await openBuildLayout(some.options).update(some.root, some.result);
    expect(await laidOutTemplate(dir)).toEqual(whole);
    expect(await code(dir, 'Fn')).toBe('two');
    expect(await code(dir, 'Other/Fn')).toBe('one');
    expect(await code(dir, 'Ts', 'app.js')).toContain('handler');
  });

  it('in one session too, and templates are written again when they say something else', async () => {
    const dir = await tempFolder(files);
    const { root, result, options } = await buildApp(dir);
    const layout = openBuildLayout(options);
    await layout.update(root, result);
    const written = await fs.stat(path.join(dir, '.aws-sam/build/template.yaml'));
    for (const text of ['two', 'three']) {
      await writeFiles(dir, { 'fn/app.py': text });
      const some = await buildApp(dir, { only: new Set(['Fn', 'Other/Fn']) });
      await layout.update(root, some.result);
      expect([await code(dir, 'Fn'), await code(dir, 'Other/Fn')]).toEqual([text, text]);
    }
    expect((await fs.stat(path.join(dir, '.aws-sam/build/template.yaml'))).ino).toBe(written.ino);
    // AWS SAM CLI has built meanwhile
    await fs.rm(path.join(dir, '.aws-sam/build'), { recursive: true });
    await writeFiles(dir, {
      '.aws-sam/build.toml': '',
      '.aws-sam/build/template.yaml': '',
      '.aws-sam/build/Fn/old': '',
      'fn/app.py': 'four',
    });
    const some = await buildApp(dir, { only: new Set(['Fn']) });
    await layout.update(root, some.result);
    expect(await code(dir, 'Fn')).toBe('four');
    expect(Object.keys(await laidOutTemplate(dir))).toEqual(['Fn', 'Other', 'Ts']);
  });

  it('what was never built points at its source', async () => {
    const dir = await tempFolder(files);
    const some = await buildApp(dir, { only: new Set(['Fn']) });
    await openBuildLayout(some.options).update(some.root, some.result);
    const { Fn, Ts } = (await laidOutTemplate(dir)) as Record<string, { Properties: { CodeUri: string } }>;
    expect([Fn?.Properties.CodeUri, Ts?.Properties.CodeUri]).toEqual(['Fn', '../../ts']);
  });
});

describe('the cache keeps', () => {
  const make = async (content: string): Promise<WrittenEntry> => {
    await fs.writeFile(path.join(content, 'app.py'), '');
    return { facts: {} };
  };
  /** Builds so many versions of one artifact. */
  const build = async (cache: ReturnType<typeof openBuildCache>, from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      await cache.obtain('artifacts', `v${n}`, make);
      await cache.keepNewest('F', `v${n}`);
    }
  };
  const names = async (root: string): Promise<string[]> => (await fs.readdir(path.join(root, 'artifacts'))).sort();
  const newest = ['v4', 'v5', 'v6', 'v7', 'v8', 'v9'];

  it('what is laid out, in nested stacks too, until it is not any more', async () => {
    const dir = await tempFolder({ 'build/template.yaml': '', 'build/Child/template.yaml': '' });
    const root = path.join(dir, 'sam-sync');
    const cache = openBuildCache(root);
    await build(cache, 0, 2);
    await fs.symlink('../../sam-sync/artifacts/v0/content', path.join(dir, 'build/Child/F'));
    await fs.symlink('../sam-sync/artifacts/v1/content', path.join(dir, 'build/F'));
    await build(cache, 2, 10);
    expect(await names(root)).toEqual(['v0', 'v1', ...newest]);
    await fs.rm(path.join(dir, 'build'), { recursive: true });
    await build(cache, 9, 10);
    expect(await names(root)).toEqual(newest);
  });

  it('what is laid out, also if it was not used for long', async () => {
    const dir = await tempFolder({ 'auto-dependency-layer/template.yaml': '' });
    const root = path.join(dir, 'sam-sync');
    for (const key of ['linked', 'unused']) await openBuildCache(root).obtain('deps', key, make);
    await fs.symlink('../sam-sync/deps/linked/content', path.join(dir, 'auto-dependency-layer/FDepLayer'));
    const longAgo = new Date(Date.now() - 90 * 86_400_000);
    for (const key of ['linked', 'unused'])
      await fs.utimes(path.join(root, 'deps', key, 'entry.json'), longAgo, longAgo);
    await openBuildCache(root).prune();
    expect(await fs.readdir(path.join(root, 'deps'))).toEqual(['linked']);
  });

  it('what a sync of this process holds, until it releases it', async () => {
    const root = path.join(await tempFolder(), 'sam-sync');
    const cache = openBuildCache(root);
    const held = cache.hold();
    await held.cache.obtain('artifacts', 'v0', make);
    await build(cache, 0, 10);
    expect(await names(root)).toEqual(['v0', ...newest]);
    held.release();
    await build(cache, 9, 10);
    expect(await names(root)).toEqual(newest);
  });

  it('what another process uses, whichever began first, until that releases it or ends', async () => {
    const root = path.join(await tempFolder(), 'sam-sync');
    const other = openBuildCache(root).hold();
    await other.cache.obtain('artifacts', 'v0', make);
    const cache = openBuildCache(root);
    await build(cache, 0, 2);
    const late = openBuildCache(root).hold();
    expect(await late.cache.obtain('artifacts', 'v1', make)).toMatchObject({ cached: true });
    await build(cache, 2, 10);
    expect(await names(root)).toEqual(['v0', 'v1', ...newest]);
    late.release();
    await build(cache, 9, 10);
    expect(await names(root)).toEqual(['v0', ...newest]);
    // a process that was killed says nothing
    const [file = ''] = await fs.readdir(path.join(root, 'in-use'));
    const inUse = path.join(root, 'in-use');
    await fs.rename(path.join(inUse, file), path.join(inUse, file.replace(`-${process.pid}-`, '-99999999-')));
    await build(cache, 9, 10);
    expect(await names(root)).toEqual(newest);
    await cache.prune();
    expect(await fs.readdir(inUse)).toEqual([]);
    other.release();
  });

  it('what is behind a link, whose owner is not known', async () => {
    const users = await tempFolder({ 'precious/file': 'p' });
    const root = path.join(await tempFolder({ 'sam-sync/x': '' }), 'sam-sync');
    await fs.symlink(users, path.join(root, 'artifacts'));
    await openBuildCache(root).prune();
    expect(await readTree(users)).toEqual({ 'precious/file': 'p' });
  });

  it.each(['null', '[]', '1', '"x"', '{"handler": 1}', '{"a": {}}', '', '{'])(
    'no entry whose facts are %j: it is made again',
    async (facts) => {
      const root = path.join(await tempFolder(), 'sam-sync');
      const { path: content } = await openBuildCache(root).obtain('artifacts', 'k', make);
      await fs.writeFile(path.join(path.dirname(content), 'entry.json'), facts);
      expect(await openBuildCache(root).find('artifacts', 'k')).toBeUndefined();
      expect(await openBuildCache(root).obtain('artifacts', 'k', make)).toMatchObject({ cached: false, facts: {} });
      expect(await openBuildCache(root).obtain('artifacts', 'k', make)).toMatchObject({ cached: true });
    },
  );
});
