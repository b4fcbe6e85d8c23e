import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';

/** Makes a named pipe, in place of what is there. Nothing ever writes to it: reading it waits forever. */
export async function makePipe(file: string): Promise<void> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.rm(file, { force: true });
  await promisify(execFile)('mkfifo', [file]);
}
