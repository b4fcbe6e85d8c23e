import * as fs from 'node:fs/promises';
import * as net from 'node:net';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, readPlugin } from '../../src/local/installation.ts';
import { stopCloud } from '../../src/local/cloud.ts';
import { atEnd } from './at-end.ts';
import { sharedCacheDir, silent } from './cloud.ts';
import { tempFolder } from './temp-folder.ts';

const BIN = fileURLToPath(new URL('../../bin', import.meta.url));

/** Somebody who has just installed sam-sync: an empty home, a local cloud of their own that is not started yet. */
export interface NewUser {
  home: string;
  port: number;
  /** `sam` and `sam-sync` are on PATH; no account is configured. */
  env: Record<string, string>;
}

/** Makes a new user. The Python packages of the local cloud are there already: they take minutes, and are the same for all. */
export async function newUser(): Promise<NewUser> {
  const home = await tempFolder();
  const cacheDir = path.join(home, '.cache', 'sam-sync');
  const plugin = await readPlugin();
  await ensureInstalled(plugin, { cacheDir: sharedCacheDir(), env: process.env, reporter: silent });
  const packages = `python-${plugin.requirements}`;
  await fs.mkdir(cacheDir, { recursive: true });
  await fs.symlink(path.join(sharedCacheDir(), packages), path.join(cacheDir, packages), 'junction');
  const bin = path.join(home, 'bin');
  await fs.mkdir(bin);
  for (const name of ['sam', 'sam-sync']) {
    const script = `#!/bin/sh\nexec "${process.execPath}" "${path.join(BIN, `${name}.cjs`)}" "$@"\n`;
    await fs.writeFile(path.join(bin, name), script, { mode: 0o755 });
  }
  const port = await freePort();
  atEnd(() => stopCloud({ cacheDir, port }).catch(() => {}));
  const env = {
    PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`,
    HOME: home,
    XDG_CACHE_HOME: path.join(home, '.cache'),
    SAM_SYNC_CLOUD_PORT: String(port),
  };
  return { home, port, env };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
