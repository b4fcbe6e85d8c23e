import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { App } from './apps.ts';
import { writeApp } from './apps.ts';
import type { Bench, Sample, Subject, Way } from './bench-case.ts';
import { measure, ROOT } from './measure.ts';
import type { Command } from './measure.ts';
import { syncCommand } from './tools.ts';
import type { Tool } from './tools.ts';

/** A tool's copy of an application and the stack it was synced to. */
export interface Copy {
  tool: Tool;
  app: App;
  dir: string;
  stackName: string;
  way: Way;
}

/** For which tool, and what its folder and stack are called. */
export interface CopyPlan {
  tool: Tool;
  name: string;
  app: App;
  /** Arguments of the sync that deploys it. */
  args?: readonly string[];
}

/** Makes a copy of the application for a tool. */
export async function writeCopy(bench: Bench, { tool, name, app }: CopyPlan): Promise<Copy> {
  const stackName = `${name}-${tool}`;
  const copy = { tool, app, dir: bench.folder(stackName), stackName, way: await bench.way(tool) };
  await writeApp(copy.dir, app);
  return copy;
}

/** Copies the application for a tool and deploys it to its own stack. */
export async function prepareCopy(bench: Bench, plan: CopyPlan): Promise<Copy> {
  const copy = await writeCopy(bench, plan);
  const { ms, code, output } = await measure(plainSync(copy, plan.args));
  bench.log(`${copy.stackName} prepared in ${(ms / 1_000).toFixed(1)} s`);
  if (code !== 0) throw new Error(`${copy.stackName}: exit code ${code}\n${output}`);
  return copy;
}

/** The command line of a plain sync. */
function plainSync({ tool, dir, stackName, way }: Omit<Copy, 'app'>, args: readonly string[] = []): Command {
  return syncCommand(tool, ['--stack-name', stackName, ...args], { dir, env: way.env });
}

/** Changes the copy's code, as an editor does on saving. */
export async function editCopy({ dir, app }: Pick<Copy, 'dir' | 'app'>, mark: string): Promise<void> {
  await fs.writeFile(path.join(dir, app.edited.file), app.edited.text(mark));
}

/** How the same command is run on a prepared copy, round after round. */
export interface Repeated {
  args?: readonly string[];
  rounds: number;
  slow?: boolean | undefined;
  /** Whether code is edited before each round. */
  edits?: boolean;
  /** Its name in the row; the tool's otherwise. */
  name?: string;
  /** The exit code that it must have: 0 unless given; `any` where SAM CLI cannot do better. */
  mayFail?: boolean;
}

/** A tool that syncs its copy again in each round. */
export function syncAgain(copy: Copy, how: Repeated): Subject {
  const { args = [], rounds, slow, edits = false, name = copy.tool, mayFail = copy.tool === 'peer' } = how;
  return {
    name,
    rounds,
    slow,
    proxy: copy.way.proxy,
    round: async (round) => {
      if (edits) await editCopy(copy, `${args.join(' ')} ${round} ${performance.now()}`);
      const command = syncCommand(copy.tool, ['--stack-name', copy.stackName, ...args], {
        dir: copy.dir,
        env: copy.way.env,
      });
      return check(await measure(command), mayFail);
    },
  };
}

/** How an application is synced for the first time, in each round a new one. */
export interface FirstSync {
  tool: Tool;
  name: string;
  app(seed: string): App;
  rounds: number;
  slow?: boolean | undefined;
  /** Caches of package managers are new, too. */
  emptyCaches?: boolean;
  args?: readonly string[];
  /** Variables beside those that lead to the emulator. */
  env?: Readonly<Record<string, string>>;
}

/** A tool that syncs a new application to a new stack in each round. */
export async function syncFirst(
  bench: Bench,
  { tool, name, app, rounds, slow, emptyCaches = false, args, env: own = {} }: FirstSync,
): Promise<Subject> {
  const way = await bench.way(tool);
  return {
    name: tool,
    rounds,
    slow,
    proxy: way.proxy,
    round: async (round) => {
      const stackName = `${name}-${tool}-${round}`;
      const dir = bench.folder(stackName);
      await writeApp(dir, app(stackName));
      const caches = emptyCaches ? cachesBelow(bench.folder(`${stackName}-caches`)) : {};
      const env = { ...way.env, ...caches, ...own };
      const command = plainSync({ tool, dir, stackName, way: { ...way, env } }, args);
      const sample = check(await measure(command), false);
      const diskBytes = await usedSpace(path.join(dir, '.aws-sam'));
      return { ...sample, diskBytes };
    },
  };
}

/** The floor: the same calls and nothing else, with the zip that our code sync sent last. */
export function floorOf(copy: Copy, { proxy, env }: Way, rounds: number): Subject {
  const zip = path.join(copy.dir, 'floor.zip');
  return {
    name: 'floor',
    rounds,
    proxy,
    round: async () => {
      const files = await fs.readdir(path.join(copy.dir, '.aws-sam'), { recursive: true });
      const made = files.filter((file) => file.endsWith('.zip')).map((file) => path.join(copy.dir, '.aws-sam', file));
      const sizes = await Promise.all(made.map(async (file) => ({ file, size: (await fs.stat(file)).size })));
      const [smallest] = sizes.sort((a, b) => a.size - b.size);
      if (smallest === undefined) throw new Error(`no zip below ${copy.dir}/.aws-sam`);
      await fs.copyFile(smallest.file, zip);
      const floor = path.join(ROOT, '.cache', 'bench', 'floor.mjs');
      const argv = [process.execPath, floor, copy.stackName, copy.app.functionId, zip];
      return check(await measure({ argv, cwd: copy.dir, env }), false);
    },
  };
}

function check({ output, ...sample }: Awaited<ReturnType<typeof measure>>, mayFail: boolean): Sample {
  if (sample.code !== 0 && !mayFail) throw new Error(`exit code ${sample.code}\n${output}`);
  return sample;
}

function cachesBelow(folder: string): Record<string, string> {
  return {
    XDG_CACHE_HOME: folder,
    PIP_CACHE_DIR: path.join(folder, 'pip'),
    UV_CACHE_DIR: path.join(folder, 'uv'),
    npm_config_cache: path.join(folder, 'npm'),
  };
}

/** What a folder takes on the disk; a file with several names counts once (bytes). */
async function usedSpace(folder: string): Promise<number> {
  const seen = new Set<number>();
  let bytes = 0;
  for (const entry of await fs.readdir(folder, { recursive: true })) {
    const { ino, blocks } = await fs.lstat(path.join(folder, entry));
    if (!seen.has(ino)) bytes += blocks * 512;
    seen.add(ino);
  }
  return bytes;
}
