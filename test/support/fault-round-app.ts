import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { CloudState } from './cloud-state.ts';
import { readCloudState } from './cloud-state.ts';
import type { TestCloud } from './cloud.ts';
import { createFaultApp, textOf } from './fault-app.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { tempFolder } from './temp-folder.ts';

/** What is there after a round. */
export interface RoundState {
  /** What is in effect in the cloud. */
  content: CloudState['content'];
  /** How many versions, deployments and operations the round has added. */
  growth: CloudState['counts'];
  /** The files of `.aws-sam` that SAM CLI would read. */
  built: Record<string, string>;
}

/** An application whose code, and template, is another one in each round. */
export interface RoundApp {
  dir: string;
  env: Readonly<Record<string, string>>;
  /** Writes new code, or a new template too. */
  change(what: 'code' | 'template and code'): Promise<void>;
  counts(): Promise<CloudState['counts']>;
  /** The state, with placeholders for what this round has written. */
  state(before: CloudState['counts']): Promise<RoundState>;
}

/** Creates the application. */
export async function createRoundApp(
  { cloud, proxy }: { cloud: TestCloud; proxy: FaultProxy },
  stackName: string,
  how: { isLarge?: boolean } = {},
): Promise<RoundApp> {
  const app = await createFaultApp(how);
  const tools = how.isLarge ? await dockerTools(cloud) : {};
  let count = 0;
  let names: Record<string, string> = {};
  let shape = '';
  const read = (): Promise<CloudState> => readCloudState(cloud.endpoint, stackName, names);
  const rename = (text: string): string =>
    Object.entries(names).reduce((all, [name, placeholder]) => all.replaceAll(name, placeholder), text);
  return {
    dir: app.dir,
    env: {
      ...cloud.env,
      ...tools,
      AWS_ENDPOINT_URL: proxy.endpoint,
      SAM_CLI_POLL_DELAY: '0.05',
      SAM_SYNC_REQUEST_TIMEOUT: '2',
    },
    change: async (what) => {
      count++;
      await app.writeCode(`v${count}v`);
      if (what !== 'code') await app.writeTemplate((shape = `s${count}s`));
      names = { [`v${count}v`]: 'VERSION', [shape]: 'SHAPE' };
    },
    counts: async () => (await read()).counts,
    state: async (before) => {
      const { content, counts } = await read();
      const growth = Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, n - (before[name] ?? 0)]));
      const files = await readBuilt(path.join(app.dir, '.aws-sam'));
      const built = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, rename(text)]));
      return { content, growth, built };
    },
  };
}

/** Variables that put the docker of the tests first on PATH. */
async function dockerTools(cloud: TestCloud): Promise<Record<string, string>> {
  const script = `#!/bin/sh\nexec '${process.execPath}' '${path.join(import.meta.dirname, 'fault-docker.cjs')}' "$@"\n`;
  const dir = await tempFolder({ 'bin/docker': script, 'images/.keep': '' });
  await fs.chmod(path.join(dir, 'bin/docker'), 0o755);
  return {
    PATH: `${path.join(dir, 'bin')}${path.delimiter}${process.env['PATH'] ?? ''}`,
    FAULT_DOCKER: path.join(dir, 'images'),
    FAULT_DOCKER_ECR: cloud.endpoint,
  };
}

/** Path → text. Links lead to our artifacts, which must be there. */
async function readBuilt(folder: string, prefix = ''): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of await fs.readdir(folder)) {
    if (prefix === '' && name === 'sam-sync') continue;
    const place = path.join(folder, name);
    if ((await fs.stat(place)).isDirectory()) Object.assign(files, await readBuilt(place, `${prefix}${name}/`));
    else files[prefix + name] = textOf(await fs.readFile(place));
  }
  return files;
}

/** Where two states differ, a line each. */
export function differences(actual: unknown, expected: unknown, at = ''): string[] {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return [];
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) {
    return [`${at}: ${JSON.stringify(actual)?.slice(0, 300)} instead of ${JSON.stringify(expected)?.slice(0, 300)}`];
  }
  const [one, other] = [actual as Record<string, unknown>, expected as Record<string, unknown>];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((key) =>
    differences(one[key], other[key], `${at}/${key}`),
  );
}
