import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliOptions, CliResult } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { openTerminal } from '../support/terminal.ts';
import { haveTools } from '../support/toolchains.ts';

const BIN = fileURLToPath(new URL('../../bin/sam-sync.cjs', import.meta.url));
const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: hello, Handler: app.handler}
`;
const STACK = ['--stack-name', 'standard-input'];

const hasTmux = haveTools(['tmux'], ['tmux']);

const MODES = [
  { mode: 'plain', args: [] },
  { mode: '--code', args: ['--code'] },
  { mode: '--watch, SIGINT', args: ['--watch'], signal: 'SIGINT' },
  { mode: '--watch, SIGTERM', args: ['--watch'], signal: 'SIGTERM' },
] as const;

type Way = Omit<CliOptions, 'cwd'> & { args?: readonly string[]; again?: string };
const OPEN = { keepInputOpen: true } as const;
const ANSWERED: Record<string, Way> = {
  'y, then the pipe stays open': { input: 'y\n', ...OPEN },
  'a newline, then the pipe stays open': { input: '\n', ...OPEN },
  'y, y and so on, for as long as it runs': { input: 'y\n', again: 'y\n', ...OPEN },
  'many answers at once, then the pipe stays open': { input: 'y\n'.repeat(50_000), ...OPEN },
  'y, then the pipe is closed': { input: 'y\n' },
  'y without a newline, then the pipe is closed': { input: 'y' },
  '--yes, an open pipe': { args: ['--yes'], ...OPEN },
  'CI, an open pipe': { env: { CI: '1' }, ...OPEN },
};
const UNANSWERED: Record<string, Way> = {
  'a pipe that is closed at once': {},
  '/dev/null': { stdin: 'ignore' },
};
const cases = (ways: Record<string, Way>) =>
  Object.entries(ways).flatMap(([name, way]) => MODES.map((mode) => ({ name, way, ...mode })));

/** Sends the signal when the watch says that it is ready. */
function whenReady(child: ChildProcess, signal: NodeJS.Signals | undefined): void {
  let text = '';
  child.stderr?.on('data', (chunk: string) => {
    const wasReady = text.includes('ready after');
    text += chunk;
    if (signal !== undefined && !wasReady && text.includes('ready after')) child.kill(signal);
  });
}

describe('standard input that stays open does not keep the command from ending', () => {
  let cloud: TestCloud;
  let app: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    cloud = await startTestCloud();
    app = await tempFolder({
      'template.yaml': TEMPLATE,
      'hello/app.py': 'def handler(event, context):\n    return 1\n',
    });
    const { code, stderr } = await runCli([...STACK, '--yes'], { cwd: app, env: cloud.env });
    expect(code, stderr).toBe(0);
  });
  afterAll(() => cloud?.stop());
  beforeEach(async () => {
    // nobody has answered yet
    env = { ...cloud.env, __SAM_CLI_APP_DIR: await tempFolder() };
  });

  const run = (way: Way, args: readonly string[], signal?: NodeJS.Signals): Promise<CliResult> =>
    runCli([...STACK, ...args, ...(way.args ?? [])], {
      cwd: app,
      ...way,
      env: { ...env, ...way.env },
      onStart: (child) => {
        whenReady(child, signal);
        if (way.again === undefined) return;
        const typing = setInterval(() => child.stdin?.write(way.again), 5);
        child.on('exit', () => clearInterval(typing));
      },
    });

  it.each(cases(ANSWERED))('$name: $mode', async ({ way, args, ...more }) => {
    const { code, stderr } = await run(way, args, 'signal' in more ? more.signal : undefined);
    expect(code, stderr).toBe(0);
  });

  it.each(cases(UNANSWERED))('$name: $mode exits 1 and names --yes', async ({ way, args }) => {
    const { code, stderr } = await run(way, args);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('--yes');
  });

  it.each(MODES)('n, then the pipe stays open: $mode exits 0', async ({ args }) => {
    const { code, stderr } = await run({ input: 'n\n', ...OPEN }, args);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Nothing was done');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s while the question waits exits 130', async (signal) => {
    const { code, stderr } = await runCli(STACK, {
      cwd: app,
      env,
      ...OPEN,
      onStart: (child) =>
        child.stderr?.on('data', (text: string) => {
          if (text.includes('[Y/n]')) child.kill(signal);
        }),
    });
    expect(code, stderr).toBe(130);
  });

  it('a folder as standard input is no answer', async () => {
    const folder = openSync(app, 'r');
    const { code, stderr } = await run({ stdin: folder }, []).finally(() => closeSync(folder));
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('--yes');
  });

  it('a reader that is slow gets the whole output', async () => {
    const description = 'x'.repeat(500);
    const outputs = Array.from({ length: 150 }, (_, at) => `  Out${at}: {Value: a, Description: ${description}}\n`);
    const dir = await tempFolder({
      'template.yaml': `Resources:\n  Topic: {Type: AWS::SNS::Topic}\nOutputs:\n${outputs.join('')}`,
    });
    const { code, stdout } = await runCli(['--stack-name', 'long-output'], {
      cwd: dir,
      env,
      input: 'y\n',
      ...OPEN,
      onStart: ({ stdout: pipe }) =>
        pipe?.on('data', () => {
          pipe.pause();
          setTimeout(() => pipe.resume(), 5);
        }),
    });
    expect(code).toBe(0);
    expect(stdout.match(/^Out\d+ .*x{500}$/gm)).toHaveLength(150);
  });

  describe.skipIf(!hasTmux)('a terminal', () => {
    it.each(MODES)('$mode', async ({ args, ...more }) => {
      const pidFile = path.join(await tempFolder(), 'pid');
      const words = [process.execPath, BIN, ...STACK, ...args].join(' ');
      const terminal = await openTerminal(`sh -c 'echo $$ > ${pidFile}; exec ${words}'`, { cwd: app, env });
      await terminal.shows(/\[Y\/n\]/);
      // a view that is drawn while the question waits would erase it
      expect(await terminal.visible()).not.toContain('Ctrl-C to stop');
      await terminal.press('y', 'Enter');
      if ('signal' in more) {
        await terminal.shows(/ready after/);
        process.kill(Number(await readFile(pidFile, 'utf8')), more.signal);
      }
      await terminal.shows(/exit code 0/);
    });
  });
});
