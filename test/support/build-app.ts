import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import type { BuildInput, BuildResult, BuiltFolder } from '../../src/builder/build-result.ts';
import type { BuildOptions } from '../../src/builder/build-options.ts';
import { openBuilder } from '../../src/builder/build.ts';
import type { Builder } from '../../src/builder/build.ts';
import type { SharedBuilds } from '../../src/builder/shared-builds.ts';
import { planBuild } from '../../src/builder/plan-build.ts';
import type { SyncEvent } from '../../src/console/reporter.ts';
import type { BuildFailure } from '../../src/errors.ts';
import { readStacks } from '../../src/model/read-stacks.ts';
import type { Stack } from '../../src/model/stack.ts';

/** What a test sees of a build. */
export interface BuiltApp {
  root: Stack;
  options: BuildOptions;
  result: BuildResult;
  failures: readonly BuildFailure[];
  /** Command lines of the tools that were run, e.g. `npm install …`. */
  commands: string[];
  /** Outcome by the step's id without `build:`. */
  outcomes: Record<string, string>;
  builtEarly: string[];
  /** The artifact's files: path → content. */
  files(id: string): Promise<Record<string, string>>;
  /** The dependency layer's files. */
  layerFiles(id: string): Promise<Record<string, string>>;
  inputs(id: string): readonly BuildInput[];
}

/** How to build. */
export interface BuildAppOptions extends Partial<BuildOptions> {
  only?: ReadonlySet<string>;
  signal?: AbortSignal;
  onEvent?: (event: SyncEvent) => void;
  parameterOverrides?: Record<string, string>;
  baseDir?: string;
  sharedBuilds?: SharedBuilds;
}

/** The environment of tools in tests: the machine's, without what makes output differ. */
export function toolEnv(overrides: Record<string, string | undefined> = {}): Record<string, string | undefined> {
  return { ...process.env, npm_config_update_notifier: 'false', ...overrides };
}

/** Reads and builds the application in a folder (`template.yaml`), in this process. */
export async function buildApp(dir: string, how: BuildAppOptions = {}): Promise<BuiltApp> {
  const {
    only,
    signal = new AbortController().signal,
    onEvent,
    parameterOverrides = {},
    baseDir,
    sharedBuilds,
    ...given
  } = how;
  const options: BuildOptions = {
    projectDir: dir,
    stackName: 'my-stack',
    dependencyLayer: false,
    buildInSource: false,
    env: toolEnv(),
    ...given,
  };
  const { root } = await readStacks({
    templateFile: path.join(dir, 'template.yaml'),
    baseDir,
    parameterOverrides,
    pseudo: { region: 'us-east-1', stackName: 'my-stack' },
    cwd: dir,
  });
  const commands: string[] = [];
  const outcomes: Record<string, string> = {};
  const builtEarly: string[] = [];
  const report = (event: SyncEvent): void => {
    if (event.type === 'tool-output' && event.line.startsWith('$ ')) commands.push(event.line.slice(2));
    if (event.type === 'step-finished') outcomes[event.id.replace('build:', '')] = event.outcome;
    onEvent?.(event);
  };
  const onBuilt = (_folder: BuiltFolder, ids: readonly string[], content: string): void =>
    void builtEarly.push(`${content} ${ids.join(',')}`);
  const builder: Builder = openBuilder({ reporter: { report }, signal, options, onBuilt, sharedBuilds });
  const { result, failures } = await builder.build(planBuild(root, options, only));
  // what was found is kept beside the artifacts: a test that looks at the folder must not meet the writing of it
  await result.runProblems;
  return {
    root,
    options,
    result,
    failures,
    commands,
    outcomes,
    builtEarly,
    files: (id) => readFolder(result.folders.get(id)),
    layerFiles: (id) => readFolder(result.dependencyLayers.get(id)),
    inputs: (id) => result.inputs.get(id) ?? [],
  };
}

async function readFolder(folder: BuiltFolder | undefined): Promise<Record<string, string>> {
  if (!folder) throw new Error('it was not built');
  return readTree(folder.path);
}

/** All files below a folder, links followed: path → content. */
export async function readTree(dir: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const item of await fs.readdir(dir, { recursive: true, withFileTypes: true })) {
    const file = path.join(item.parentPath, item.name);
    if (item.isDirectory()) continue;
    files[path.relative(dir, file).split(path.sep).join('/')] = await fs.readFile(file, 'utf8');
  }
  return files;
}

/** A PATH on which only these programs of the machine are. */
export async function pathWith(dir: string, programs: Record<string, string>): Promise<string> {
  await fs.mkdir(dir, { recursive: true });
  for (const [name, target] of Object.entries(programs)) await fs.symlink(target, path.join(dir, name));
  return dir;
}

/** Makes the stat index trust a file: its time stamps are old enough not to be in the same tick as the next change. */
export async function makeOld(...files: string[]): Promise<void> {
  const past = new Date(Date.now() - 3_600_000);
  for (const file of files) await fs.utimes(file, past, past);
}

/** Runs a bundle's handler in a Node of its own. */
export async function invokeBundle(file: string, exported = 'handler'): Promise<unknown> {
  const script = `import(require('node:url').pathToFileURL(process.argv[1])).then(async (m) => console.log(JSON.stringify(await (m[process.argv[2]] ?? m.default[process.argv[2]])())))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, file, exported]);
  return JSON.parse(stdout);
}
