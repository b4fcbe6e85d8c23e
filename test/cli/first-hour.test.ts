import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { expect, it } from 'vitest';
import { startTestCloud } from '../support/cloud.ts';
import { atEnd } from '../support/at-end.ts';
import { newUser } from '../support/new-user.ts';
import { readShellBlocks, runBlock } from '../support/shell-blocks.ts';
import type { ShellBlock } from '../support/shell-blocks.ts';
import { writeFiles } from '../support/temp-folder.ts';
import { openTerminal } from '../support/terminal.ts';
import { haveTools } from '../support/toolchains.ts';

const posix = process.platform !== 'win32';
const hasTmux = haveTools(['tmux'], ['tmux']);

/** Blocks by words of theirs: where they run, or why they do not. */
const BLOCKS: readonly {
  page: string;
  has: string;
  run: 'first hour' | 'account' | 'cloud' | 'anywhere' | { not: string };
}[] = [
  { page: 'README.md', has: 'npm pack', run: { not: 'test/cli/install.test.ts packs and installs' } },
  { page: 'README.md', has: 'type -a sam', run: 'anywhere' },
  { page: 'README.md', has: '--stack-name sam-app --code', run: 'account' },
  { page: 'README.md', has: 'mkdir -p hello/src', run: 'first hour' },
  { page: 'README.md', has: 'Hello again', run: 'first hour' },
  { page: 'README.md', has: '--watch --tail', run: 'account' },
  { page: 'README.md', has: 'cache fill', run: { not: 'test/cli/build-cache.test.ts fills and takes' } },
  { page: 'docs/build-cache.md', has: '# reads only', run: { not: 'test/cli/build-cache.test.ts fills and takes' } },
  { page: 'docs/build-cache.md', has: 'prune --refused', run: { not: 'test/cli/cache-command.test.ts runs it' } },
  { page: 'docs/build-cache.md', has: '--older-than 14d', run: { not: 'test/cli/build-cache.test.ts runs it' } },
  { page: 'docs/local-cloud.md', has: 'sam-sync cloud reset', run: 'cloud' },
  { page: 'docs/local-cloud.md', has: 'cloud exec -- aws', run: 'cloud' },
  { page: 'docs/permissions.md', has: 'policy.json', run: 'anywhere' },
  { page: 'CONTRIBUTING.md', has: 'tee events.txt', run: { not: 'a path of the reader; runs until it is stopped' } },
  { page: 'CONTRIBUTING.md', has: '--inspect', run: { not: 'a debugger' } },
  { page: 'docs/security.md', has: 'FUZZ_RUNS', run: { not: 'hours of tests' } },
];

const all = readShellBlocks();

function blocksFor(where: string): ShellBlock[] {
  return all.filter(({ page, text }) =>
    BLOCKS.some((row) => row.run === where && row.page === page && text.includes(row.has)),
  );
}

it('each block of commands in the documentation is run here, or is marked with the reason', () => {
  const matches = all.map(({ page, text }) => ({
    block: `${page}: ${text}`,
    rows: BLOCKS.filter((row) => row.page === page && text.includes(row.has)).length,
  }));
  expect(matches.filter(({ rows }) => rows !== 1)).toEqual([]);
  expect(BLOCKS.filter(({ run }) => typeof run === 'object')).toHaveLength(8);
  expect(BLOCKS).toHaveLength(all.length);
});

it.skipIf(!posix)('the first hour: from an empty home to a changed answer, by the commands of README', async () => {
  const { home, port, env } = await newUser();
  const [create, change] = blocksFor('first hour');
  const created = await runBlock(create?.text ?? '', { cwd: home, env });
  const [, url = ''] = /^Try it: curl (http:\S+)$/m.exec(created) ?? [];
  expect(url, created).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/_aws/execute-api/\\w+/hello$`));
  const answer = async (): Promise<string> => (await fetch(url)).text();
  expect(await answer()).toBe('Hello');

  const hello = path.join(home, 'hello');
  if (hasTmux) {
    // tmux keeps the PATH that its server began with
    const command = `PATH='${env['PATH']}' sam sync --local --stack-name hello --watch`;
    const terminal = await openTerminal(command, { cwd: hello, env, columns: 80, rows: 24 });
    await terminal.shows(/\? help/, 60_000);
    await fs.writeFile(path.join(hello, 'src/app.py'), 'def handler(event, context): return "Hello from a watch"\n');
    await terminal.shows(/✓ Hello +in sync +(?:just now|\d+ s ago)/);
    expect(await answer()).toBe('Hello from a watch');
    await terminal.press('o');
    await terminal.shows((screen) => screen.split(`curl ${url}`).length === 3);
    await terminal.press('q');
    await terminal.shows(/exit code 0/);
  }

  const changed = await runBlock(change?.text ?? '', { cwd: hello, env });
  expect(changed).toContain('Synced Hello');
  expect(changed).toContain('"Hello again"');
  expect(changed).toMatch(/^\d\d:\d\d:\d\d\.\d{3} Hello START/m);
  expect(changed).toContain('Everything deployed to it is lost');
});

it.skipIf(!posix)('commands for an account run against one that answers', async () => {
  const cloud = await startTestCloud();
  atEnd(() => cloud.stop());
  const { home, env } = await newUser();
  await writeFiles(home, APPLICATION);
  for (const { text } of blocksFor('account')) await runBlock(text, { cwd: home, env: { ...env, ...cloud.env } });
});

it.skipIf(!posix)('commands of the local cloud, and those that need nothing', async () => {
  const { home, port, env } = await newUser();
  await writeFiles(home, APPLICATION);
  await fs.symlink(path.resolve('docs'), path.join(home, 'docs'));
  await fs.writeFile(path.join(home, 'bin/aws'), '#!/bin/sh\necho "aws $@"\n', { mode: 0o755 });
  const printed: string[] = [];
  for (const { text } of [...blocksFor('cloud'), ...blocksFor('anywhere')]) {
    printed.push(await runBlock(text, { cwd: home, env }));
  }
  const text = printed.join('');
  expect(text).toContain('\n"Hello Ada"\n');
  expect(text).toContain(`aws --endpoint-url http://127.0.0.1:${port} sqs list-queues`);
  expect(text).toContain(`sam is ${home}/bin/sam`);
});

const APPLICATION = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  HelloFunction:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: src, Handler: app.handler}
`,
  'src/app.py': 'def handler(event, context): return f"Hello {event[\'name\']}"\n',
};
