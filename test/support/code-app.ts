import { setMaxListeners } from 'node:events';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { createAws } from '../../src/aws/aws.ts';
import type { Aws } from '../../src/aws/aws.ts';
import type { SyncEvent } from '../../src/console/reporter.ts';
import { openCodeSync } from '../../src/sync/code/open-code-sync.ts';
import type { CodeSync } from '../../src/sync/code/open-code-sync.ts';
import { readApplication } from '../../src/sync/code/read-application.ts';
import { runCodeSync } from '../../src/sync/code/run-code-sync.ts';
import type { ResourceResult } from '../../src/sync/code/sync-resource.ts';
import { runSync } from '../../src/sync/run-sync.ts';
import type { SyncOptions } from '../../src/sync/sync-options.ts';
import type { SyncOutside } from '../../src/sync/sync-outside.ts';
import { toolEnv } from './build-app.ts';
import { writeFiles } from './temp-folder.ts';

/** What a sync left behind for a test to look at. */
export interface SyncedApp {
  exitCode: number;
  document: Record<string, unknown>;
  /** Outcome by identifier. */
  outcomes: Record<string, ResourceResult['outcome']>;
  results: readonly (ResourceResult & { durationMs: number })[];
  /** What was said, with hints. */
  notes: string[];
}

/** An application in a folder of its own, synced in this process. */
export interface CodeApp {
  dir: string;
  /** Changes files. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** A plain sync: code flows if they are enough, else CloudFormation and then what it left out. `way` tells which. */
  plain(options?: Partial<SyncOptions>): Promise<SyncedApp & { way: 'code' | 'deploy' }>;
  /** `--code`, for these identifiers or for everything. */
  code(ids?: readonly string[], options?: Partial<SyncOptions>, signal?: AbortSignal): Promise<SyncedApp>;
  /** A session as `--watch` has one. */
  open(options?: Partial<SyncOptions>): Promise<{ codeSync: CodeSync; read(): ReturnType<typeof readApplication> }>;
  remove(): Promise<void>;
}

/** `env`: where the cloud is and how it lets us in. */
export async function createCodeApp(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  defaults: Partial<SyncOptions> & { stackName: string },
): Promise<CodeApp> {
  const dir = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-app-')));
  await writeFiles(dir, files);
  const opened: Aws[] = [];
  const start = (more: Partial<SyncOptions>, signal?: AbortSignal) => {
    const options: SyncOptions = { ...baseOptions(dir), ...defaults, ...more };
    const events: SyncEvent[] = [];
    const outside = testOutside(env, events, signal);
    const aws = createAws({ env: outside.env, reporter: outside.reporter, signal: outside.signal });
    opened.push(aws);
    return { options, outside, aws, events };
  };
  const app: CodeApp = {
    dir,
    write: (changed) => writeFiles(dir, changed),
    plain: async (more = {}) => {
      const { options, outside, events } = start(more);
      const exitCode = await runSync(options, outside);
      const described = describeRun(exitCode, documentOf(events), events);
      return { way: described.document['status'] === 'deployed' ? 'deploy' : 'code', ...described };
    },
    code: async (ids = [], more = {}, signal) => {
      const run = start({ code: true, resourceIds: ids, ...more }, signal);
      const { exitCode, document } = await runCodeSync(run);
      return describeRun(exitCode, document as Record<string, unknown>, run.events);
    },
    open: async (more = {}) => {
      const run = start({ code: true, ...more });
      const read = async () => readApplication(run.options, run.outside, { region: await run.aws.region() });
      return { codeSync: await openCodeSync(run), read };
    },
    remove: async () => {
      for (const aws of opened) await aws.close();
      await fs.rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return app;
}

function baseOptions(dir: string): SyncOptions {
  return {
    stackName: 'app',
    templateFile: path.join(dir, 'template.yaml'),
    projectDir: dir,
    baseDir: undefined,
    code: false,
    watch: false,
    tail: false,
    resourceIds: [],
    resourceTypes: [],
    dependencyLayer: true,
    skipDeploySync: true,
    express: true,
    useContainer: false,
    buildInSource: false,
    buildImage: undefined,
    buildImages: {},
    containerEnvVarFile: undefined,
    imageRepository: undefined,
    imageRepositories: {},
    containerVariables: { all: {}, byId: {} },
    resolveImageRepos: false,
    s3Bucket: undefined,
    s3Prefix: undefined,
    kmsKeyId: undefined,
    roleArn: undefined,
    notificationArns: undefined,
    tags: undefined,
    metadata: undefined,
    capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    parameterOverrides: {},
    watchExclude: {},
    languageExtensions: undefined,
    profile: undefined,
    region: undefined,
    debug: false,
    yes: true,
    output: 'text',
    local: false,
    dryRun: false,
  };
}

function testOutside(
  env: Readonly<Record<string, string>>,
  events: SyncEvent[],
  signal = new AbortController().signal,
): SyncOutside {
  setMaxListeners(0, signal);
  return {
    reporter: { report: (event) => void events.push(event) },
    env: { ...toolEnv(), ...env, SAM_CLI_POLL_DELAY: '0.05' },
    signal,
    version: 'test',
    confirm: () => Promise.resolve(true),
    confirmDevelopmentStack: () => Promise.resolve(true),
    openLocalCloud: () => Promise.reject(new Error('not in this test')),
    askMfaCode: () => Promise.reject(new Error('not in this test')),
  } as SyncOutside;
}

function documentOf(events: readonly SyncEvent[]): Record<string, unknown> {
  const result = events.find((event) => event.type === 'result');
  return (result?.type === 'result' ? result.document : {}) as Record<string, unknown>;
}

function describeRun(exitCode: number, document: Record<string, unknown>, events: readonly SyncEvent[]): SyncedApp {
  const results = (document['resources'] ?? []) as SyncedApp['results'];
  return {
    exitCode,
    document,
    results,
    outcomes: Object.fromEntries(results.map(({ id, outcome }) => [id, outcome])),
    notes: events.flatMap((event) =>
      event.type === 'note' && event.level !== 'debug' ? [[event.text, event.hint].filter(Boolean).join(' / ')] : [],
    ),
  };
}
