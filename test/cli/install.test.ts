import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { invoke } from '../support/cloud.ts';
import { nodeFolder } from '../support/npm-tool.ts';
import { openCloud } from '../support/open-cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { snapshotFolder, tempFolder } from '../support/temp-folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const isWindows = process.platform === 'win32';
const exec = promisify(execFile);

/** The versions of Node.js that the package is for, and one that is too old, as the `node` packages of npm carry them. */
const VERSIONS = ['20.20.2', '22.23.3', '24.21.0'];
const TOO_OLD = '12.22.12';

/** The environment of a shell: `npm test` passes settings of its own on. */
function shellEnv(more: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

async function run(program: string, args: readonly string[], cwd: string, env = shellEnv()): Promise<string> {
  const { stdout } = await exec(program, [...args], { cwd, env, shell: isWindows, maxBuffer: 2 ** 26 });
  return stdout.trim();
}

/** A clone as git makes it, without what a build or `npm ci` left behind, with one commit. */
async function freshClone(): Promise<string> {
  const clone = path.join(await tempFolder(), 'sam-sync');
  const left = ['node_modules', 'dist', 'release', '.git', '.cache'].map((name) => path.join(ROOT, name));
  await fs.cp(ROOT, clone, { recursive: true, filter: (source) => !left.includes(path.resolve(source)) });
  const git = (...args: string[]): Promise<string> => run('git', args, clone);
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Test');
  await git('config', 'user.email', 'test@example.com');
  await git('add', '--all');
  await git('commit', '--quiet', '-m', 'Everything');
  return clone;
}

const APP = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Bundled:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild, BuildProperties: { EntryPoints: [app.ts] } }
    Properties: { FunctionName: FN, CodeUri: src/, Handler: app.handler, Runtime: nodejs22.x }
`,
  'src/app.ts': 'export const handler = async (): Promise<string> => "bundled";\n',
};

describe('a fresh clone', () => {
  let clone = '';
  let tarball = '';
  let bin = '';
  let cloud: Awaited<ReturnType<typeof openCloud>>['cloud'];

  beforeAll(async () => {
    [{ cloud }, clone] = await Promise.all([openCloud(), freshClone()]);
    const target = await tempFolder();
    await run('npm', ['pack', '--pack-destination', target], clone);
    tarball = path.join(target, (await fs.readdir(target))[0] ?? '');
    const prefix = await tempFolder();
    await run('npm', ['install', '--global', '--prefix', prefix, tarball], prefix);
    bin = isWindows ? prefix : path.join(prefix, 'bin');
  });

  /** Runs an installed command with a version of Node.js first on PATH. */
  const runWith = async (node: string, command: string, args: readonly string[], cwd: string) => {
    const PATH = [node, bin, process.env['PATH']].join(path.delimiter);
    // the cache of compiled code is of each version's own
    const env = shellEnv({ ...cloud.env, PATH, HOME: cwd, XDG_CACHE_HOME: path.join(cwd, 'cache') });
    const words = isWindows ? ['cmd', '/c', command] : [path.join(bin, command)];
    return runCli(args, { cwd, env, command: words });
  };

  it.for(VERSIONS)('packed and installed in an empty prefix, syncs with Node.js %s', async (version, context) => {
    const node = await nodeFolder(version);
    if (node === undefined) return context.skip(`npm has no Node.js ${version} for this machine`);
    const name = `installed-${version.replaceAll('.', '-')}`;
    const app = await tempFolder({ ...APP, 'template.yaml': APP['template.yaml'].replace('FN', name) });
    const { code, stderr } = await runWith(node, 'sam', ['sync', '--stack-name', name, '--yes', '--debug'], app);
    expect(stderr).toContain(`Node ${version}`);
    expect(stderr).toContain(`Stack ${name} is in sync`);
    expect(code).toBe(0);
    expect(await invoke(cloud.endpoint, name)).toBe('bundled');
  });

  it('says in the first line that Node.js is too old', async (context) => {
    const node = await nodeFolder(TOO_OLD);
    if (node === undefined) return context.skip(`npm has no Node.js ${TOO_OLD} for this machine`);
    for (const command of ['sam', 'sam-sync']) {
      const { code, stdout, stderr } = await runWith(node, command, ['sync', '--help'], await tempFolder());
      expect(stderr.split('\n')[0]).toBe(`sam-sync needs Node.js 20.19 or newer, but this is Node.js ${TOO_OLD}.`);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    }
  });

  it('is a package that does not build where it is installed', async () => {
    const consumer = await tempFolder({ 'package.json': '{ "private": true }' });
    await run('npm', ['install', '--save-dev', tarball], consumer);
    const installed = path.join(consumer, 'node_modules', 'sam-sync');
    const before = await snapshotFolder(path.join(installed, 'dist'));
    await run('npm', ['ci'], consumer);
    expect(await snapshotFolder(path.join(installed, 'dist'))).toEqual(before);
    expect(await fs.readdir(path.join(consumer, 'node_modules'))).toEqual(
      expect.arrayContaining(['.bin', 'esbuild', 'sam-sync']),
    );
    expect(await fs.readdir(installed)).toEqual(expect.not.arrayContaining(['src', 'scripts', 'node_modules']));
  });

  it('runs with npx, from the tarball', async () => {
    const cwd = await tempFolder();
    const env = shellEnv({ npm_config_cache: path.join(cwd, 'npm') });
    const npx = (...words: string[]): Promise<string> =>
      run('npx', ['--yes', '--package', tarball, ...words], cwd, env);
    expect(await npx('sam-sync', '--version')).toMatch(/^sam-sync \d/);
    const help = await npx('sam', 'sync', '--help');
    expect(help).toMatch(/^Usage: sam sync \[OPTIONS\]/);
  });

  it('that npm only links builds itself on its first run', async () => {
    await fs.rm(path.join(clone, 'dist'), { recursive: true, force: true });
    const prefix = await tempFolder();
    await run('npm', ['install', '--global', '--ignore-scripts', '--prefix', prefix, clone], prefix);
    const program = isWindows ? path.join(prefix, 'sam.cmd') : path.join(prefix, 'bin', 'sam');
    const { code, stdout, stderr } = await runCli(['sync', '--version'], {
      cwd: prefix,
      env: shellEnv(),
      command: [program],
    });
    expect(stderr).toContain(`Building sam-sync in ${clone}`);
    expect(stdout).toMatch(/^sam-sync \S+\n$/);
    expect(code).toBe(0);
  });

  // it builds, installs, and syncs the example with its packages
  it('makes a release: version, changelog, package with provenance, tag', { timeout: 300_000 }, async () => {
    const { version } = JSON.parse(await fs.readFile(path.join(clone, 'package.json'), 'utf8')) as { version: string };
    const git = (...args: string[]): Promise<string> => run('git', args, clone);
    const next = version.replace(/\d+$/, '99');
    const changelog = await fs.readFile(path.join(clone, 'CHANGELOG.md'), 'utf8');
    const unlisted = await runCli([next], { cwd: clone, env: shellEnv(), command: ['node', 'scripts/release.mjs'] });
    expect(unlisted.stderr).toContain(`CHANGELOG.md has no section "## ${next} (unreleased)"`);
    await fs.writeFile(
      path.join(clone, 'CHANGELOG.md'),
      changelog.replace('# Changelog\n', `# Changelog\n\n## ${next} (unreleased)\n\n- New.\n`),
    );
    await git('commit', '--quiet', '-am', 'Changes');
    const released = await runCli([next], { cwd: clone, env: shellEnv(), command: ['node', 'scripts/release.mjs'] });
    expect(released.stderr).not.toContain('Error');
    expect(released.code).toBe(0);
    expect(await git('tag')).toBe(`v${next}`);
    expect(await git('status', '--porcelain')).toBe('');
    expect(await git('show', 'HEAD:CHANGELOG.md')).toMatch(new RegExp(`^## ${next} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, 'm'));

    const file = path.join(clone, 'release', `sam-sync-${next}.tgz`);
    const bytes = await fs.readFile(file);
    const statement = JSON.parse(await fs.readFile(`${file}.provenance.json`, 'utf8'));
    expect(statement.subject).toEqual([
      { name: path.basename(file), digest: { sha512: createHash('sha512').update(bytes).digest('hex') } },
    ]);
    expect(statement.predicate.buildDefinition.resolvedDependencies[0].digest.gitCommit).toBe(
      await git('rev-parse', 'HEAD'),
    );
    expect(await run('tar', ['-tzf', file], clone)).toContain('package/dist/sbom.cdx.json');
  });
});
