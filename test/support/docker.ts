import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { tempFolder } from './temp-folder.ts';

const run = promisify(execFile);

/** A container engine for tests, with an image registry. */
export interface TestEngine {
  /** Why there is none; undefined: it runs. Tests that need it are skipped with this. */
  unavailable: string | undefined;
  /** Sends container tools there. Merge it over `process.env`. */
  env: Record<string, string>;
  /** `127.0.0.1:PORT` */
  registry: string;
  docker(...args: string[]): Promise<string>;
  /** Names of the containers that are there, running or not. */
  containers(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts one of our own, or says why there is none. `isRemote`: on TCP, without the folders of tests. */
export async function startTestEngine({ isRemote = false } = {}): Promise<TestEngine> {
  const script = fileURLToPath(new URL('../../scripts/docker-engine.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, ...(isRemote ? ['--remote'] : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const line = await firstLine(child);
  const { unavailable, dockerHost, registry } = JSON.parse(line) as Answer;
  const env = { DOCKER_HOST: dockerHost };
  const docker = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('docker', args, { env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
    return stdout.trim();
  };
  return {
    unavailable,
    env,
    registry,
    docker,
    containers: async () =>
      (await docker('ps', '--all', '--format', '{{.Names}}')).split('\n').filter((name) => name !== ''),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.on('close', () => resolve());
        child.stdin?.end();
      }),
  };
}

/** What the script prints: either why there is no engine, or where it is. */
interface Answer {
  unavailable: string | undefined;
  dockerHost: string;
  registry: string;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.on('error', reject);
    child.on('close', () => reject(new Error(`the engine's script ended without a word: ${text}`)));
  });
}

/** Programs that every image of ours has. */
const BASICS = ['sh', 'cat', 'touch', 'chown', 'env', 'sleep', 'mkdir', 'cp', 'ls', 'rm', 'find', 'make'];
/** What programs look up outside of themselves. */
const SETTINGS = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pip.conf'];

/**
 * Makes an image of this machine's own files, as there is no registry to take one from: programs with the libraries that
 * they are linked with, and Python with pip or Node.js with npm.
 */
export async function importImage(
  engine: TestEngine,
  name: string,
  wanted: { python?: boolean; node?: boolean } = {},
): Promise<void> {
  const programs = await Promise.all(BASICS.map((program) => which(program)));
  const trees: string[] = [];
  const links: string[] = [];
  const folders = ['/bin', '/usr/bin'];
  if (wanted.python) {
    const { executable, stdlib } = await pythonPlaces();
    programs.push(executable);
    trees.push(stdlib);
    folders.unshift(path.dirname(executable));
  }
  if (wanted.node) {
    const npm = await which('npm');
    programs.push(process.execPath);
    // a link into its package, which must stay one
    links.push(npm, path.dirname(path.dirname(await fs.realpath(npm))));
    folders.unshift(path.dirname(process.execPath), path.dirname(npm));
  }
  // Dockerfiles ask for it there
  const files = new Set<string>(['/bin/sh']);
  for (const program of programs) files.add(program);
  for (const tree of trees) for (const file of await filesBelow(tree)) files.add(file);
  const linked = [...programs, ...[...files].filter((file) => file.endsWith('.so'))];
  for (const library of await librariesOf(linked)) files.add(library);
  for (const file of SETTINGS) if (await fs.stat(file).catch(() => undefined)) files.add(file);
  const folder = await tempFolder({ 'list.txt': [...files].map((file) => file.slice(1)).join('\n') });
  await fs.mkdir(path.join(folder, 'empty/tmp'), { recursive: true });
  const tar = path.join(folder, 'image.tar');
  // libraries are links to versions
  const list = `--files-from=${path.join(folder, 'list.txt')}`;
  await run('tar', ['--create', `--file=${tar}`, '--dereference', '--directory=/', list]);
  await run('tar', [
    '--append',
    `--file=${tar}`,
    '--directory=/',
    ...links.map((link) => link.slice(1)),
    `--directory=${path.join(folder, 'empty')}`,
    'tmp',
  ]);
  await engine.docker('import', '--change', `ENV PATH=${folders.join(':')} HOME=/root`, tar, name);
}

/** Makes an image whose programs run as a user that owns nothing. */
export async function addUser(engine: TestEngine, image: string, name: string): Promise<void> {
  const container = await engine.docker('create', image, 'sh');
  await engine.docker('commit', '--change', 'USER 1234', container, name);
  await engine.docker('rm', container);
}

async function which(program: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'command -v "$1"', 'sh', program]);
  return stdout.trim();
}

async function pythonPlaces(): Promise<{ executable: string; stdlib: string }> {
  const script =
    'import os, sys, sysconfig; print(os.path.realpath(sys.executable)); print(sysconfig.get_paths()["stdlib"])';
  const { stdout } = await run('python3', ['-c', script]);
  const [executable = '', stdlib = ''] = stdout.trim().split('\n');
  return { executable, stdlib };
}

/** Without tests and what is installed besides pip: megabytes that no build needs. */
async function filesBelow(folder: string): Promise<string[]> {
  const items = await fs.readdir(folder, { withFileTypes: true });
  const skipped = new Set(['test', 'tests', '__pycache__', 'idlelib', 'ensurepip', 'config-3.11-x86_64-linux-gnu']);
  const nested = await Promise.all(
    items
      .filter((item) => !skipped.has(item.name))
      .filter((item) => path.basename(folder) !== 'site-packages' || /^(?:pip|setuptools)/.test(item.name))
      .map(async (item) => {
        const file = path.join(folder, item.name);
        return item.isDirectory() ? filesBelow(file) : [file];
      }),
  );
  return nested.flat();
}

/** Libraries, the loader among them, under their names and where these lead. */
async function librariesOf(files: readonly string[]): Promise<string[]> {
  const { stdout } = await run('sh', ['-c', 'ldd "$@" 2>/dev/null; true', 'sh', ...files], { maxBuffer: 1 << 26 });
  const names = [...new Set([...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? ''))];
  const real = await Promise.all(names.map((name) => fs.realpath(name)));
  return [...new Set([...names, ...real])];
}
