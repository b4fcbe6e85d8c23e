import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { copyApp } from './app.ts';
import { atEnd } from './at-end.ts';
import { invoke, startTestCloud } from './cloud.ts';
import type { TestCloud } from './cloud.ts';
import { startFaultProxy } from './fault-proxy.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { tempFolder, writeFiles } from './temp-folder.ts';
import { startWatch } from './watch-cli.ts';
import type { WatchCli } from './watch-cli.ts';

/** Its files: path → content, or such files in which the stack is named, or the name of a folder of `test/fixtures`. */
type WatchedFiles =
  | Readonly<Record<string, string>>
  | ((stackName: string) => Readonly<Record<string, string>>)
  | string;

/** An application in a folder of its own, with a stack and a proxy of its own. They go when the test ends. */
export interface WatchedApp {
  dir: string;
  stackName: string;
  /** What all its calls go through. */
  proxy: FaultProxy;
  cloud: TestCloud;
  /** Sends the command through the proxy to the cloud. */
  env: Readonly<Record<string, string>>;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  read(file: string): Promise<string>;
  /** Starts a watch and waits for nothing. The command line names the stack unless the samconfig does. */
  start(args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<WatchCli>;
  /** Starts a watch, and waits until its initial sync is over. */
  ready(args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<WatchCli>;
  /** The value of an output of the stack, as the watch reported it last. */
  output(name: string): string;
  /** What the function answers whose name is an output. */
  answer(output: string): Promise<unknown>;
}

/** Makes the watched applications of a test file. */
export interface WatchedApps {
  create(files: WatchedFiles): Promise<WatchedApp>;
  /** One that is in sync and watched. */
  ready(files: WatchedFiles, args?: readonly string[]): Promise<WatchedApp & { watch: WatchCli }>;
}

/** Applications of one test file (or of one `describe`) that is watched, on an emulator of their own. */
export function watchedApps(settings: Readonly<Record<string, string>> = {}): WatchedApps {
  let cloud: TestCloud | undefined;
  let count = 0;
  beforeAll(async () => {
    cloud = await startTestCloud(settings);
  });
  afterAll(() => cloud?.stop());
  const create: WatchedApps['create'] = async (files) => {
    if (cloud === undefined) throw new Error('there is a cloud in tests and hooks only');
    return createWatchedApp(cloud, `watched${++count}`, files);
  };
  return {
    create,
    ready: async (files, args) => {
      const app = await create(files);
      return { ...app, watch: await app.ready(args) };
    },
  };
}

async function createWatchedApp(cloud: TestCloud, stackName: string, files: WatchedFiles): Promise<WatchedApp> {
  const dir = typeof files === 'string' ? await copyApp(files) : path.join(await tempFolder(), 'app');
  await fs.mkdir(dir, { recursive: true });
  if (typeof files !== 'string') await writeFiles(dir, typeof files === 'function' ? files(stackName) : files);
  const proxy = await startFaultProxy(cloud.endpoint);
  atEnd(() => proxy.stop());
  const env = { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint, SAM_CLI_POLL_DELAY: '0.1' };
  let watch: WatchCli | undefined;
  const output = (name: string): string => {
    const last = watch?.lines.findLast(({ event }) => event === 'outputs');
    const value = (last?.['outputs'] as Record<string, string> | undefined)?.[name];
    if (value === undefined) throw new Error(`the watch has reported no output ${name}`);
    return value;
  };
  const start: WatchedApp['start'] = async (args = [], more = {}) => {
    const config = await fs.readFile(path.join(dir, 'samconfig.toml'), 'utf8').catch(() => '');
    const name = config.includes('stack_name') ? [] : ['--stack-name', stackName];
    return (watch = await startWatch(dir, { ...env, ...more }, [...name, ...args]));
  };
  return {
    dir,
    stackName,
    proxy,
    cloud,
    env,
    write: (changed) => writeFiles(dir, changed),
    read: (file) => fs.readFile(path.join(dir, file), 'utf8'),
    start,
    ready: async (...how) => {
      const started = await start(...how);
      await started.seen(({ event }) => event === 'ready', 0, 120_000);
      return started;
    },
    output,
    answer: (name) => invoke(cloud.endpoint, output(name)),
  };
}
