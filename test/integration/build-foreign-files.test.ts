import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyFiles } from '../../src/builder/file-tree.ts';
import { unpackZip } from '../../src/builder/workflows/unpack-zip.ts';
import { buildApp } from '../support/build-app.ts';
import { snapshotFolder, tempFolder, writeFiles } from '../support/temp-folder.ts';
import { zipBytes } from '../support/zip-bytes.ts';
import type { ZipEntry } from '../support/zip-bytes.ts';

/** A template with one function, `Fn`, in the folder `fn`. */
function template(metadata = '', runtime = 'nodejs22.x'): string {
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn: { Type: 'AWS::Serverless::Function', ${metadata} Properties: { CodeUri: fn, Handler: app.handler, Runtime: ${runtime} } }
`;
}

/** The snapshot without `.aws-sam`. */
async function sources(dir: string): Promise<Record<string, string>> {
  const all = Object.entries(await snapshotFolder(dir));
  return Object.fromEntries(all.filter(([name]) => !name.startsWith('.aws-sam')));
}

/** What is in `.aws-sam` that is not a folder or file of ours. */
async function strangers(dir: string): Promise<string[]> {
  const own = /^sam-sync(?:\/(?:(?:artifacts|bundles|deps|in-use|tmp)(?:\/.*)?|pruned|source-index\.json))?$/;
  const names = Object.keys(await snapshotFolder(dir)).filter((name) => name.startsWith('.aws-sam/'));
  return names.map((name) => name.slice('.aws-sam/'.length)).filter((name) => !own.test(name));
}

describe('package.json', () => {
  const APP = { 'template.yaml': template(), 'fn/app.js': 'A', 'secret.txt': 'S' };

  it.each<[what: string, manifest: string, files: string[]]>([
    ['nothing', '{}', ['app.js', 'package.json', 'sub/x.js']],
    [
      'what npm takes for nothing',
      '{"dependencies": null, "files": [], "bin": []}',
      ['app.js', 'package.json', 'sub/x.js'],
    ],
    ['texts that are none', '{"name": 5, "version": {}, "browser": 1}', ['app.js', 'package.json', 'sub/x.js']],
    ['bundleDependencies: true', '{"bundleDependencies": true}', ['app.js', 'package.json', 'sub/x.js']],
    [
      'bundled packages by name',
      '{"bundledDependencies": {"inner": 1}}',
      ['app.js', 'node_modules/inner/i.js', 'node_modules/inner/package.json', 'package.json', 'sub/x.js'],
    ],
    [
      'bundled packages that are elsewhere',
      '{"bundleDependencies": ["../../x", 5, "gone"]}',
      ['app.js', 'package.json', 'sub/x.js'],
    ],
    [
      'files that lead out',
      '{"files": ["../secret.txt", "../../*", "/../secret.txt", "app.js"]}',
      ['app.js', 'package.json'],
    ],
    [
      'a main and programs that lead out',
      '{"files": ["sub"], "main": "../secret.txt", "bin": {"x": "../../secret.txt"}}',
      ['package.json', 'sub/x.js'],
    ],
  ])('with %s', async (_what, manifest, files) => {
    const bundled = {
      'fn/node_modules/inner/package.json': '{"dependencies": {"../evil": "1"}}',
      'fn/node_modules/inner/i.js': '',
    };
    const dir = await tempFolder({ ...APP, ...bundled, 'fn/sub/x.js': '', 'fn/package.json': manifest });
    const before = await sources(dir);
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Fn')).sort()).toEqual(files);
    expect(await sources(dir)).toEqual(before);
  });

  it.each<[manifest: string, problem: string]>([
    ['null', 'it must be a JSON object'],
    ['[]', 'it must be a JSON object'],
    ['"x"', 'it must be a JSON object'],
    ['{"dependencies": ["a"]}', 'dependencies must be an object of package names and versions'],
    ['{"dependencies": "a"}', 'dependencies must be an object of package names and versions'],
    ['{"dependencies": {"a": 1}}', 'dependencies must be an object of package names and versions'],
    ['{"dependencies": {"../../evil": "1.0.0"}}', 'dependencies has an invalid package name: "../../evil"'],
    ['{"optionalDependencies": {"@a/../b": "1.0.0"}}', 'optionalDependencies has an invalid package name: "@a/../b"'],
    [
      '{"peerDependencies": {"": "1.0.0", "/x": "1"}}',
      'peerDependencies has an invalid package name: ""; peerDependencies has an invalid package name: "/x"',
    ],
    [
      '{"scripts": ["a"], "files": "dist"}',
      'scripts must be an object of names and commands; files must be a list of strings',
    ],
    ['{"files": [1]}', 'files must be a list of strings'],
    ['{"main": {}, "bin": [1]}', 'bin must be a string or an object of strings; main must be a string'],
    ['{"workspaces": {"packages": "x"}}', 'workspaces must be a list of strings'],
    ['{', 'is not valid JSON: '],
  ])('with %s is refused with what is wrong', async (manifest, problem) => {
    for (const metadata of ['', 'Metadata: { BuildMethod: esbuild },']) {
      const dir = await tempFolder({ ...APP, 'template.yaml': template(metadata), 'fn/package.json': manifest });
      const { failures } = await buildApp(dir);
      expect(failures).toHaveLength(1);
      const { message } = failures[0]!;
      expect(message.replace(`${dir}/fn/package.json`, 'FILE')).toMatch(/^FILE(:| is not valid JSON)/);
      expect(message).toContain(problem);
    }
  });

  it.each([
    ['.npmignore of a folder', 'fn/sub/.npmignore'],
    ['.gitignore', 'fn/.gitignore'],
  ])('beside a pattern in %s that is too long to be one fails, and that is all', async (_what, file) => {
    const dir = await tempFolder({ ...APP, 'fn/package.json': '{}', 'fn/sub/x.js': '', [file]: 'x'.repeat(70_000) });
    const { failures } = await buildApp(dir);
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('npm could not list the files to pack: pattern is too long'),
    ]);
  });

  it('with workspaces that lead out of the package leaves these alone', async () => {
    const outer = '{"name": "outer", "version": "1.0.0", "dependencies": {"is-number": "6.0.0"}}';
    const manifest = {
      name: 'fn',
      dependencies: { 'is-number': '7.0.0' },
      workspaces: ['../../../../outer', '../outer'],
    };
    const dir = await tempFolder({ ...APP, 'fn/package.json': JSON.stringify(manifest), 'outer/package.json': outer });
    const before = await sources(dir);
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect(Object.keys(await app.files('Fn')).filter((name) => name.includes('outer'))).toEqual([]);
    expect(await sources(dir)).toEqual(before);
  });

  it('with bundled packages has them as they are in node_modules', async () => {
    const manifest = { dependencies: { 'is-number': '7.0.0' }, bundleDependencies: true };
    const files = {
      'fn/node_modules/is-number/package.json': '{"version": "7.0.0"}',
      'fn/node_modules/is-number/index.js': 'mine',
    };
    const dir = await tempFolder({ ...APP, ...files, 'fn/package.json': JSON.stringify(manifest) });
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect((await app.files('Fn'))['node_modules/is-number/index.js']).toBe('mine');
  });
});

describe('files that are links', () => {
  it('a lock file is changed in the copy, not behind the link', async () => {
    const lock = {
      lockfileVersion: 3,
      packages: {
        '': { dependencies: { b: 'file:../b' } },
        '../b': { version: '1.0.0' },
        'node_modules/b': { resolved: '../b', link: true },
      },
    };
    const dir = await tempFolder({
      'template.yaml': template(),
      'fn/app.js': '',
      'fn/package.json': '{"dependencies": {"b": "file:../b"}}',
      'b/package.json': '{"name": "b", "version": "1.0.0"}',
      'b/index.js': 'B',
      'locks/fn.json': JSON.stringify(lock),
    });
    await fs.symlink('../locks/fn.json', path.join(dir, 'fn/package-lock.json'));
    const before = await sources(dir);
    const app = await buildApp(dir);
    expect(app.failures).toEqual([]);
    expect((await app.files('Fn'))['node_modules/b/index.js']).toBe('B');
    expect(await sources(dir)).toEqual(before);
    await writeFiles(dir, { 'locks/fn.json': '<<<<<<< HEAD' });
    const [failure] = (await buildApp(dir)).failures;
    expect(failure?.message).toMatch(/fn\/package-lock\.json is not a lock file: it must be a JSON object/);
  });

  it('a folder in an artifact that is a link is replaced, not written into', async () => {
    const users = await tempFolder({ 'a/x': 'theirs', y: 'theirs' });
    const target = await tempFolder();
    await fs.symlink(users, path.join(target, 'linked'));
    const source = await tempFolder({ 'linked/a/x': 'ours', 'linked/y': 'ours' });
    const files = ['linked/a/x', 'linked/y'].map((name) => ({ path: name, absolute: path.join(source, name) }));
    await copyFiles(files, target);
    expect(await snapshotFolder(target)).toEqual(await snapshotFolder(source));
    expect(await snapshotFolder(users)).toEqual({ a: '/', 'a/x': 'theirs', y: 'theirs' });
    await expect(copyFiles([{ path: '../x', absolute: files[0]!.absolute }], target)).rejects.toThrow(/leads out/);
  });
});

describe('an archive', () => {
  it('that says that it unpacks to more than any function has is refused, and nothing is unpacked', async () => {
    const dir = await tempFolder();
    const bytes = zipBytes({ 'ok.py': '', 'large.py': 'x' });
    // the last entry of the directory is compressed (8), and has 2 GB
    const entry = bytes.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    bytes.writeUInt16LE(8, entry + 10);
    bytes.writeUInt32LE(0x7fff_ffff, entry + 24);
    await fs.writeFile(path.join(dir, 'x-1.whl'), bytes);
    await expect(unpackZip(path.join(dir, 'x-1.whl'), path.join(dir, 'target'))).rejects.toThrow(
      'x-1.whl unpacks to more than 1 GB',
    );
    expect(await fs.readdir(dir)).toEqual(['x-1.whl']);
  });

  it('with small, large, stored and compressed files is unpacked as it is', async () => {
    const dir = await tempFolder();
    // large ones are streamed, the others read at once
    const texts = { 'none.py': '', 'small.py': 'import os\n'.repeat(500), 'lib/large.so': 'x'.repeat(40_000_000) };
    const entries = Object.entries(texts).flatMap(([name, text]): [string, ZipEntry][] => [
      [`stored/${name}`, { text, mode: 0o100755 }],
      [`deflated/${name}`, { text, mode: 0o100644, deflated: true }],
    ]);
    await fs.writeFile(path.join(dir, 'x-1.whl'), zipBytes(Object.fromEntries(entries)));
    const target = path.join(dir, 'target');
    await unpackZip(path.join(dir, 'x-1.whl'), target);
    for (const [name, entry] of entries) {
      const { text, mode } = entry as { text: string; mode: number };
      expect((await fs.readFile(path.join(target, name), 'utf8')) === text, name).toBe(true);
      if (process.platform !== 'win32') expect((await fs.stat(path.join(target, name))).mode, name).toBe(mode);
    }
  });

  it.each([100, 5_000])('with a file of 1,000 bytes that says %d is refused', async (claimed) => {
    const dir = await tempFolder();
    const entry = { text: 'x'.repeat(1_000), mode: 0o100644, deflated: true, claimed };
    await fs.writeFile(path.join(dir, 'x-1.whl'), zipBytes({ 'app.py': entry }));
    await expect(unpackZip(path.join(dir, 'x-1.whl'), path.join(dir, 'target'))).rejects.toThrow(
      /^x-1\.whl cannot be unpacked: "app\.py" has another size than the archive says$/,
    );
  });

  it.each(['../evil', 'a/../../evil', '/evil', 'a/..', '..\\evil', 'a\0b', 'x'.repeat(300)])(
    'with a file %j is refused, and nothing is unpacked',
    async (name) => {
      const dir = await tempFolder({ 'a/b/c': '' });
      const file = path.join(dir, 'x-1.whl');
      await fs.writeFile(file, zipBytes({ 'ok.py': '', [name]: '' }));
      const error = await unpackZip(file, path.join(dir, 'a/b/target')).catch((thrown: unknown) => thrown);
      // what a file system refuses has a code; everything else is said in a sentence
      expect((error as { code?: string }).code ?? (error as Error).message).toMatch(/^ENAMETOOLONG$|x-1\.whl/);
      const names = Object.keys(await snapshotFolder(dir)).filter((place) => !place.startsWith('a/b/target'));
      expect(names.sort()).toEqual(['a', 'a/b', 'a/b/c', 'x-1.whl']);
    },
  );

  it('that is none is said to be', async () => {
    const dir = await tempFolder({ 'x.zip': 'no zip' });
    await expect(unpackZip(path.join(dir, 'x.zip'), path.join(dir, 'target'))).rejects.toThrow(
      /^x\.zip cannot be unpacked: /,
    );
  });
});

describe("esbuild's BuildProperties", () => {
  it.each<[properties: string, problem: RegExp]>([
    [
      'EntryNames: "../../../[name]"',
      /^a file that esbuild makes leads out of its folder: "\.\.\/\.\.\/\.\.\/app\.js"/,
    ],
    ['EntryNames: "a\\0b"', /^a file that esbuild makes leads out of its folder/],
    ['ChunkNames: "../../../[name]-[hash]", Splitting: true, Format: esm', /^a file that esbuild makes leads out/],
    ['OutExtension: { .js: /../../../x.js }', /^(?:Fn: a file that esbuild makes leads out|esbuild )/],
    ['EntryPoints: ["a\\0"]', /^A path contains a NUL character: /],
  ])('%s: refused in a sentence', async (properties, problem) => {
    const dir = await tempFolder({
      'template.yaml': template(`Metadata: { BuildMethod: esbuild, BuildProperties: { ${properties} } },`),
      'fn/app.ts': 'export const handler = async () => (await import("./chunk")).x;',
      'fn/chunk.ts': 'export const x = 1;',
    });
    const before = await sources(dir);
    const { failures } = await buildApp(dir);
    expect(failures.map(({ message }) => message)).toEqual([expect.stringMatching(problem)]);
    expect(await sources(dir)).toEqual(before);
    expect(await strangers(dir)).toEqual([]);
  });
});

describe('other manifests', () => {
  it.each<[file: string, text: string, runtime: string, metadata: string]>([
    [
      'Cargo.toml',
      'package = "x"\ndependencies = 5\ntarget = [1]',
      'provided.al2023',
      'Metadata: { BuildMethod: rust-cargolambda },',
    ],
    [
      'Cargo.toml',
      '[package]\nworkspace = 5\n[dependencies]\na = 1\nb = { path = 5 }\n[patch]\nx = 1',
      'provided.al2023',
      'Metadata: { BuildMethod: rust-cargolambda },',
    ],
    [
      'Cargo.toml',
      '[package]\nname = "x"',
      'provided.al2023',
      'Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: ../../x } },',
    ],
    ['pyproject.toml', 'project = "x"\n[tool]\nuv = 5', 'python3.13', ''],
    ['pyproject.toml', '[project]\ndependencies = "x"', 'python3.13', ''],
  ])('%s with %j is read without an error of ours', async (file, text, runtime, metadata) => {
    const dir = await tempFolder({
      'template.yaml': template(metadata, runtime),
      [`fn/${file}`]: text,
      'fn/app.py': '',
    });
    const before = await sources(dir);
    const { failures } = await buildApp(dir);
    for (const { message } of failures) expect(message).not.toMatch(/TypeError|undefined|is not a function/);
    expect(
      Object.keys(await sources(dir)).filter((name) => !(name in before) && !name.startsWith('fn/target')),
    ).toEqual([]);
  });

  it.each(['null', 'packages: [null, {}]'])('pnpm-workspace.yaml with %j names nothing', async (yaml) => {
    const dir = await tempFolder({
      'template.yaml': template(),
      'pnpm-workspace.yaml': yaml,
      'fn/app.js': '',
      'fn/package.json': '{"dependencies": {"b": "file:./b"}}',
      'fn/b/package.json': '{"name": "b", "version": "1.0.0"}',
    });
    expect((await buildApp(dir)).failures).toEqual([]);
  });
});
