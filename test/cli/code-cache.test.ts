import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as v8 from 'node:v8';
import { describe, expect, it } from 'vitest';
import { openBundle } from '../../bin/code-cache.cjs';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A bundle of two parts that says `words`, as scripts/build.mjs makes it. */
async function writeBundle(folder: string, build: string, words: string): Promise<void> {
  const main = `// build ${build}\nexports.say=()=>require("./part.cjs").words();`;
  await fs.writeFile(path.join(folder, 'main.cjs'), main);
  await fs.writeFile(path.join(folder, 'part.cjs'), `exports.words=()=>${JSON.stringify(words)};`);
}

/** Loads the bundle, uses it, and keeps what was compiled. */
function run(folder: string, cacheDir: string, flags: readonly string[] = []): unknown {
  const { main, save } = openBundle(folder, { cacheDir, flags });
  const said = (main['say'] as () => unknown)();
  save();
  return said;
}

/** The files of the cache and when each was written: another time is another file. */
async function written(cacheDir: string): Promise<string[]> {
  const names = await fs.readdir(cacheDir);
  const stats = await Promise.all(names.map((name) => fs.stat(path.join(cacheDir, name), { bigint: true })));
  return names.map((name, index) => `${name} ${stats[index]?.ino} ${stats[index]?.mtimeNs}`);
}

async function prepare(): Promise<{ folder: string; cacheDir: string; file: () => Promise<string> }> {
  const folder = await tempFolder();
  const cacheDir = path.join(await tempFolder(), 'a', 'cache');
  await writeBundle(folder, 'one1', 'first');
  const file = async (): Promise<string> => path.join(cacheDir, (await fs.readdir(cacheDir))[0] ?? '');
  return { folder, cacheDir, file };
}

describe('compiled code that is kept between runs', () => {
  it('is used again, and written only when something new was compiled', async () => {
    const { folder, cacheDir } = await prepare();
    expect(run(folder, cacheDir)).toBe('first');
    const before = await written(cacheDir);
    expect(before).toHaveLength(1);
    expect(before[0]).toContain(`one1-${process.version}-${process.arch}`);
    expect(run(folder, cacheDir)).toBe('first');
    expect(await written(cacheDir)).toEqual(before);
  });

  it('under the flags of a watch has a file of its own, also if the watch changes them: other commands keep theirs', async () => {
    const { folder, cacheDir } = await prepare();
    const usual = '--semi-space-growth-factor=2';
    const flags = ['--semi-space-growth-factor=1'];
    const runWatch = (): void => {
      const { main, save } = openBundle(folder, { cacheDir, flags });
      v8.setFlagsFromString('--semi-space-growth-factor=3');
      (main['say'] as () => unknown)();
      save();
      v8.setFlagsFromString(usual);
    };
    run(folder, cacheDir);
    runWatch();
    const before = await written(cacheDir);
    expect(before).toHaveLength(2);
    run(folder, cacheDir);
    run(folder, cacheDir, flags);
    v8.setFlagsFromString(usual);
    expect(await written(cacheDir)).toEqual(before);
  });

  it('that a killed run has half written is removed by the next that writes', async () => {
    const { folder, cacheDir } = await prepare();
    const ended = spawnSync(process.execPath, ['--version']).pid;
    await fs.mkdir(cacheDir, { recursive: true });
    for (const pid of [ended, process.pid]) await fs.writeFile(path.join(cacheDir, `other.tmp-${pid}`), '');
    run(folder, cacheDir);
    const names = await fs.readdir(cacheDir);
    expect(names.filter((name) => name.includes('.tmp-'))).toEqual([`other.tmp-${process.pid}`]);
  });

  it('is not that of another build, even if its parts have the same names and lengths', async () => {
    const { folder, cacheDir } = await prepare();
    run(folder, cacheDir);
    await writeBundle(folder, 'two2', 'other');
    expect(run(folder, cacheDir)).toBe('other');
    expect(await written(cacheDir)).toHaveLength(2);
    await writeBundle(folder, 'one1', 'first');
    expect(run(folder, cacheDir)).toBe('first');
  });

  it('may be deleted', async () => {
    const { folder, cacheDir } = await prepare();
    run(folder, cacheDir);
    await fs.rm(cacheDir, { recursive: true });
    expect(run(folder, cacheDir)).toBe('first');
    expect(await written(cacheDir)).toHaveLength(1);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['changed', (bytes) => bytes.fill(0x55, bytes.length - 200, bytes.length - 100)],
    ['cut', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['empty', () => Buffer.alloc(0)],
  ])('a file that is %s is not used, and is made anew', async (_what, damage) => {
    const { folder, cacheDir, file } = await prepare();
    run(folder, cacheDir);
    const whole = await fs.readFile(await file());
    await fs.writeFile(await file(), damage(Buffer.from(whole)));
    const before = await written(cacheDir);
    expect(run(folder, cacheDir)).toBe('first');
    expect(await written(cacheDir)).not.toEqual(before);
    const again = await written(cacheDir);
    expect(run(folder, cacheDir)).toBe('first');
    expect(await written(cacheDir)).toEqual(again);
  });

  it('a folder that cannot be made is no failure', async () => {
    const { folder } = await prepare();
    const file = path.join(await tempFolder({ file: '' }), 'file');
    expect(run(folder, path.join(file, 'cache'))).toBe('first');
  });

  it('of a version that is gone goes after a month, and so does the folder of versions that used the cache of Node.js', async () => {
    const { folder, cacheDir, file } = await prepare();
    run(folder, cacheDir);
    const old = await file();
    const longAgo = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000);
    await fs.mkdir(path.join(cacheDir, 'node', 'build'), { recursive: true });
    for (const place of [old, path.join(cacheDir, 'node')]) await fs.utimes(place, longAgo, longAgo);
    await writeBundle(folder, 'two2', 'other');
    run(folder, cacheDir);
    expect(await fs.readdir(cacheDir)).toEqual([expect.stringContaining(`two2-${process.version}-${process.arch}-`)]);
  });

  it('several commands at once leave one whole file', async () => {
    const cwd = await tempFolder();
    const env = { XDG_CACHE_HOME: cwd };
    const results = await Promise.all(Array.from({ length: 4 }, () => runCli(['--help'], { cwd, env })));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const folder = path.join(cwd, 'sam-sync', 'code');
    const before = await written(folder);
    expect(before).toHaveLength(1);
    expect((await runCli(['--help'], { cwd, env })).code).toBe(0);
    expect(await written(folder)).toEqual(before);
  });

  it('commands under other flags of V8 keep their files: NODE_OPTIONS, a watch, also one of the samconfig, and --code', async () => {
    const cwd = await tempFolder({ 'samconfig.toml': '[default.sync.parameters]\nwatch = true\n' });
    const folder = path.join(cwd, 'sam-sync', 'code');
    const files = async (args: readonly string[], env: Record<string, string> = {}): Promise<string[]> => {
      // ends early: there is no template
      expect((await runCli(['--stack-name', 's', ...args], { cwd, env: { ...env, XDG_CACHE_HOME: cwd } })).code).toBe(
        2,
      );
      return written(folder);
    };
    const debugging = { NODE_OPTIONS: '--interpreted-frames-native-stack' };
    const watch = await files([]);
    expect(watch).toHaveLength(1);
    expect(await files(['--watch'])).toEqual(watch);
    expect(await files(['--no-watch'])).toHaveLength(2);
    const all = await files(['--no-watch'], debugging);
    expect(all).toHaveLength(3);
    expect(await files([])).toEqual(all);
    expect(await files(['--no-watch'])).toEqual(all);
    expect(await files(['--no-watch'], debugging)).toEqual(all);
    // a code sync would read what a deployment compiled
    const withCode = await files(['--no-watch', '--code']);
    expect(withCode).toHaveLength(4);
    expect(await files(['--no-watch'])).toEqual(withCode);
    expect(await files(['--watch', '--code'])).toEqual(withCode);
  });

  it('a command that is killed while others run leaves the rest in order', async () => {
    const cwd = await tempFolder();
    const env = { XDG_CACHE_HOME: cwd };
    const killed = runCli(['--help'], { cwd, env, onStart: (child) => void child.kill() });
    expect((await runCli(['--help'], { cwd, env })).code).toBe(0);
    await killed;
    expect((await runCli(['--help'], { cwd, env })).code).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('a cache folder that cannot be created is no failure', async () => {
    const cwd = await tempFolder();
    expect((await runCli(['--help'], { cwd, env: { XDG_CACHE_HOME: '/proc/none' } })).code).toBe(0);
  });
});
