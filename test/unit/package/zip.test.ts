import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { listEntries } from '../../../src/package/zip/tree-entries.ts';
import type { TreeEntry } from '../../../src/package/zip/tree-entries.ts';
import { COMPRESSOR } from '../../../src/package/zip/compression.ts';
import { createCompressor } from '../../../src/package/zip/compressor.ts';
import { openCompressedFiles } from '../../../src/package/zip/compressed-files.ts';
import type { CompressedFile } from '../../../src/package/zip/compressed-files.ts';
import { writeZip } from '../../../src/package/zip/zip.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const compressor = createCompressor();
const zipOf = async (folder: string, target: string) => writeZip(await listEntries(folder), target, { compressor });
const python = (code: string, ...args: string[]): string =>
  execFileSync('python3', ['-c', code, ...args], { encoding: 'utf8' }).trim();

describe('writeZip', () => {
  it('defect 4: equal trees give equal bytes, whatever the order of creation, the dates and the umask', async () => {
    const folder = await tempFolder();
    const make = async (name: string, files: string[], modes: [number, number]): Promise<string> => {
      for (const file of files) {
        const target = path.join(folder, name, file);
        await fs.mkdir(path.dirname(target), { recursive: true });
        await fs.writeFile(target, `content of ${file}\n`.repeat(50));
        await fs.chmod(target, file.endsWith('.sh') ? modes[1] : modes[0]);
        await fs.utimes(target, Math.random() * 1e9, Math.random() * 1e9);
      }
      return (await zipOf(path.join(folder, name), path.join(folder, `${name}.zip`))).sha256;
    };
    const files = ['b.py', 'a/z.py', 'a.py', 'run.sh', 'ü.txt'];
    const first = await make('one', files, [0o644, 0o755]);
    const second = await make('two', files.toReversed(), [0o600, 0o700]);
    expect(second).toBe(first);
    await fs.chmod(path.join(folder, 'two', 'a.py'), 0o755);
    expect((await zipOf(path.join(folder, 'two'), path.join(folder, 'two.zip'))).sha256).not.toBe(first);
  });

  it('is read by other tools: content, modes, links, dates, hash and size', async () => {
    const folder = await tempFolder({
      'src/app.py': 'print(1)\n',
      'src/empty': '',
      'src/bin/tool': '#!/bin/sh\n',
      'src/random': '',
    });
    const src = path.join(folder, 'src');
    await fs.chmod(path.join(src, 'bin/tool'), 0o755);
    await fs.writeFile(path.join(src, 'random'), createHash('sha512').update('x').digest());
    await fs.symlink('bin/tool', path.join(src, 'link'));
    const zip = await zipOf(src, path.join(folder, 'out.zip'));
    const listed = python(
      `import zipfile,sys,json
z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
print(json.dumps([[i.filename,oct(i.external_attr>>16),list(i.date_time)[:3],z.read(i).decode('latin1')] for i in z.infolist()]))`,
      zip.path,
    );
    const date = [1980, 1, 1];
    expect(JSON.parse(listed)).toEqual([
      ['app.py', '0o100644', date, 'print(1)\n'],
      ['bin/tool', '0o100755', date, '#!/bin/sh\n'],
      ['empty', '0o100644', date, ''],
      ['link', '0o120777', date, 'bin/tool'],
      ['random', '0o100644', date, (await fs.readFile(path.join(src, 'random'))).toString('latin1')],
    ]);
    const bytes = await fs.readFile(zip.path);
    expect(zip.size).toBe(bytes.length);
    expect(zip.sha256).toBe(createHash('sha256').update(bytes).digest('base64'));
  });

  it('streams a large file with the same result each time', async () => {
    const folder = await tempFolder({ 'src/small': 'x' });
    const line = 'the quick brown fox jumps over the lazy dog '.repeat(100);
    await fs.writeFile(path.join(folder, 'src/large'), line.repeat(2000));
    const first = await zipOf(path.join(folder, 'src'), path.join(folder, '1.zip'));
    const second = await zipOf(path.join(folder, 'src'), path.join(folder, '2.zip'));
    expect(second.sha256).toBe(first.sha256);
    const size = python(
      `import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(len(z.read('large')))`,
      first.path,
    );
    expect(Number(size)).toBe(line.length * 2000);
  });

  it('holds more entries than a plain zip can count', async () => {
    const folder = await tempFolder({ one: 'x' });
    const entry = (await listEntries(folder))[0]!;
    const entries = Array.from({ length: 70_000 }, (_, n) => ({ ...entry, path: `f${n}`, linkTarget: 'one' }));
    const zip = await writeZip(entries, path.join(folder, 'many.zip'), { compressor });
    expect(python(`import zipfile,sys; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))`, zip.path)).toBe('70000');
  });

  it('takes what is in an earlier zip from there, and gives the same bytes', async () => {
    const noise = (seed: string, size: number) =>
      createHash('shake256', { outputLength: size / 2 })
        .update(seed)
        .digest('hex');
    const files = { 'src/mid': noise('mid', 40_000), 'src/small': 'x', 'src/large': noise('large', 9_000_000) };
    const folder = await tempFolder(files);
    const src = path.join(folder, 'src');
    const make = async (name: string) => {
      const compressed = openCompressedFiles(folder);
      const find = vi.spyOn(compressed, 'find');
      const zip = await writeZip(await listEntries(src), path.join(folder, name), { compressor, compressed });
      await compressed.save();
      const found = await Promise.all(find.mock.results.map((result) => result.value as Promise<CompressedFile>));
      return { ...zip, found: found.filter((one) => one !== undefined).map((one) => path.basename(one.zip)) };
    };
    const first = await make('1.zip');
    expect(first.found).toEqual([]);
    const second = await make('2.zip');
    expect(second).toMatchObject({ sha256: first.sha256, found: ['1.zip', '1.zip', '1.zip'] });
    expect(second.sha256).toBe((await zipOf(src, path.join(folder, 'without.zip'))).sha256);

    // another file with the same size and time of change
    const mid = path.join(src, 'mid');
    const { atime, mtime } = await fs.stat(mid);
    await fs.writeFile(`${mid}.new`, noise('other', 40_000));
    await fs.utimes(`${mid}.new`, atime, mtime);
    await fs.rename(`${mid}.new`, mid);
    const third = await make('3.zip');
    expect(third.found).toEqual(['2.zip', '2.zip']);
    expect(third.sha256).toBe((await zipOf(src, path.join(folder, 'without.zip'))).sha256);

    // zips that are gone or not what they were, and half a file
    await fs.rm(path.join(folder, '3.zip'));
    await fs.truncate(path.join(folder, '2.zip'), 1000);
    const fourth = await make('4.zip');
    expect(fourth).toMatchObject({ sha256: third.sha256, found: [] });
    await fs.writeFile(path.join(folder, 'compressed.json'), '{"');
    expect(await make('5.zip')).toMatchObject({ sha256: third.sha256, found: [] });

    // what another compressor made
    const cache = path.join(folder, 'compressed.json');
    const { [COMPRESSOR]: places, stamps } = JSON.parse(await fs.readFile(cache, 'utf8'));
    await fs.writeFile(cache, JSON.stringify({ ...places, 'libdeflate 0.0.9': places, stamps }));
    expect(await make('6.zip')).toMatchObject({ sha256: third.sha256, found: [] });
  });

  it('reads no file that it has in an earlier zip, unless it was written to or another one has taken its place', async () => {
    const text = (name: string): string => `${name} `.repeat(2000);
    const names = ['linked', 'edited', 'replaced', 'large', 'tiny'];
    const folder = await tempFolder(Object.fromEntries(names.map((name) => [`first/${name}`, text(name)])));
    await fs.writeFile(path.join(folder, 'first/large'), text('large').repeat(800));
    await fs.writeFile(path.join(folder, 'first/tiny'), '1');
    const [from, to] = [path.join(folder, 'first'), path.join(folder, 'second')];
    const zip = async (tree: string, name: string, entries?: TreeEntry[]) => {
      const compressed = openCompressedFiles(folder);
      const result = await writeZip(entries ?? (await listEntries(tree)), path.join(folder, name), {
        compressor,
        compressed,
      });
      await compressed.save();
      return result.sha256;
    };
    const first = await zip(from, '1.zip');
    await fs.mkdir(to);
    for (const name of names) await fs.link(path.join(from, name), path.join(to, name));
    // the files are not there to be read
    const unreadable = (await listEntries(to)).map((entry) => ({ ...entry, absolute: path.join(folder, 'nowhere') }));
    expect(await zip(to, '2.zip', unreadable)).toBe(first);

    const { atime, mtime } = await fs.stat(path.join(to, 'replaced'));
    await fs.rm(path.join(to, 'replaced'));
    await fs.writeFile(path.join(to, 'replaced'), text('Replaced'));
    await fs.utimes(path.join(to, 'replaced'), atime, mtime);
    await fs.writeFile(path.join(to, 'edited'), text('Edited'));
    expect(await zip(to, '3.zip')).toBe((await zipOf(to, path.join(folder, 'without.zip'))).sha256);

    // a link to a file that may change has no stamp
    await fs.writeFile(path.join(folder, 'outside'), text('outside'));
    await fs.symlink(path.join(folder, 'outside'), path.join(to, 'link'));
    const entries = await listEntries(to);
    expect(entries.filter(({ stamp }) => stamp === undefined).map((entry) => entry.path)).toEqual(['link']);
  });

  it('takes nothing from an earlier zip that was damaged, or replaced by another one of its size', async () => {
    const bytes = (seed: string, size: number) => createHash('shake256', { outputLength: size }).update(seed).digest();
    const folder = await tempFolder({ 'one/mid': '', 'two/more': 'x'.repeat(70_000) });
    const [one, two] = [path.join(folder, 'one'), path.join(folder, 'two')];
    const write = async (tree: string, seed: string): Promise<void> => {
      await fs.writeFile(path.join(tree, 'mid'), bytes(seed, 70_000));
      await fs.writeFile(path.join(tree, 'large'), bytes(seed, 9_000_000));
    };
    const first = path.join(folder, '1.zip');
    const zip = async (tree: string, target: string) => {
      const compressed = openCompressedFiles(folder);
      const { sha256 } = await writeZip(await listEntries(tree), target, { compressor, compressed });
      await compressed.save();
      return sha256;
    };
    await write(one, 'A');
    await zip(one, first);
    await write(two, 'A');
    const wanted = (await zipOf(two, path.join(folder, 'without.zip'))).sha256;
    const damages: (() => Promise<unknown>)[] = [
      async () => {
        await write(one, 'B');
        await fs.rm(first);
        await zip(one, first);
      },
      async () => {
        const size = (await fs.stat(first)).size;
        await fs.writeFile(first, Buffer.alloc(size));
      },
    ];
    for (const damage of damages) {
      await damage();
      expect(await zip(two, path.join(folder, '2.zip'))).toBe(wanted);
      await fs.rm(path.join(folder, '2.zip'));
    }
  });

  it('leaves nothing behind when a file vanishes or the run is stopped', async () => {
    const folder = await tempFolder({ 'src/a': 'a', 'src/b': 'b' });
    const entries = await listEntries(path.join(folder, 'src'));
    await fs.rm(path.join(folder, 'src/b'));
    await expect(writeZip(entries, path.join(folder, 'out/x.zip'), { compressor })).rejects.toThrow('ENOENT');
    await expect(
      writeZip(entries, path.join(folder, 'out/x.zip'), { compressor, signal: AbortSignal.abort(new Error('stop')) }),
    ).rejects.toThrow('stop');
    expect(await fs.readdir(path.join(folder, 'out'))).toEqual([]);
  });
});

describe('listEntries', () => {
  it('keeps links inside the tree and to places in Lambda, follows those that leave it, and leaves out those to nowhere', async () => {
    const folder = await tempFolder({ 'tree/lib/a.js': 'a', 'outside/b.js': 'b', 'tree/z.js': 'z' });
    const tree = path.join(folder, 'tree');
    await fs.symlink('../lib', path.join(tree, 'lib/loop'));
    await fs.symlink('lib/a.js', path.join(tree, 'inside.js'));
    await fs.symlink(path.join(folder, 'outside'), path.join(tree, 'out'));
    await fs.symlink(path.join(folder, 'outside/b.js'), path.join(tree, 'b.js'));
    await fs.symlink('nowhere', path.join(tree, 'dangling'));
    await fs.symlink('/opt/nodejs/node_modules', path.join(tree, 'c'));
    await fs.symlink('/opt/../nowhere', path.join(tree, 'd'));
    await fs.symlink(folder, path.join(folder, 'outside/up'));
    const entries = await listEntries(tree);
    expect(
      entries.map(({ path, linkTarget }) => (linkTarget === undefined ? path : `${path} -> ${linkTarget}`)).slice(0, 4),
    ).toEqual(['b.js', 'c -> /opt/nodejs/node_modules', 'inside.js -> lib/a.js', 'lib/a.js']);
    expect(entries.map((entry) => entry.path)).toContain('out/b.js');
    expect(entries.find((entry) => entry.path === 'lib/loop')?.linkTarget).toBe('.');
  });

  it('gives the same entries through a link to the tree', async () => {
    const folder = await tempFolder({ 'tree/a/b.txt': 'b' });
    await fs.symlink('tree', path.join(folder, 'alias'));
    expect(await listEntries(path.join(folder, 'alias'))).toEqual(await listEntries(path.join(folder, 'tree')));
  });
});
