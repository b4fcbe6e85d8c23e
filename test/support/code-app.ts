import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { ResourceResult } from '../../src/sync/code/sync-resource.ts';
import { toolEnv } from './build-app.ts';
import { runCli, type CliResult } from './run-cli.ts';
import { writeFiles } from './temp-folder.ts';

/** What a sync left behind for a test to look at. */
interface SyncedApp {
  exitCode: number;
  document: Record<string, unknown>;
  /** Outcome by identifier. */
  outcomes: Record<string, ResourceResult['outcome']>;
  results: readonly (ResourceResult & { durationMs: number })[];
  /** What was printed beside it: a line each, with its hint after a slash. */
  notes: string[];
}

/** Options of the command that an application of a test can be synced with. */
export interface CodeAppOptions {
  stackName: string;
  dependencyLayer?: boolean;
  resourceTypes?: readonly string[];
  parameterOverrides?: Readonly<Record<string, string>>;
  imageRepository?: string;
  resolveImageRepos?: boolean;
  dryRun?: boolean;
}

/** An application in a folder of its own, synced by the built command. Whatever ends a run early is thrown, its notes as `cause`. */
export interface CodeApp {
  dir: string;
  /** Changes files. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** A plain sync: code flows if they are enough, else CloudFormation and then what it left out. `way` tells which. */
  plain(options?: Partial<CodeAppOptions>, signal?: AbortSignal): Promise<SyncedApp & { way: 'code' | 'deploy' }>;
  /** `--code`, for these identifiers or for everything. `signal`, here and above: Ctrl-C. */
  code(ids?: readonly string[], options?: Partial<CodeAppOptions>, signal?: AbortSignal): Promise<SyncedApp>;
  remove(): Promise<void>;
}

/** `env`: where the cloud is and how it lets us in. */
export async function createCodeApp(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  defaults: CodeAppOptions,
): Promise<CodeApp> {
  const dir = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-app-')));
  await writeFiles(dir, files);
  const run = async (args: readonly string[], more: Partial<CodeAppOptions>, signal?: AbortSignal) => {
    const words = ['--yes', '--output', 'json', ...args, ...optionWords({ ...defaults, ...more })];
    const result = await runCli(words, {
      cwd: dir,
      env: { ...toolEnv(), ...env, SAM_CLI_POLL_DELAY: '0.05' },
      onStart: (child) => signal?.addEventListener('abort', () => child.kill('SIGINT')),
    });
    return describeRun(result);
  };
  return {
    dir,
    write: (changed) => writeFiles(dir, changed),
    plain: async (more = {}, signal) => {
      const synced = await run([], more, signal);
      return { way: synced.document['status'] === 'deployed' ? 'deploy' : 'code', ...synced };
    },
    code: (ids = [], more = {}, signal) => run(['--code', ...ids.flatMap((id) => ['--resource-id', id])], more, signal),
    remove: () => fs.rm(dir, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function optionWords(options: CodeAppOptions): string[] {
  const overrides = Object.entries(options.parameterOverrides ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    '--stack-name',
    options.stackName,
    ...(options.dependencyLayer === false ? ['--no-dependency-layer'] : []),
    ...(options.resourceTypes ?? []).flatMap((type) => ['--resource', type]),
    ...(overrides.length > 0 ? ['--parameter-overrides', ...overrides] : []),
    ...(options.imageRepository === undefined ? [] : ['--image-repository', options.imageRepository]),
    ...(options.resolveImageRepos ? ['--resolve-image-repos'] : []),
    ...(options.dryRun ? ['--dry-run'] : []),
  ];
}

function describeRun({ code, stdout, stderr }: CliResult): SyncedApp {
  const document = (stdout === '' ? {} : JSON.parse(stdout)) as Record<string, unknown>;
  const { message, hint } = (document['error'] ?? {}) as { message?: string; hint?: string };
  const notes = stderr.replaceAll('\n  ', ' / ').trimEnd().split('\n');
  if (message !== undefined) throw new Error(hint === undefined ? message : `${message} / ${hint}`, { cause: notes });
  if (stdout === '') throw new Error(`exit code ${code}: ${stderr}`);
  const results = (document['resources'] ?? []) as SyncedApp['results'];
  return {
    exitCode: code ?? 1,
    document,
    results,
    outcomes: Object.fromEntries(results.map(({ id, outcome }) => [id, outcome])),
    notes,
  };
}
