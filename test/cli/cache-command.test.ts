import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CACHE_HELP, parseCacheCommand } from '../../src/cli/cache/cache-command.ts';
import { UsageError } from '../../src/errors.ts';
import { poll } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliResult } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const FUNCTIONS = Array.from({ length: 6 }, (_, index) => `F${index}`);

const APP: Readonly<Record<string, string>> = {
  'template.yaml': ['Transform: AWS::Serverless-2016-10-31', 'Resources:', ...FUNCTIONS.map(resourceOf)].join('\n'),
  ...Object.fromEntries(
    FUNCTIONS.flatMap((id) => [
      [
        `${id}/package.json`,
        JSON.stringify({ name: id.toLowerCase(), version: '1.0.0', dependencies: { dep: '1.0.0' } }),
      ],
      [`${id}/package-lock.json`, JSON.stringify({ name: id, lockfileVersion: 3, packages: { '': {} } })],
      [`${id}/app.js`, `exports.handler = async () => '${id}';\n`],
    ]),
  ),
};

function resourceOf(id: string): string {
  return `  ${id}: { Type: AWS::Serverless::Function, Properties: { CodeUri: ${id}, Handler: app.handler, Runtime: nodejs22.x } }`;
}

/** An npm that notes each installation. While there is a file `hang`, only the first two end. */
const NPM = `#!/bin/sh
tools="\${0%/*}"
case "$1" in
  --version) echo 11.0.0; exit ;;
esac
echo called >> "$tools/calls"
if [ -f "$tools/hang" ] && ! /bin/mkdir "$tools/one" 2>/dev/null && ! /bin/mkdir "$tools/two" 2>/dev/null; then
  while [ -f "$tools/hang" ]; do /bin/sleep 0.2; done
  exit 1
fi
/bin/mkdir -p node_modules/dep && echo 'module.exports = 7' > node_modules/dep/index.js &&
  echo '{"name":"dep","version":"1.0.0"}' > node_modules/dep/package.json
`;

/** A checkout with an npm of its own, and the commands of the cache in it. */
async function checkout(cache: string) {
  const dir = await tempFolder(APP);
  const tools = await tempFolder({ npm: NPM });
  await fs.chmod(path.join(tools, 'npm'), 0o755);
  const run = async (words: readonly string[], onStart?: (child: ChildProcess) => void): Promise<CliResult> =>
    runCli(['cache', ...words, '--build-cache', `file:${cache}`], {
      cwd: dir,
      env: { PATH: tools, HOME: tools, AWS_REGION: 'us-east-1' },
      ...(onStart ? { onStart } : {}),
    });
  const document = async (words: readonly string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await run([...words, '--output', 'json']);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const calls = async (): Promise<number> =>
    (await fs.readFile(path.join(tools, 'calls'), 'utf8').catch(() => '')).split('\n').length - 1;
  return { dir, tools, run, document, calls };
}

async function makeOld(folder: string): Promise<void> {
  const past = Date.now() / 1000 - 7200;
  for (const item of await fs.readdir(folder, { recursive: true, withFileTypes: true }))
    if (item.isFile()) await fs.utimes(path.join(item.parentPath, item.name), past, past);
}

const kinds = async (cache: string): Promise<string[]> => {
  const folder = path.join(cache, 'ac');
  const names = (await fs.readdir(folder).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const texts = await Promise.all(names.map((name) => fs.readFile(path.join(folder, name), 'utf8')));
  return texts.map((text) => (JSON.parse(text) as { kind: string }).kind);
};

it('a fill that dies leaves a cache from which the next one completes, and prune spares what it uses', async () => {
  const cache = await tempFolder();
  const dying = await checkout(cache);
  await fs.writeFile(path.join(dying.tools, 'hang'), '');
  let child: ChildProcess | undefined;
  const ended = dying.run(['fill'], (started) => (child = started));
  const countOf = async (kind: string): Promise<number> => (await kinds(cache)).filter((one) => one === kind).length;
  // a build is added as soon as it is made; its duration comes last
  await poll(async () => ((await countOf('duration')) === 2 ? true : undefined));
  await makeOld(path.join(dying.dir, '.aws-sam', 'sam-sync'));
  const prune = ['prune', '--older-than', '1h'];
  expect(await dying.document(prune)).toEqual({ dryRun: false, local: { entries: 0, bytes: 0 } });
  child?.kill('SIGKILL');
  await fs.rm(path.join(dying.tools, 'hang'));
  await ended;
  const would = await dying.document([...prune, '--dry-run']);
  expect(would).toMatchObject({ dryRun: true, local: { entries: 4 } });
  expect(await dying.document(prune)).toEqual({ ...would, dryRun: false });

  const next = await checkout(cache);
  expect(await next.document(['fill'])).toMatchObject({ builds: 6, present: 2, written: 4, failed: 0 });
  expect(await next.calls()).toBe(4);
  expect(await next.document(['fill'])).toMatchObject({ builds: 6, present: 6, written: 0, writtenBytes: 0 });

  const { stdout } = await next.run(['status']);
  expect(stdout).toMatch(/^\.aws-sam\/sam-sync: builds +4 +[\d.]+ k?B +0 min +0 min$/m);
  expect(stdout).toMatch(/^file:\S+ +\d+ +[\d.]+ k?B +\d+ min +\d+ min$/m);
  expect(await next.document(['status'])).toMatchObject({
    local: { builds: { entries: 4 } },
    shared: [{ name: `file:${cache}`, entries: 1 + 3 * 6, zips: 7 }],
  });
});

it('prune removes from a shared cache only with --build-cache-write', async () => {
  const cache = await tempFolder();
  const { document } = await checkout(cache);
  await document(['fill', '--shard', '1/6']);
  await makeOld(cache);
  const all = (await kinds(cache)).length;
  expect(await document(['prune', '--older-than', '1h'])).not.toHaveProperty('shared');
  const writing = ['prune', '--older-than', '1h', '--build-cache-write'];
  expect(await document([...writing, '--dry-run'])).toMatchObject({ shared: { entries: all, zips: 2 } });
  expect((await kinds(cache)).length).toBe(all);
  expect(await document(writing)).toMatchObject({ shared: { entries: all, zips: 2 } });
  expect(await kinds(cache)).toEqual([]);
});

it('what is refused keeps builds out until prune --refused removes it', async () => {
  const cache = await tempFolder();
  const share = ['fill', '--shard', '1/6'];
  await (await checkout(cache)).document(share);
  const reader = await checkout(cache);
  for (const [index, item] of (await fs.readdir(path.join(cache, 'cas'))).entries()) {
    const zip = path.join(cache, 'cas', item);
    // one of another size, and others of the same size
    await (index === 0 ? fs.appendFile(zip, '!') : fs.writeFile(zip, (await fs.readFile(zip)).fill(1, 40, 50)));
  }
  const blocked = await reader.run(share);
  expect([blocked.code, blocked.stderr]).toEqual([
    1,
    expect.stringMatching(/some builds cannot be added.*: ac\/[0-9a-f]{64}\n/),
  ]);
  const prune = ['prune', '--refused', '--build-cache-write'];
  const refused = { shared: { entries: 0, zips: 2 } };
  expect(await reader.document([...prune, '--dry-run'])).toMatchObject({ dryRun: true, ...refused });
  expect(await reader.document(prune)).toMatchObject({ dryRun: false, ...refused });
  expect(await (await checkout(cache)).document(share)).toMatchObject({ written: 0, present: 1, failed: 0 });
  expect(await (await checkout(cache)).document(share)).toMatchObject({ present: 1, writtenBytes: 0 });
  // damaged entries
  for (const item of await fs.readdir(path.join(cache, 'ac'))) await fs.writeFile(path.join(cache, 'ac', item), '{}');
  expect(await reader.document(prune)).toMatchObject({ shared: { entries: 4, zips: 0 } });
  const reading = await reader.run(['prune', '--refused']);
  expect([reading.code, reading.stderr]).toEqual([
    2,
    expect.stringContaining('--refused needs --build-cache and --build-cache-write'),
  ]);
});

it('a cache that cannot be read, or added to, is exit code 1', async () => {
  const file = path.join(await tempFolder({ file: '' }), 'file');
  const { run } = await checkout(file);
  const filled = await run(['fill', '--shard', '1/6']);
  expect([filled.code, filled.stderr]).toEqual([
    1,
    expect.stringContaining(`Build cache file:${file}: nothing is written`),
  ]);
});

describe('words', () => {
  it.each([
    [['staus'], 'sam-sync cache has no command "staus"', 'Did you mean status?'],
    [['--debug', 'status'], 'sam-sync cache has no command "--debug"', 'Write the command first'],
    [['status', '--watch'], 'sam-sync cache status has no option --watch', 'See sam-sync cache --help'],
    [['status', '--older-than', '3d'], '--older-than is an option of another command', undefined],
    [['status', 'all'], 'Unexpected argument `all`', undefined],
    [['prune', '--older-than'], '--older-than needs a value', undefined],
    [['prune', '--older-than=3x'], '--older-than: `3x` is not an age', 'Write a number and m, h, d or w'],
    [['prune', '--refused', '--older-than', '3d'], '--refused and --older-than cannot be combined', undefined],
    [['fill', '--refused'], '--refused is an option of another command', undefined],
    [['fill', '--shard', '0/5'], '--shard: `0/5` is not a share', 'from 1/N to N/N'],
    [['fill', '--shard', '6/5'], '--shard: `6/5` is not a share', 'from 1/N to N/N'],
  ])('%j is a mistake', (words, message, hint) => {
    const problems = problemsOf(words);
    expect(problems.map((problem) => problem.message)).toEqual([expect.stringContaining(message)]);
    if (hint !== undefined) expect(problems[0]?.hint).toContain(hint);
  });

  it('help is for the asking, and mistakes are exit code 2', async () => {
    expect([parseCacheCommand([]), parseCacheCommand(['fill', '-h'])]).toEqual([undefined, undefined]);
    const { run } = await checkout('relative');
    const { code, stdout } = await run(['fill', '--shard', '2']);
    expect([code, stdout]).toEqual([2, '']);
    const without = await runCli(['cache', 'fill'], { cwd: await tempFolder(APP), env: { AWS_REGION: 'us-east-1' } });
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringContaining('sam-sync cache fill needs --build-cache'),
    ]);
    const help = await runCli(['cache', '--help'], { cwd: await tempFolder() });
    expect([help.code, help.stdout]).toEqual([0, CACHE_HELP]);
  });
});

function problemsOf(words: readonly string[]): readonly UsageError[] {
  try {
    return parseCacheCommand(words)?.commandLine.problems ?? [];
  } catch (error) {
    if (error instanceof UsageError) return [error];
    throw error;
  }
}
