import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { makeFolder, makeFolderSync, removeTree } from '../../src/support/files.ts';
import { asUserError, explainSystemError } from '../../src/system-errors.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** What was thrown, by the real system. */
async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function systemError(code: string, syscall: string, more: object = {}): Error {
  return Object.assign(new Error(`${code}: some words of Node, ${syscall} '/x'`), {
    code,
    syscall,
    path: '/x',
    ...more,
  });
}

describe('an error of the operating system', () => {
  it.each([
    ['ENOSPC', 'write', 'Cannot write /x: no space left on the disk (ENOSPC)'],
    ['EMFILE', 'open', 'Cannot open /x: too many open files (EMFILE)'],
    ['EACCES', 'scandir', 'Cannot list /x: permission denied (EACCES)'],
    ['EROFS', 'mkdir', 'Cannot create the folder /x: the file system is read-only (EROFS)'],
    ['EIO', 'read', 'Cannot read /x: the disk reports an error (EIO)'],
    ['EAGAIN', 'spawn make', 'Cannot start /x: too many processes, or too little memory (EAGAIN)'],
    ['EXYZ', 'frobnicate', 'Cannot frobnicate /x: some words of Node (EXYZ)'],
  ])('%s of %s: %s', (code, syscall, message) => {
    expect(explainSystemError(systemError(code, syscall))).toMatchObject({ message, code });
  });

  it('names both paths of a copy, and none where none is known', () => {
    const copy = systemError('ENOSPC', 'copyfile', { dest: '/y' });
    expect(explainSystemError(copy)?.message).toBe('Cannot copy /x to /y: no space left on the disk (ENOSPC)');
    const write = systemError('ENOSPC', 'write', { path: undefined });
    expect(explainSystemError(write)?.message).toBe('Cannot write: no space left on the disk (ENOSPC)');
  });

  it('says which part of the path is a file', async () => {
    const dir = await tempFolder({ file: '' });
    const file = path.join(dir, 'file');
    for (const folder of [file, path.join(file, 'a'), path.join(file, 'a', 'b')]) {
      const error = explainSystemError(await thrownBy(() => makeFolder(folder)));
      expect(error?.message).toContain(`${file} is a file, not a folder`);
      expect(error?.hint).toBe('Rename or remove that file.');
    }
  });

  it('says which part of the path is a link that leads nowhere', async () => {
    const link = path.join(await tempFolder(), 'link');
    await fs.symlink(path.join(link, '..', 'no-such-folder'), link);
    const error = explainSystemError(await thrownBy(() => makeFolder(link)));
    expect(error?.message).toContain(`${link} is a link that leads nowhere`);
    expect(error?.hint).toBe('Create what it leads to, or remove the link.');
  });

  it('in a path with a NUL character is shown', async () => {
    const error = explainSystemError(await thrownBy(() => fs.stat('/x/a\0b')));
    expect(error?.message).toContain(String.raw`/x/a\x00b`);
  });

  it.each([new TypeError('x is not a function'), 'text', undefined, Object.assign(new Error('x'), { code: 'ENOENT' })])(
    'is nothing else: %s',
    (error) => {
      expect(asUserError(error)).toBeUndefined();
    },
  );

  it('may go away by itself, or not', () => {
    expect(explainSystemError(systemError('ENOSPC', 'write'))?.isTransient).toBe(true);
    expect(explainSystemError(systemError('EACCES', 'open'))?.isTransient).toBe(false);
    const known = new UserError('known');
    expect(asUserError(known)).toBe(known);
  });
});

describe('a folder', () => {
  it('is made with those above it, also by several at once', async () => {
    const dir = await tempFolder();
    const folders = Array.from({ length: 20 }, (_, at) => path.join(dir, 'a', 'b', `c${at}`, 'd'));
    await Promise.all([...folders, ...folders].map((folder) => makeFolder(folder)));
    for (const folder of folders) expect((await fs.stat(folder)).isDirectory()).toBe(true);
    await makeFolder(path.parse(dir).root);
  });

  // Node's own way to make folders tries for ever there
  it.skipIf(process.platform !== 'linux')('that cannot be made is an error, in /proc too', async () => {
    for (const make of [makeFolder, makeFolderSync]) {
      const error = explainSystemError(await thrownBy(() => make('/proc/.sam-sync/a/b')));
      expect(error?.message).toBe('Cannot create the folder /proc/.sam-sync: folders cannot be created there (ENOENT)');
    }
  });

  it('is nothing to remove where a file is in its way', async () => {
    const dir = await tempFolder({ file: '' });
    await removeTree(path.join(dir, 'file', 'a'));
    await removeTree(path.join(dir, 'gone'));
  });
});
