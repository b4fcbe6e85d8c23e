import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../support/system-faults.ts';
import { writeFiles } from '../support/temp-folder.ts';
import { isResource, isStack } from '../support/watch-cli.ts';
import type { WatchCli, WatchLine } from '../support/watch-cli.ts';
import { watchedApps } from '../support/watched-app.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, CodeUri: hello, Handler: app.handler}
`;
const code = (value: number | string): string => `def handler(event, context):\n    return ${value}\n`;
const FILES = { 'template.yaml': TEMPLATE, 'hello/app.py': code(1), 'samconfig.toml': 'version = 0.1\n' };

interface Case {
  breaks: (dir: string) => Promise<unknown>;
  repairs: (dir: string) => Promise<unknown>;
  /** Which failure is reported. */
  fails: 'resource' | 'stack';
  says: RegExp;
}

const at = (dir: string, name: string): string => path.join(dir, name);
// at once: otherwise a busy machine sees a file that is missing in between
const replaceByFolder = async (file: string): Promise<void> => {
  rmSync(file, { force: true, recursive: true });
  mkdirSync(file);
};
const replaceByLoop = async (file: string): Promise<void> => {
  // a name that is not watched
  await fs.symlink(path.basename(file), `${file}~`);
  await fs.rename(`${file}~`, file);
};
const rewrite = async (file: string, text: string): Promise<void> => {
  await fs.rm(file, { force: true, recursive: true });
  await fs.writeFile(file, text);
};

/** What has no content of its own is no change by itself: the code is saved too. */
const saveAfter = async (dir: string, value: number, work: () => Promise<unknown>): Promise<void> => {
  await work();
  await fs.writeFile(at(dir, 'hello/app.py'), code(value));
};

const CASES: Record<string, Case> = {
  'the template is a folder for a while': {
    breaks: (dir) => replaceByFolder(at(dir, 'template.yaml')),
    repairs: (dir) => rewrite(at(dir, 'template.yaml'), TEMPLATE),
    fails: 'stack',
    says: /it is a folder/,
  },
  'the template is a loop of links for a while': {
    breaks: (dir) => replaceByLoop(at(dir, 'template.yaml')),
    repairs: (dir) => rewrite(at(dir, 'template.yaml'), TEMPLATE),
    fails: 'stack',
    says: /form a loop/,
  },
  'the samconfig is a loop of links for a while': {
    breaks: (dir) => replaceByLoop(at(dir, 'samconfig.toml')),
    repairs: (dir) => rewrite(at(dir, 'samconfig.toml'), 'version = 0.1\n'),
    fails: 'stack',
    says: /samconfig\.toml.*form a loop/,
  },
  'a manifest is a folder for a while': {
    breaks: (dir) => saveAfter(dir, 2, () => replaceByFolder(at(dir, 'hello/requirements.txt'))),
    repairs: (dir) => saveAfter(dir, 3, () => fs.rm(at(dir, 'hello/requirements.txt'), { recursive: true })),
    fails: 'resource',
    says: /requirements\.txt: it is a folder/,
  },
  'a manifest is a loop of links for a while': {
    breaks: (dir) => saveAfter(dir, 2, () => replaceByLoop(at(dir, 'hello/requirements.txt'))),
    repairs: (dir) => saveAfter(dir, 3, () => fs.rm(at(dir, 'hello/requirements.txt'))),
    fails: 'resource',
    says: /requirements\.txt: its symbolic links form a loop/,
  },
  '.aws-sam is a file for a while': {
    breaks: (dir) => saveAfter(dir, 2, () => rewrite(at(dir, '.aws-sam'), '')),
    repairs: (dir) => saveAfter(dir, 3, () => fs.rm(at(dir, '.aws-sam'))),
    fails: 'resource',
    says: /\.aws-sam is a file, not a folder/,
  },
};

describe('a watch survives what the operating system refuses', () => {
  const apps = watchedApps();
  const start = async (): Promise<{ app: string; watch: WatchCli }> => {
    const { dir, watch } = await apps.ready(FILES);
    return { app: dir, watch };
  };
  const isFailed = (kind: 'resource' | 'stack') =>
    kind === 'stack' ? isStack('failed') : isResource('Hello', 'failed');
  const expectSentence = ({ error }: WatchLine, says: RegExp): void => {
    expect(error?.message).toMatch(says);
    expect(`${error?.hint} ${error?.output}`).not.toMatch(/defect|\n +at /);
  };
  /** Its code reaches the cloud, and it ends as it should. */
  const goesOn = async (watch: WatchCli, value: string): Promise<void> => {
    await watch.after(() => watch.write('hello/app.py', code(value)), isResource('Hello', 'in-sync'));
    expect(await watch.stop()).toMatchObject({ code: 0 });
    expect(watch.stderr()).not.toMatch(/defect|\n +at /);
  };

  it.each(Object.entries(CASES))('%s', async (_name, { breaks, repairs, fails, says }) => {
    const { app, watch } = await start();
    expectSentence(await watch.after(() => breaks(app), isFailed(fails)), says);
    const isMended = fails === 'stack' ? isStack('in-sync') : isResource('Hello', 'in-sync');
    await watch.after(() => repairs(app), isMended);
    await goesOn(watch, '"after"');
  });

  it('the code folder is removed, and comes back', async () => {
    const { app, watch } = await start();
    const failed = await watch.after(
      () => fs.rm(at(app, 'hello'), { recursive: true }),
      ({ state }) => state === 'failed',
    );
    expect(failed.error?.message).toMatch(/hello/);
    expect(`${failed.error?.hint} ${failed.error?.output}`).not.toMatch(/defect/);
    await watch.after(() => writeFiles(app, { 'hello/app.py': code(2) }), isResource('Hello', 'in-sync'));
    await goesOn(watch, '"after"');
  });

  it('.aws-sam is removed', async () => {
    const { app, watch } = await start();
    await fs.rm(at(app, '.aws-sam'), { recursive: true });
    await goesOn(watch, '"after"');
  });

  it('the whole project is removed: it stays, and Ctrl-C ends it', async () => {
    const { app, watch } = await start();
    await watch.after(
      () => fs.rm(app, { recursive: true }),
      ({ state }) => state === 'failed',
    );
    expect(await watch.stop()).toMatchObject({ code: 0 });
    expect(watch.stderr()).not.toMatch(/defect|\n +at /);
  });

  it('nothing reads its events any more: it ends by itself', async () => {
    const { watch } = await start();
    watch.closeOutput('stdout');
    await watch.write('hello/app.py', code(2));
    expect(await watch.ended).toBe(0);
    expect(watch.stderr()).not.toMatch(/defect|\n +at /);
  });

  it('nothing reads its standard error any more: it goes on', async () => {
    const { watch } = await start();
    watch.closeOutput('stderr');
    await goesOn(watch, '2');
  });

  it('a disk is full for a while: tried again by itself', async (context) => {
    const app = await apps.create({});
    const disk = app.dir;
    if (!mountSmallDisk(disk, '2m')) return context.skip();
    await app.write(FILES);
    const watch = await app.ready();
    await fs.writeFile(at(disk, 'ballast'), Buffer.alloc(4_000_000)).catch(() => {});
    // a new content, of no more space
    const failed = await watch.after(() => watch.write('hello/app.py', code(2)), isResource('Hello', 'failed'));
    expectSentence(failed, /no space left on the disk/);
    await watch.after(() => fs.rm(at(disk, 'ballast')), isResource('Hello', 'in-sync'));
    await goesOn(watch, '3');
  });

  it.skipIf(process.platform !== 'linux')('too many open files for a while: tried again by itself', async () => {
    const { watch } = await start();
    const limit = (value: string): void =>
      void execFileSync('prlimit', ['--pid', String(watch.pid), `--nofile=${value}`]);
    const open = (await fs.readdir(`/proc/${watch.pid}/fd`)).length;
    limit(`${open}:4096`);
    const failed = await watch.after(() => watch.write('hello/app.py', code(2)), isResource('Hello', 'failed'));
    expectSentence(failed, /too many open files/);
    await watch.after(async () => limit('4096:4096'), isResource('Hello', 'in-sync'));
    await goesOn(watch, '3');
  });
});
