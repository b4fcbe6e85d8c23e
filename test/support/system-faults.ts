import { spawnSync } from 'node:child_process';
import { chmod, chown, readdir } from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin/sam-sync.cjs', import.meta.url));
const NOBODY = 65_534;

/**
 * A user whom permissions stop: ourselves, or, as root, `nobody`. undefined: `nobody` cannot run the checkout, or there are
 * no such users (Windows).
 */
export function ordinaryUser(): { uid: number | undefined } | undefined {
  if (process.getuid === undefined) return undefined;
  if (process.getuid() !== 0) return { uid: undefined };
  const { status } = spawnSync(process.execPath, [BIN, '--version'], { uid: NOBODY, gid: NOBODY, cwd: '/' });
  return status === 0 ? { uid: NOBODY } : undefined;
}

/** Gives a tree to the ordinary user; then, to these files and folders in it, nobody has access. */
export async function giveTo(user: { uid: number | undefined }, dir: string, denied: readonly string[]): Promise<void> {
  if (user.uid !== undefined) {
    for (const name of ['.', ...(await readdir(dir, { recursive: true }))])
      await chown(path.join(dir, name), user.uid, user.uid);
  }
  for (const name of denied) await chmod(path.join(dir, name), 0o000);
  onTestFinished(async () => {
    for (const name of denied) await chmod(path.join(dir, name), 0o755);
  });
}

/** Makes the folder a disk of its own, so large; false if we may not. */
export function mountSmallDisk(folder: string, size: string): boolean {
  if (process.platform !== 'linux') return false;
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  if (status !== 0) return false;
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  return true;
}
