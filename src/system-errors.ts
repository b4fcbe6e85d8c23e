import { existsSync, lstatSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from './errors.ts';

/** The operating system refused an operation. The message has the path, the hint what to do. */
export class SystemError extends UserError {
  /** E.g. `ENOSPC`. */
  readonly code: string;
  /** A retry may succeed without a change of files: a full disk, too many open files. */
  readonly isTransient: boolean;

  constructor(code: string, text: { message: string; hint: string | undefined; cause: unknown }) {
    super(text.message, { cause: text.cause, ...(text.hint === undefined ? {} : { hint: text.hint }) });
    this.code = code;
    this.isTransient = TRANSIENT.has(code);
  }
}

/** Returns the error as a `UserError`, explaining one of the operating system; undefined for a defect of ours. */
export function asUserError(error: unknown): UserError | undefined {
  return error instanceof UserError ? error : explainSystemError(error);
}

/** Explains an error of the operating system; undefined for any other error. */
export function explainSystemError(error: unknown): SystemError | undefined {
  if (error instanceof SystemError) return error;
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ERR_INVALID_ARG_VALUE' && error.message.includes('null bytes')) return explainNul(code, error);
  if (typeof code !== 'string' || typeof syscall !== 'string') return undefined;
  return explain({ ...refusalOf(error), code, syscall: syscall.split(' ')[0] ?? syscall });
}

/** Explains lost output. */
export function explainLostOutput(name: string, error: Error): string {
  const refusal = { ...refusalOf(error), code: (error as NodeJS.ErrnoException).code ?? '', syscall: 'write' };
  return `Some output was lost: could not write to ${name}: ${reasonFor(refusal).reason}`;
}

/** Adds the path to errors of `work`: calls on open files lack it. */
export async function withPath<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw addPath(error, file);
  }
}

/** Adds the path to an error that lacks it. */
export function addPath(error: unknown, file: string): unknown {
  if (error instanceof Error && 'syscall' in error) (error as NodeJS.ErrnoException).path ??= file;
  return error;
}

interface Refusal {
  cause: Error;
  code: string;
  syscall: string;
  path: string | undefined;
  dest: string | undefined;
}

function refusalOf(error: Error): Omit<Refusal, 'code' | 'syscall'> {
  const { path: file, dest } = error as NodeJS.ErrnoException & { dest?: unknown };
  return { cause: error, path: textOf(file), dest: textOf(dest) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || Buffer.isBuffer(value) ? String(value) : undefined;
}

const TRANSIENT = new Set([
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'EBUSY',
  'ETXTBSY',
  'EIO',
  'ESTALE',
  'EAGAIN',
  'ENOMEM',
]);

/** What the program wanted to do, by system call. */
const ACTIONS: Readonly<Record<string, string>> = {
  open: 'open',
  read: 'read',
  write: 'write',
  writev: 'write',
  ftruncate: 'write',
  fsync: 'write',
  stat: 'access',
  lstat: 'access',
  fstat: 'access',
  statx: 'access',
  access: 'access',
  realpath: 'access',
  readlink: 'access',
  scandir: 'list',
  opendir: 'list',
  mkdir: 'create the folder',
  mkdtemp: 'create the folder',
  rmdir: 'remove',
  unlink: 'remove',
  rm: 'remove',
  rename: 'rename',
  copyfile: 'copy',
  cp: 'copy',
  symlink: 'create the link',
  link: 'create the link',
  chmod: 'change the permissions of',
  utime: 'change',
  watch: 'watch',
  spawn: 'start',
  uv_cwd: 'use the current folder',
};

interface Reason {
  reason: string;
  hint?: string;
}

const FILE_IN_THE_WAY = 'Rename or remove that file.';
const ACCESS = 'Check its permissions and owner: files created with sudo or in a container may belong to another user.';

const REASONS: Readonly<Record<string, Reason>> = {
  ENOSPC: { reason: 'no space left on the disk', hint: 'Free some space on that disk and sync again.' },
  EDQUOT: { reason: 'the disk quota is used up', hint: 'Free some space and sync again.' },
  EFBIG: { reason: 'the file is too large', hint: 'Check the limits of the file system and of the shell (ulimit -f).' },
  EMFILE: { reason: 'too many open files', hint: 'Raise the limit in this shell (ulimit -n 4096) and sync again.' },
  ENFILE: {
    reason: 'too many open files on this machine',
    hint: 'Close other programs, or raise the limit of the system.',
  },
  EACCES: { reason: 'permission denied', hint: ACCESS },
  EPERM: { reason: 'operation not permitted', hint: ACCESS },
  EROFS: { reason: 'the file system is read-only', hint: 'Use a writable folder.' },
  ENAMETOOLONG: {
    reason: 'the name is too long',
    hint: 'Shorten it: most file systems allow 255 bytes for each name in a path.',
  },
  ELOOP: { reason: 'its symbolic links form a loop', hint: 'Fix or remove the link.' },
  ENOENT: {
    reason: 'it does not exist',
    hint: 'It may have been removed or renamed: restore it and sync again.',
  },
  ENOTDIR: { reason: 'part of the path is a file, not a folder', hint: FILE_IN_THE_WAY },
  EEXIST: { reason: 'a file with that name exists', hint: FILE_IN_THE_WAY },
  EISDIR: { reason: 'it is a folder, not a file', hint: 'Rename or remove that folder.' },
  ENOTEMPTY: { reason: 'the folder is not empty', hint: 'Another program may be writing to it: sync again.' },
  EBUSY: { reason: 'another program is using it', hint: 'Close that program and sync again.' },
  ETXTBSY: { reason: 'another program is using it', hint: 'Close that program and sync again.' },
  EXDEV: { reason: 'it is on another file system' },
  EIO: { reason: 'the disk reports an error', hint: 'Check the disk or the network share, and sync again.' },
  ESTALE: { reason: 'the network share changed', hint: 'Sync again.' },
  ENOMEM: { reason: 'not enough memory', hint: 'Close other programs and sync again.' },
  EAGAIN: { reason: 'too many processes, or too little memory', hint: 'Close other programs and sync again.' },
  E2BIG: { reason: 'the command line or the environment is too long' },
};

function explain(refusal: Refusal): SystemError {
  const { code, cause } = refusal;
  const { reason, hint } = reasonFor(refusal);
  return new SystemError(code, { message: `Cannot ${whatFor(refusal)}: ${reason} (${code})`, hint, cause });
}

function whatFor({ syscall, path: file, dest }: Refusal): string {
  const action = ACTIONS[syscall] ?? syscall;
  return [action, file, dest === undefined ? undefined : `to ${dest}`].filter((word) => word !== undefined).join(' ');
}

function reasonFor({ code, syscall, path: file, cause }: Refusal): Reason {
  if (syscall === 'uv_cwd') return { reason: 'it was removed', hint: 'Change to an existing folder.' };
  const inTheWay = code === 'ENOTDIR' || code === 'EEXIST' ? firstFile(file) : undefined;
  if (inTheWay !== undefined && existsSync(inTheWay))
    return { reason: `${inTheWay} is a file, not a folder`, hint: FILE_IN_THE_WAY };
  if (inTheWay !== undefined)
    return { reason: `${inTheWay} is a link that leads nowhere`, hint: 'Create what it leads to, or remove the link.' };
  if (code === 'ENOENT' && syscall === 'mkdir') return { reason: 'folders cannot be created there' };
  return REASONS[code] ?? { reason: nodesWords(cause) };
}

/** Returns the first part of the path that exists and is no folder. */
function firstFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const above = path.dirname(file);
  const found = above === file ? undefined : firstFile(above);
  return found ?? (isNoFolder(file) ? file : undefined);
}

function isNoFolder(file: string): boolean {
  try {
    const stat = statSync(file, { throwIfNoEntry: false }) ?? lstatSync(file, { throwIfNoEntry: false });
    return stat !== undefined && !stat.isDirectory();
  } catch {
    return false;
  }
}

/** `EXYZ: what is wrong, open 'file'` → `what is wrong` */
function nodesWords({ message }: Error): string {
  return /^\w+: (.+?), \w+/.exec(message)?.[1] ?? message;
}

/** Explains a path with a NUL character, which Node refuses: for the system a path ends at the first NUL. */
function explainNul(code: string, cause: Error): SystemError {
  const shown = /Received (.+)$/s.exec(cause.message)?.[1] ?? '';
  const hint = 'Remove it from the path. In double-quoted YAML and in JSON it is written \\0 or \\u0000.';
  return new SystemError(code, { message: `A path contains a NUL character: ${shown}`, hint, cause });
}
