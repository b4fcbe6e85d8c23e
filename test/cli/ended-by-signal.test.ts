import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { clients, poll, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { descendants, noneLeft } from '../support/processes.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { openTerminal } from '../support/terminal.ts';
import { haveTools } from '../support/toolchains.ts';

const BIN = fileURLToPath(new URL('../../bin/sam-sync.cjs', import.meta.url));
const hasTmux = haveTools(['tmux'], ['tmux']);
const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Made:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {Runtime: python3.11, CodeUri: made, Handler: app.handler}
`;
const makefile = (first: string): string => `build-Made:\n\t${first}\n\tcp app.py "$(ARTIFACTS_DIR)"\n`;
/** Two programs, of which nothing waits for one. */
const LONG = 'sleep 300 >/dev/null 2>&1 & sleep 300; echo done';
/** The same, and they do not want to end. */
const STUBBORN = `sh -c 'trap "" TERM INT HUP QUIT; ${LONG}'`;

describe('a command that a signal ends', () => {
  let cloud: TestCloud;
  let app: string;
  let temporary: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    cloud = await startTestCloud();
    app = await tempFolder({
      'template.yaml': TEMPLATE,
      'made/Makefile': makefile('true'),
      'made/app.py': 'def handler(event, context):\n    return 1\n',
    });
    // the stack that --code and --watch start from
    const { code, stderr } = await runCli(['--stack-name', 'signals', '--yes'], { cwd: app, env: cloud.env });
    expect(code, stderr).toBe(0);
  });
  afterAll(() => cloud?.stop());
  const storeTemporary = () => path.join(app, '.aws-sam', 'sam-sync', 'tmp');
  const leaseDir = () => path.join(app, '.aws-sam', 'sam-sync', 'in-use');

  beforeEach(async () => {
    temporary = await tempFolder();
    env = { ...cloud.env, TMPDIR: temporary };
    await writeFiles(app, { 'made/Makefile': makefile(LONG) });
    // of a killed command
    for (const dir of [storeTemporary(), leaseDir()]) await fs.rm(dir, { recursive: true, force: true });
  });

  const hangUp = async (child: ChildProcess, begun: Promise<unknown>): Promise<void> => {
    await begun;
    let count = 0;
    const again = setInterval(() => {
      child.kill('SIGHUP');
      if (++count === 20) clearInterval(again);
    }, 5);
  };
  const namesIn = (folder: string): Promise<string[]> => fs.readdir(folder).catch(() => []);
  /** The build under way, when its programs have begun: those of the Makefile and the watchdog. */
  const building = (pid: number): Promise<number[]> =>
    poll(async () => {
      const found = await descendants(pid);
      return found.length >= 5 ? found : undefined;
    });
  const nothingLeft = async (pids: readonly number[]): Promise<void> => {
    await noneLeft(pids);
    expect(await namesIn(temporary)).toEqual([]);
    expect(await namesIn(storeTemporary())).toEqual([]);
  };

  const MODES = [
    { args: [], exitCode: 130 },
    { args: ['--code'], exitCode: 130 },
    { args: ['--watch'], exitCode: 0 },
  ];
  const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;
  const cases = MODES.flatMap(({ args, exitCode }) =>
    SIGNALS.map((signal) => ({ mode: args[0] ?? 'plain', signal, args, exitCode })),
  );

  it.each(cases)('$mode, $signal during a build: no program, no folder is left', async ({ signal, args, exitCode }) => {
    let pids: Promise<number[]> | undefined;
    const { code, stderr } = await runCli(['--stack-name', 'signals', '--yes', ...args], {
      cwd: app,
      env,
      keepInputOpen: true,
      onStart: (child) => {
        pids = building(child.pid ?? 0);
        void pids.then(() => child.kill(signal));
      },
    });
    expect(code, stderr).toBe(exitCode);
    await nothingLeft((await pids) ?? []);
  });

  it('programs that do not want to end are killed; SIGHUP again and again is not a second Ctrl-C', async () => {
    await writeFiles(app, { 'made/Makefile': makefile(STUBBORN) });
    let pids: Promise<number[]> | undefined;
    const { code, stderr } = await runCli(['--stack-name', 'signals', '--yes'], {
      cwd: app,
      env,
      onStart: (child) => {
        pids = building(child.pid ?? 0);
        void hangUp(child, pids);
      },
    });
    expect(code, stderr).toBe(130);
    await nothingLeft((await pids) ?? []);
  });

  /** Kills the command during a build and returns the processes that it had started. */
  const killed = async (args: readonly string[]): Promise<number[]> => {
    let pids: Promise<number[]> | undefined;
    const { signal } = await runCli(['--stack-name', 'signals', '--yes', ...args], {
      cwd: app,
      env,
      keepInputOpen: true,
      onStart: (child) => {
        pids = building(child.pid ?? 0);
        void pids.then(() => child.kill('SIGKILL'));
      },
    });
    expect(signal).toBe('SIGKILL');
    return (await pids) ?? [];
  };

  it.each(MODES)('SIGKILL during a build: its programs end too, $args', async ({ args }) => {
    await writeFiles(app, { 'made/Makefile': makefile(args.length === 0 ? STUBBORN : LONG) });
    await noneLeft(await killed(args));
  });

  it('what SIGKILL leaves is removed by the next run', async () => {
    await killed([]);
    expect(await namesIn(temporary)).toHaveLength(1);
    expect(await namesIn(storeTemporary())).not.toEqual([]);
    const [lease = ''] = await namesIn(path.join(app, '.aws-sam', 'sam-sync', 'in-use'));
    // files that it had not renamed yet: beside an entry, in the store, in the laid-out build
    const half = ['artifacts/entry/package.json', 'stacks/stack.json', '../auto-dependency-layer/template.yaml'];
    const suffix = lease.replace('sync', '');
    await writeFiles(
      path.join(app, '.aws-sam', 'sam-sync'),
      Object.fromEntries(half.map((name) => [name + suffix, ''])),
    );

    await writeFiles(app, { 'made/Makefile': makefile('echo again') });
    const { code, stderr } = await runCli(['--stack-name', 'signals', '--yes'], { cwd: app, env });
    expect(code, stderr).toBe(0);
    await nothingLeft([]);
    const names = await fs.readdir(path.join(app, '.aws-sam'), { recursive: true });
    expect(names.filter((name) => name.includes('.tmp-'))).toEqual([]);
  });

  it('the second Ctrl-C, in the middle of a build: no entry of the cache counts as in use', async () => {
    await writeFiles(app, { 'made/Makefile': makefile(STUBBORN) });
    const { code } = await runCli(['--stack-name', 'signals', '--yes'], {
      cwd: app,
      env,
      onStart: (child) => void building(child.pid ?? 0).then(() => child.kill('SIGINT') && child.kill('SIGTERM')),
    });
    expect(code).toBe(130);
    expect(await namesIn(leaseDir())).toEqual([]);
  });

  it('half a zip that SIGKILL leaves beside its artifact is removed by the next run', async () => {
    await writeFiles(app, { 'made/Makefile': makefile('cp big "$(ARTIFACTS_DIR)"') });
    const halfZips = async (): Promise<string[]> => {
      const artifacts = path.join(app, '.aws-sam', 'sam-sync', 'artifacts');
      // a folder may go while it is listed
      const names = await fs.readdir(artifacts, { recursive: true }).catch((): string[] => []);
      return names.filter((name) => name.includes('package.zip.tmp-'));
    };
    /** Syncs another content; the signal may come when the zip is whole already. */
    const killWhileZipping = async (): Promise<void> => {
      await fs.writeFile(path.join(app, 'made', 'big'), randomBytes(40_000_000));
      await runCli(['--stack-name', 'signals', '--yes'], {
        cwd: app,
        env,
        onStart: (child) => {
          const isZipping = poll(async () =>
            child.exitCode !== null || (await halfZips()).length > 0 ? true : undefined,
          );
          void isZipping.then(() => child.kill('SIGKILL'));
        },
      });
    };
    for (let tries = 0; tries < 5 && (await halfZips()).length === 0; tries++) await killWhileZipping();
    expect(await halfZips()).toHaveLength(1);
    const { code, stderr } = await runCli(['--stack-name', 'signals', '--yes'], { cwd: app, env });
    expect(code, stderr).toBe(0);
    expect(await halfZips()).toEqual([]);
  });

  describe('an upload in parts', () => {
    const s3 = () => clients(cloud.endpoint).s3;
    const uploadsIn = async (Bucket: string) =>
      (await s3().send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [];

    /** An application with 20 MB of code, and what its sync is ended with while it uploads them. */
    const begin = async (Bucket: string) => {
      const proxy = await startFaultProxy(cloud.endpoint);
      onTestFinished(() => proxy.stop());
      await s3().send(new CreateBucketCommand({ Bucket }));
      const dir = await tempFolder({
        'template.yaml': TEMPLATE.replace('    Metadata: {BuildMethod: makefile}\n', ''),
      });
      await fs.mkdir(path.join(dir, 'made'));
      await fs.writeFile(path.join(dir, 'made', 'app.py'), randomBytes(20_000_000));
      const words = ['--stack-name', Bucket, '--s3-bucket', Bucket, '--yes'];
      const interrupted = async (signal: NodeJS.Signals, args: readonly string[] = []) => {
        const held = proxy.hold({ operation: 'UploadPart' });
        return runCli([...words, ...args], {
          cwd: dir,
          env: { ...env, AWS_ENDPOINT_URL: proxy.endpoint },
          onStart: (child) => void held.arrived.then(() => child.kill(signal)),
        });
      };
      const run = (args: readonly string[] = []) => {
        proxy.clear();
        return runCli([...words, ...args], { cwd: dir, env: { ...env, AWS_ENDPOINT_URL: proxy.endpoint } });
      };
      return { proxy, dir, interrupted, run };
    };
    const recorded = (dir: string): Promise<string[]> => namesIn(path.join(dir, '.aws-sam', 'sam-sync', 'uploads'));

    it.each([
      { mode: 'plain', args: [], exitCode: 130 },
      { mode: '--watch', args: ['--watch'], exitCode: 0 },
    ])('$mode, SIGINT: no part stays in the bucket', async ({ mode, args, exitCode }) => {
      const bucket = `parts-${mode.replaceAll('-', '')}`;
      const { proxy, dir, interrupted } = await begin(bucket);
      const { code, stderr } = await interrupted('SIGINT', args);
      expect(code, stderr).toBe(exitCode);
      expect(await uploadsIn(bucket)).toEqual([]);
      expect(proxy.count('CreateMultipartUpload')).toBe(1);
      expect(await recorded(dir)).toEqual([]);
    });

    it('SIGKILL: the next run, of any kind but a dry run, aborts it, and no other one', async () => {
      const { dir, interrupted, run } = await begin('parts-killed');
      expect(await interrupted('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
      expect(await uploadsIn('parts-killed')).toHaveLength(1);
      expect(await recorded(dir)).toHaveLength(1);
      const { UploadId } = await s3().send(
        new CreateMultipartUploadCommand({ Bucket: 'parts-killed', Key: 'foreign' }),
      );
      expect((await run(['--dry-run'])).code).toBe(0);
      expect(await uploadsIn('parts-killed')).toHaveLength(2);
      // it fails, as there is no stack, and uploads nothing
      expect((await run(['--code'])).code).toBe(1);
      expect(await uploadsIn('parts-killed')).toMatchObject([{ UploadId, Key: 'foreign' }]);
      expect(await recorded(dir)).toEqual([]);
    });

    it('SIGKILL: an upload that cannot be aborted now is aborted later', async () => {
      const { proxy, dir, interrupted, run } = await begin('parts-later');
      await interrupted('SIGKILL');
      proxy.clear();
      proxy.fault({ operation: 'AbortMultipartUpload' }, { kind: 'error', status: 403, code: 'AccessDenied' });
      await runCli(['--stack-name', 'other', '--code', '--yes'], {
        cwd: dir,
        env: { ...env, AWS_ENDPOINT_URL: proxy.endpoint },
      });
      expect(await recorded(dir)).toHaveLength(1);
      const { code, stderr } = await run();
      expect(code, stderr).toBe(0);
      expect(await uploadsIn('parts-later')).toEqual([]);
      expect(await recorded(dir)).toEqual([]);
    });
  });

  describe.skipIf(!hasTmux)('in a terminal', () => {
    const start = async (args: readonly string[]) => {
      const pidFile = path.join(await tempFolder(), 'pid');
      const words = [process.execPath, BIN, '--stack-name', 'signals', '--yes', ...args].join(' ');
      const terminal = await openTerminal(`sh -c 'echo $$ > ${pidFile}; exec ${words}'`, { cwd: app, env });
      const pid = await poll(async () => Number(await fs.readFile(pidFile, 'utf8').catch(() => '')) || undefined);
      return { terminal, pid, pids: await building(pid) };
    };

    it.each(MODES)('that is closed: $args ends with all its programs', async ({ args }) => {
      const { terminal, pid, pids } = await start(args);
      await terminal.close();
      await nothingLeft([pid, ...pids]);
    });

    it.each(MODES)('Ctrl-\\: $args ends with all its programs', async ({ args, exitCode }) => {
      const { terminal, pid, pids } = await start(args);
      await terminal.press('C-\\');
      await terminal.shows(new RegExp(`exit code ${exitCode}`));
      await nothingLeft([pid, ...pids]);
    });
  });
});
