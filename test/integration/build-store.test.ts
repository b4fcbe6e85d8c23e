import { statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDefinition } from '../../src/builder/build-definition.ts';
import { buildStoreDir } from '../../src/builder/build-options.ts';
import { openBuildCache } from '../../src/builder/cache/build-cache.ts';
import { copyFiles, linkTree, listTree } from '../../src/builder/file-tree.ts';
import { planBuild } from '../../src/builder/plan-build.ts';
import { openSourceHasher } from '../../src/builder/cache/source-hash.ts';
import { openStatIndex } from '../../src/builder/cache/stat-index.ts';
import { createTools } from '../../src/builder/tools/tools.ts';
import { createProjectMemos } from '../../src/builder/workflows/project-memos.ts';
import { SourceChangedError } from '../../src/builder/workflows/workflow.ts';
import type { PreparedBuild, Workflow, BuildContext } from '../../src/builder/workflows/workflow.ts';
import { makeOld, readTree } from '../support/build-app.ts';
import { temporarySuffix } from '../../src/support/temporary-names.ts';
import { fakeFunction, fakeStack } from '../support/stack-builder.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

/** A clock that is ahead, so that files written now are not "shortly before now". */
const later = (): number => Date.now() + 10_000;

describe('hash of a tree', () => {
  it('depends on paths, contents and executable bits, and on nothing else', async () => {
    const one = await tempFolder({ 'a.txt': 'A', 'sub/b.txt': 'B' });
    const two = await tempFolder({ 'sub/b.txt': 'B', 'a.txt': 'A' });
    const hasher = openSourceHasher(path.join(one, 'index'));
    const hash = await hasher.hashTree(one, ['index']);
    expect(await hasher.hashPath(path.join(one, 'a.txt', 'x'))).toBe(undefined);
    expect(await hasher.hashTree(two)).toBe(hash);
    const changes: (() => Promise<unknown>)[] = [
      () => fs.writeFile(path.join(two, 'a.txt'), 'X'),
      () => fs.chmod(path.join(two, 'a.txt'), 0o755),
      () => fs.rename(path.join(two, 'a.txt'), path.join(two, 'c.txt')),
      () => fs.writeFile(path.join(two, 'new'), ''),
      () => fs.symlink('nowhere', path.join(two, 'link')),
    ];
    const seen = new Set([hash]);
    for (const change of changes) {
      await change();
      seen.add(await hasher.hashTree(two));
    }
    expect(seen.size).toBe(1 + changes.length);
  });

  it('leaves out excluded names at any depth, and those with a slash at the top only', async () => {
    const dir = await tempFolder({
      'a.py': '',
      'a.pyc': '',
      'sub/b.pyc': '',
      'node_modules/x': '',
      'lib/node_modules/y': '',
    });
    expect(listTree(dir, ['*.pyc', '/node_modules']).files.map((file) => file.path)).toEqual([
      'a.py',
      'lib/node_modules/y',
    ]);
  });

  it('follows links, and ends where they lead in a circle or nowhere', async () => {
    const dir = await tempFolder({ 'real/a': 'A' });
    await fs.symlink('real', path.join(dir, 'linked'));
    await fs.symlink('..', path.join(dir, 'real', 'up'));
    await fs.symlink('gone', path.join(dir, 'broken'));
    expect(listTree(dir).files.map((file) => file.path)).toEqual(['linked/a', 'real/a']);
    expect(listTree(dir).dangling).toEqual(['broken', 'linked/up', 'real/up']);
  });

  it('notices other content of the same size with the same time stamp', async () => {
    const dir = await tempFolder({ 'a.txt': 'one' });
    const file = path.join(dir, 'a.txt');
    await makeOld(file);
    const index = path.join(await tempFolder(), 'index.json');
    const first = openSourceHasher(index);
    const before = await first.hashTree(dir);
    await first.save();
    const { atime, mtime } = await fs.stat(file);
    await fs.writeFile(file, 'two');
    await fs.utimes(file, atime, mtime);
    expect(await openSourceHasher(index).hashTree(dir)).not.toBe(before);
  });

  it.each([
    ['1 s before it was read: it could change again in the same tick of a coarse clock', 1000, undefined],
    ['10 s before it was read', 10_000, 'hash'],
  ])('remembers a file that was changed %s: %s ms → %s', async (_when, age, known) => {
    const dir = await tempFolder({ 'a.txt': '' });
    const file = path.join(dir, 'a.txt');
    const stat = statSync(file, { bigint: true });
    const index = openStatIndex(path.join(dir, 'index.json'));
    index.set(file, { stat, readAt: Number(stat.ctimeNs / 1_000_000n) + age, hash: 'hash' });
    expect(index.get(file, stat)).toBe(known);
  });

  it('reads a file once as long as it does not change', async () => {
    const dir = await tempFolder({ 'a.txt': 'one' });
    const index = path.join(await tempFolder(), 'index.json');
    const first = openSourceHasher(index, later);
    const before = await first.hashTree(dir);
    await first.save();
    const saved = await fs.readFile(index, 'utf8');
    expect(saved).toContain('a.txt');
    // another hash in the index is believed: the file was not read again
    await fs.writeFile(index, saved.replace(/:[\w-]{43}"/, `:${'x'.repeat(43)}"`));
    expect(await openSourceHasher(index, later).hashTree(dir)).not.toBe(before);
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['cut off', '{"version":2,"folders":[\n["/a"\t,1\t,[["b"'],
    ['of another form', '{"version":2,"folders":[\n["/a"\t,{"constructor":{"toString":1}}]\n]}'],
    ['of another version', '{"version":99,"folders":[]}'],
  ])('an index that is %s only costs time', async (_what, text) => {
    const dir = await tempFolder({ toString: 'a', constructor: 'b', __proto__x: 'c' });
    const index = path.join(await tempFolder(), 'index.json');
    const expected = await openSourceHasher(path.join(await tempFolder(), 'other')).hashTree(dir);
    if (text !== undefined) await fs.writeFile(index, text);
    expect(await openSourceHasher(index).hashTree(dir)).toBe(expected);
  });
});

it('the index of one project keeps folders that a run does not ask for, until they are old', async () => {
  const DAYS = 86_400_000;
  const names = ['with "quotes", commas\tand tabs', 'back\\slash'];
  const [quoted = '', slashed = ''] = names;
  const root = await tempFolder(Object.fromEntries(names.map((name) => [`${name}/a.txt`, name])));
  const file = path.join(root, 'index.json');
  const [first, second] = names.map((name) => path.join(root, name, 'a.txt'));
  const statOf = (place = ''): BigIntStats => statSync(place, { bigint: true });
  const readAt = Date.now() + DAYS;
  const index = openStatIndex(file);
  index.set(first ?? '', { stat: statOf(first), readAt, hash: 'one' });
  await index.save();
  const next = openStatIndex(file);
  next.set(second ?? '', { stat: statOf(second), readAt, hash: 'two' });
  await next.save();
  const both = openStatIndex(file);
  expect([both.get(first ?? '', statOf(first)), both.get(second ?? '', statOf(second))]).toEqual(['one', 'two']);
  // what was not asked for since 30 days goes when the index is saved the next time
  const text = await fs.readFile(file, 'utf8');
  const { folders } = JSON.parse(text) as { folders: [string][] };
  expect(folders.map(([folder]) => folder)).toEqual([path.join(root, quoted), path.join(root, slashed)]);
  const today = Math.floor(Date.now() / DAYS);
  const lines = text
    .split('\n')
    .map((line) => (line.includes('quotes') ? line.replaceAll(`${today}`, `${today - 30}`) : line));
  await fs.writeFile(file, lines.join('\n'));
  const old = openStatIndex(file);
  old.set(second ?? '', { stat: statOf(second), readAt, hash: 'three' });
  await old.save();
  expect(openStatIndex(file).get(first ?? '', statOf(first))).toBeUndefined();
  expect(openStatIndex(file).get(second ?? '', statOf(second))).toBe('three');
});

async function makeFile(content: string): Promise<{ facts: Record<string, string> }> {
  await fs.writeFile(path.join(content, 'f'), 'x');
  return { facts: {} };
}

describe('the cache', () => {
  it('makes an entry once, in this process and the next', async () => {
    const root = await tempFolder();
    let made = 0;
    const make = async (content: string): Promise<{ facts: { handler: string } }> => {
      made++;
      await fs.writeFile(path.join(content, 'f'), 'x');
      return { facts: { handler: 'h' } };
    };
    const cache = openBuildCache(root);
    const [one, two] = await Promise.all([cache.obtain('deps', 'k', make), cache.obtain('deps', 'k', make)]);
    const later = await openBuildCache(root).obtain('deps', 'k', make);
    expect({ made, same: one.path === two.path && two.path === later.path }).toEqual({ made: 1, same: true });
    expect(later).toMatchObject({ cached: true, key: 'k', facts: { handler: 'h' } });
  });

  it('leaves nothing of a build that failed', async () => {
    const root = await tempFolder();
    const cache = openBuildCache(root);
    const failing = cache.obtain('artifacts', 'k', async (content) => {
      await fs.writeFile(path.join(content, 'half'), '');
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(await cache.find('artifacts', 'k')).toBeUndefined();
    expect(await fs.readdir(path.join(root, 'tmp'))).toEqual([]);
  });

  it('of two processes that make the same, both use what was there first', async () => {
    const root = await tempFolder();
    const [one, two] = [openBuildCache(root), openBuildCache(root)];
    const atWork = new AbortController();
    const released = new Promise<void>((resolve) => {
      atWork.signal.addEventListener('abort', () => resolve());
    });
    const slow = one.obtain('deps', 'k', async (content) => {
      await fs.writeFile(path.join(content, 'from'), 'one');
      await released;
      return { facts: {} };
    });
    const quick = await two.obtain('deps', 'k', async (content) => {
      await fs.writeFile(path.join(content, 'from'), 'two');
      return { facts: {} };
    });
    atWork.abort();
    expect((await slow).path).toBe(quick.path);
    expect(await readTree(quick.path)).toEqual({ from: 'two' });
  });

  it('makes an entry again if the cache is removed meanwhile, but not forever', async () => {
    const root = await tempFolder({});
    const cache = openBuildCache(root);
    let tries = 0;
    const make = (removals: number) => async (content: string) => {
      if (++tries <= removals) await fs.rm(path.join(root, 'tmp'), { recursive: true });
      await fs.writeFile(path.join(content, 'app.py'), 'A');
      return { facts: {} };
    };
    const entry = await cache.obtain('artifacts', 'a'.repeat(32), make(1));
    expect(await readTree(entry.path)).toEqual({ 'app.py': 'A' });
    expect(tries).toBe(2);
    await expect(cache.obtain('artifacts', 'b'.repeat(32), make(Infinity))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(tries).toBe(5);
  });

  it('makes an entry again that was deleted in part', async () => {
    const root = await tempFolder();
    const entry = await openBuildCache(root).obtain('deps', 'k', makeFile);
    for (const gone of ['content', 'entry.json']) {
      await fs.rm(path.join(path.dirname(entry.path), gone), { recursive: true });
      expect(await openBuildCache(root).obtain('deps', 'k', makeFile)).toMatchObject({ cached: false });
      expect(await readTree(entry.path)).toEqual({ f: 'x' });
    }
  });

  it('prunes what was not used for long and what interrupted builds left', async () => {
    const ours = temporarySuffix();
    const ofKilled = ours.replace(/\d+/, '99999999');
    const ofElsewhere = ofKilled.replace(/-[0-9a-f]{6}-/, '-000000-');
    const root = await tempFolder({
      'deps/old/entry.json': '{}',
      'deps/old/content/x': '',
      'deps/young/entry.json': '{}',
      [`deps/young/content/x.${ofKilled}`]: 'content is never looked at',
      [`deps/young/package.zip.${ofKilled}`]: '',
      [`deps/young/package.zip.${ours}`]: '',
      [`deps/young/package.zip.${ofElsewhere}`]: '',
      [`stacks/s.json.${ofKilled}`]: '',
      [`index.json.${ofKilled}`]: '',
      'artifacts/.DS_Store': '',
      'artifacts/half/content/x': '',
      [`tmp/k.${ofKilled}/x`]: '',
      [`tmp/k.${ofElsewhere}/x`]: '',
      [`tmp/old.${ofElsewhere}/x`]: '',
      [`tmp/k.${ours}/x`]: '',
    });
    const longAgo = new Date(Date.now() - 90 * 86_400_000);
    for (const old of ['deps/old/entry.json', `tmp/old.${ofElsewhere}`])
      await fs.utimes(path.join(root, old), longAgo, longAgo);
    await openBuildCache(root).prune();
    const names = async (folder: string) => (await fs.readdir(path.join(root, folder))).sort();
    expect(await names('deps')).toEqual(['young']);
    const kept = [`package.zip.${ours}`, `package.zip.${ofElsewhere}`].sort();
    expect(await names('deps/young')).toEqual(['content', 'entry.json', ...kept]);
    expect(await names('deps/young/content')).toEqual([`x.${ofKilled}`]);
    expect(await names('artifacts')).toEqual([]);
    expect(await names('stacks')).toEqual([]);
    expect(await names('tmp')).toEqual([`k.${ours}`, `k.${ofElsewhere}`].sort());
    expect(await names('.')).toEqual(['artifacts', 'deps', 'pruned', 'stacks', 'tmp']);
  });

  it('keeps some versions of an artifact in a long session, and those that others use', async () => {
    const root = await tempFolder();
    const cache = openBuildCache(root);
    for (let n = 0; n < 10; n++) {
      await cache.obtain('artifacts', `v${n}`, async () => ({ facts: {} }));
      await cache.keepNewest('F', `v${n}`);
      if (n === 0) await cache.keepNewest('G', 'v0');
    }
    expect((await fs.readdir(path.join(root, 'artifacts'))).sort()).toEqual(['v0', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9']);
  });
});

it('a file that is copied over a linked one does not reach the cached one', async () => {
  const [cached, target, source] = [
    await tempFolder({ 'a/f': 'cached' }),
    await tempFolder(),
    await tempFolder({ 'a/f': 'mine' }),
  ];
  await linkTree(cached, target);
  expect((await fs.stat(path.join(target, 'a/f'))).ino).toBe((await fs.stat(path.join(cached, 'a/f'))).ino);
  await copyFiles(listTree(source).files, target);
  expect(await readTree(target)).toEqual({ 'a/f': 'mine' });
  expect(await readTree(cached)).toEqual({ 'a/f': 'cached' });
});

/** A build definition of a folder with a workflow of the test's own. */
async function withWorkflow(prepared: (dir: string, context: BuildContext) => Partial<PreparedBuild>): Promise<{
  dir: string;
  notes: string[];
  build(version?: number): Promise<{ files: Record<string, string>; cached: boolean; key: string }>;
}> {
  const dir = await tempFolder({ 'code/a': '1' });
  const code = path.join(dir, 'code');
  const options = { projectDir: dir, stackName: 's', dependencyLayer: false, buildInSource: false, env: {} };
  const [definition] = planBuild(
    fakeStack({ functions: [fakeFunction({ id: 'F', code: { kind: 'folder', path: code } })] }),
    options,
  ).definitions;
  const cache = openBuildCache(buildStoreDir(dir));
  const hasher = openSourceHasher(path.join(dir, 'index.json'));
  const signal = new AbortController().signal;
  const tools = createTools({ env: {}, signal, reporter: { report: () => {} } });
  const notes: string[] = [];
  const note: BuildContext['note'] = (_level, text) => void notes.push(text);
  const seen = createProjectMemos();
  const context: BuildContext = { options, cache, hasher, tools, hostTools: tools, ...seen, stepId: 's', note };
  const whole: PreparedBuild = {
    label: 'test',
    inputs: async () => [],
    sourceKey: () => hasher.hashTree(code),
    make: async (target) => {
      await copyFiles(listTree(code).files, target);
      return {};
    },
    ...prepared(code, context),
  };
  return {
    dir: code,
    notes,
    build: async (version = 1) => {
      const workflow: Workflow = { name: 'python', version, prepare: async () => whole };
      const { artifact } = await buildDefinition(definition!, whole, { workflow, context });
      return { files: await readTree(artifact.path), cached: artifact.cached, key: artifact.key };
    },
  };
}

describe('a build', () => {
  it('is looked up by its source and by the version of the workflow', async () => {
    const { dir, build } = await withWorkflow(() => ({}));
    expect((await build()).cached).toBe(false);
    expect((await build()).cached).toBe(true);
    expect((await build(2)).cached).toBe(false);
    await writeFiles(dir, { a: '2' });
    expect(await build()).toMatchObject({ cached: false, files: { a: '2' } });
    await writeFiles(dir, { a: '1' });
    expect(await build()).toMatchObject({ cached: true, files: { a: '1' } });
  });

  it('is repeated if a file was saved while it was read', async () => {
    let times = 0;
    const { build } = await withWorkflow((dir) => ({
      make: async (target) => {
        await copyFiles(listTree(dir).files, target);
        if (++times === 1) await writeFiles(dir, { a: 'saved meanwhile' });
        return {};
      },
    }));
    expect(await build()).toMatchObject({ cached: false, files: { a: 'saved meanwhile' } });
    expect(times).toBe(2);
    expect((await build()).cached).toBe(true);
  });

  it('is repeated if a file that was listed is gone when it is read', async () => {
    let times = 0;
    const { dir, build } = await withWorkflow((code) => ({
      make: async (target) => {
        const { files } = listTree(code);
        if (++times === 1) await fs.rm(path.join(code, 'b'));
        await copyFiles(files, target);
        return {};
      },
    }));
    await writeFiles(dir, { b: 'goes' });
    expect(await build()).toMatchObject({ files: { a: '1' } });
    expect(times).toBe(2);
  });

  it('takes what was made last if it changes its own source every time, and is never found as that of a source', async () => {
    let times = 0;
    const { build, notes } = await withWorkflow((dir) => ({
      make: async (target) => {
        await copyFiles(listTree(dir).files, target);
        await writeFiles(dir, { stamp: String(++times) });
        return {};
      },
    }));
    expect(await build()).toMatchObject({ cached: false, files: { a: '1', stamp: '2' } });
    expect(times).toBe(3);
    expect(notes).toEqual([expect.stringContaining('the source keeps changing during the build')]);
    expect(await build()).toMatchObject({ cached: false, files: { a: '1', stamp: '5' } });
  });

  it('ends with an error if its source cannot be read in one piece', async () => {
    const { build } = await withWorkflow(() => ({
      make: async () => {
        throw new SourceChangedError();
      },
    }));
    await expect(build()).rejects.toThrow(/The source of F keeps changing during the build/);
  });
});
