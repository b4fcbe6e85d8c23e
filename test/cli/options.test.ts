import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import type { CliResult } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TEMPLATE = { 'template.yaml': 'Resources: {}\n' };

/** A folder with programs of these names: shell scripts. */
async function pathWith(scripts: Record<string, string>): Promise<string> {
  const folder = await tempFolder();
  for (const [name, script] of Object.entries(scripts))
    await fs.writeFile(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

/** `sam …` with another `sam` on PATH. */
async function delegate(
  script: string,
  args: string[],
  options: Partial<Parameters<typeof runCli>[1]> = {},
): Promise<CliResult> {
  const PATH = `${await pathWith({ sam: script })}:/usr/bin:/bin`;
  return runCli(args, { cwd: await tempFolder(), program: 'sam', env: { PATH }, ...options });
}

describe('help and version', () => {
  it('go to stdout, whatever else is there', async () => {
    const cwd = await tempFolder();
    const help = await runCli(['sync', '--stack-name', 'x', '-h', '--nope'], { cwd, program: 'sam' });
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: sam sync \[OPTIONS\]/);
    expect(help.stdout).toContain('--parameter-overrides KEY=VALUE|file://FILE...');
    expect((await runCli(['--version'], { cwd })).stdout).toMatch(/^sam-sync \d+\.\d+\.\d+\n$/);
  });

  it('load little: no AWS client, no file formats', async () => {
    const dist = path.resolve('dist');
    const loaded = new Map<string, string>();
    const load = async (name: string): Promise<void> => {
      if (loaded.has(name)) return;
      const text = await fs.readFile(path.join(dist, name), 'utf8');
      loaded.set(name, text);
      // dynamic imports stand in a function, `()=>…require("…")`
      const imports = text.matchAll(/(.{12})\brequire\("\.\/([\w.-]+\.cjs)"\)/g);
      for (const [, before, imported] of imports) if (!/=>\w*\(?/.test(before ?? '')) await load(imported ?? '');
    };
    await load('main.cjs');
    expect(loaded.size).toBeGreaterThan(1);
    const kilobytes = [...loaded.values()].reduce((sum, text) => sum + text.length, 0) / 1024;
    // 36 of them are the table of resource kinds with the settings and tags of each: --resource names its types
    expect(kilobytes).toBeLessThan(105);
  });
});

describe('wrong options', () => {
  it('exit 2, name the option and the nearest name, and print nothing on stdout', async () => {
    const result = await runCli(['sync', '--stak-name', 'x'], { cwd: await tempFolder(TEMPLATE), program: 'sam' });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('--stak-name');
    expect(result.stderr).toContain('--stack-name');
  });

  it('defect 27: a samconfig without version, but with a wrong value, is no stack trace', async () => {
    const cwd = await tempFolder({ ...TEMPLATE, 'samconfig.toml': '[default.sync.parameters]\nwatch = "perhaps"\n' });
    const result = await runCli(['--stack-name', 'a'], { cwd });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('samconfig.toml, [default.sync.parameters] watch must be true or false');
    expect(result.stderr).not.toContain('    at ');
  });

  it('defect 28: no colour codes in a pipe', async () => {
    const result = await runCli(['--resource-id', 'A', '--stack-name', 'a'], { cwd: await tempFolder(TEMPLATE) });
    expect(result.code).toBe(2);
    expect(result.stderr).not.toContain('\u001b');
  });

  it('with --output json are a document too', async () => {
    const result = await runCli(['--output', 'json', '--stack-name', '1'], { cwd: await tempFolder(TEMPLATE) });
    expect(result.code).toBe(2);
    const document: unknown = JSON.parse(result.stdout);
    expect(document).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('--stack-name') } });
  });

  it('a missing template exits 2', async () => {
    const result = await runCli(['--stack-name', 'a'], { cwd: await tempFolder() });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('no template.yaml, template.yml or template.json');
  });
});

describe('other commands of sam', () => {
  it('are run by the next sam on PATH with the same words, input, output and exit code', async () => {
    const script = 'echo "args: $*"; cat; echo problem >&2; exit 7';
    const result = await delegate(script, ['build', '-u', '--x=a b'], { input: 'typed\n' });
    expect(result).toEqual({ code: 7, signal: null, stdout: 'args: build -u --x=a b\ntyped\n', stderr: 'problem\n' });
  });

  it.each([['--version'], ['--info'], ['--help'], ['syncer'], ['logs', 'sync']])('%j too', async (...args) => {
    expect((await delegate('echo "args: $*"', args)).stdout).toBe(`args: ${args.join(' ')}\n`);
  });

  it('die of the same signal', async () => {
    expect(await delegate('kill -TERM $$', ['build'])).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('get a SIGTERM that is meant for us, and may end in their own way', async () => {
    const script = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done';
    const result = await delegate(script, ['local', 'start-api'], {
      onStart: (child) => child.stdout?.once('data', () => child.kill('SIGTERM')),
    });
    expect(result).toMatchObject({ code: 9, stdout: 'ready\n' });
  });

  it('are not awaited forever if sam leads back to us', async () => {
    const script = `exec "${process.execPath}" "${path.resolve('bin/sam.cjs')}" "$@"`;
    // hidden from a look into the script by its size
    const result = await delegate(`${script}\n${'# \n'.repeat(4000)}`, ['build']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('runs this program again');
  });

  it('are said to be missing where there is no other sam', async () => {
    const env = { PATH: await pathWith({}) };
    const options = { cwd: await tempFolder(), program: 'sam' as const, env };
    const result = await runCli(['deploy', '--guided'], options);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('`sam deploy` needs AWS SAM CLI');
    expect((await runCli([], options)).stdout).toMatch(/^Usage: sam sync/);
  });

  it('--version and --info answer as SAM CLI does where there is no other sam: editors read them', async () => {
    const options = { cwd: await tempFolder(), program: 'sam' as const, env: { PATH: await pathWith({}) } };
    const version = await runCli(['--version'], options);
    expect(version).toMatchObject({ code: 0, stdout: 'SAM CLI, version 1.170.0\n', stderr: '' });
    const info = await runCli(['--info'], options);
    expect(info).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(info.stdout)).toMatchObject({ version: '1.170.0', provided_by: { name: 'sam-sync' } });
    // what the toolkits ask of the version: VS Code 0.47 ≤ v < 2 and, for sync, 1.53; JetBrains 1.78 for sync
    expect(semver.satisfies(JSON.parse(info.stdout).version, '>=1.78.0 <2.0.0')).toBe(true);
    // its own version stays visible
    expect((await runCli(['sync', '--version'], options)).stdout).toMatch(/^sam-sync /);
  });
});
