import { CreateRepositoryCommand, ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clients, sharedCacheDir, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { readShellBlocks, runBlock } from '../support/shell-blocks.ts';
import { tempFolder } from '../support/temp-folder.ts';

const CACHE = 's3://shared-builds/team/app';

let cloud: TestCloud;
let proxy: FaultProxy;
let s3: S3Client;
beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
  s3 = new S3Client({ endpoint: cloud.endpoint, region: 'us-east-1', forcePathStyle: true, credentials: TEST });
  await s3.send(new CreateBucketCommand({ Bucket: 'shared-builds' }));
});
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});
beforeEach(() => proxy.clear());

const FAR = 'eu-central-1';
const TEST = { accessKeyId: 'test', secretAccessKey: 'test' };
/** Too large to be uploaded without looking whether the bucket has it. */
const LARGE = Array.from({ length: 6000 }, (_, index) => `// ${(index * 2654435761) % 4294967296}`).join('\n');

const APP: Readonly<Record<string, string>> = {
  'template.yaml': `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: api, Handler: app.handler, Runtime: nodejs22.x }
`,
  'api/package.json': JSON.stringify({ name: 'api', version: '1.0.0', dependencies: { dep: '1.0.0' } }),
  'api/package-lock.json': JSON.stringify({ name: 'api', lockfileVersion: 3, packages: { '': {} } }),
  'api/app.js': `exports.handler = async () => require('dep');\n${LARGE}\n`,
};

const NPM = `#!/bin/sh
echo called >> "\${0%/*}/calls"
case "$1" in
  --version) echo 11.0.0 ;;
  *) /bin/mkdir -p node_modules/dep && echo 'module.exports = 7' > node_modules/dep/index.js &&
     echo '{"name":"dep","version":"1.0.0"}' > node_modules/dep/package.json ;;
esac
`;

let stacks = 0;

/** Syncs a new checkout. */
function syncCheckout(words: readonly string[], options: CheckoutOptions = {}): ReturnType<typeof runCheckout> {
  const stack = ['--stack-name', `cache-${++stacks}`, '--yes', '--output', 'json', '--no-dependency-layer'];
  return runCheckout([...stack, ...words], options);
}

type CheckoutOptions = Parameters<typeof runCheckout>[1];

/** Runs a command in a new checkout, or in `at`, with an empty home. `calls`: how often npm and docker ran. */
async function runCheckout(
  words: readonly string[],
  { npm = true, docker = false, files = {}, timeout = '10', at = '' } = {},
) {
  const dir = at || (await tempFolder({ ...APP, ...files }));
  const tools = await tempFolder({ ...(npm ? { npm: NPM } : {}), ...(docker ? { docker: DOCKER } : {}) });
  for (const name of await fs.readdir(tools)) await fs.chmod(path.join(tools, name), 0o755);
  const { code, stdout, stderr } = await runCli(words, {
    cwd: dir,
    env: {
      ...cloud.env,
      AWS_ENDPOINT_URL: proxy.endpoint,
      SAM_CLI_POLL_DELAY: '0.05',
      SAM_BUILD_CACHE_TIMEOUT: timeout,
      XDG_CACHE_HOME: path.dirname(sharedCacheDir()),
      HOME: await tempFolder(),
      PATH: tools,
    },
  });
  const document = JSON.parse(stdout) as { status: string; buildCache?: Record<string, unknown> };
  const calls = await fs.readFile(path.join(tools, 'calls'), 'utf8').catch(() => '');
  const built = path.join(dir, '.aws-sam', 'build', 'Api');
  return { code, stderr, document, calls: calls.split('\n').length - 1, built, dir };
}

const uploads = (): string[] =>
  proxy.calls.filter(({ operation }) => operation === 'PutObject').map(({ path: name }) => name.split('?')[0] ?? '');

/** Fills the cache, unless another test has. */
async function fill(): Promise<void> {
  const { code, stderr, document } = await syncCheckout(['--build-cache', CACHE, '--build-cache-write']);
  expect(code, stderr).toBe(0);
  expect(document.status).toBe('deployed');
  proxy.clear();
}

describe('--build-cache in S3', () => {
  it('gives a new checkout its builds without tools, and S3 copies the zip', async () => {
    await fill();
    const { code, stderr, document, built, dir } = await syncCheckout(['--build-cache', CACHE, '--s3-prefix', 'one'], {
      npm: false,
    });
    expect(code, stderr).toBe(0);
    expect(document).toMatchObject({ status: 'deployed', buildCache: { hits: 1, taken: 1, misses: 0 } });
    expect(proxy.count('CopyObject')).toBe(1);
    expect(uploads().filter((name) => !name.endsWith('.template'))).toEqual([]);
    expect(await fs.readFile(path.join(built, 'node_modules', 'dep', 'index.js'), 'utf8')).toContain('7');
    expect(stderr).toMatch(/Build cache: 1 of 1 builds taken \(100 %\), [\d.]+ kB fetched/);
    // a copy that is refused is an upload
    proxy.clear();
    proxy.fault({ operation: 'CopyObject' }, { kind: 'denied' });
    const uploaded = await syncCheckout(['--build-cache', CACHE, '--s3-prefix', 'other'], { npm: false });
    expect(uploaded.code, uploaded.stderr).toBe(0);
    expect(uploads().some((name) => /other\/[0-9a-f]{32}$/.test(name))).toBe(true);
    // another cache lacks what this one gave
    const place = ['--build-cache', `file:${await tempFolder()}`];
    const filled = await runCheckout(['cache', 'fill', ...place, '--output', 'json', '--no-dependency-layer'], {
      at: dir,
    });
    expect(filled.document, filled.stderr).toMatchObject({ status: 'filled', builds: 1, written: 1, present: 0 });
  });

  it('is read only, unless it is to be written, and never replaced', async () => {
    await fill();
    const files = { 'api/app.js': `// another\n${LARGE}` };
    const { document, calls } = await syncCheckout(['--build-cache', CACHE], { files });
    // its packages are there
    expect([document.buildCache, calls]).toMatchObject([{ hits: 0, misses: 1, packagesTaken: 1 }, 0]);
    expect(uploads().filter((name) => name.includes('shared-builds'))).toEqual([]);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'shared-builds' }));
    expect(Contents.every(({ Key }) => /^team\/app\/(?:ac|cas)\/[0-9a-f]{64}$/.test(Key ?? ''))).toBe(true);
    await syncCheckout(['--build-cache', CACHE, '--build-cache-write'], { files });
    const conditions = proxy.calls.filter(({ path: name }) => name.includes('shared-builds'));
    expect(conditions.filter(({ operation }) => operation === 'PutObject').length).toBeGreaterThan(0);
  });

  it('with another zip of the same size: a fill reports it, and reads only zips whose hash S3 does not know', async () => {
    const bucket = { Bucket: 'replaced-builds' };
    await s3.send(new CreateBucketCommand(bucket));
    const fillThis = ['cache', 'fill', '--build-cache', 's3://replaced-builds', '--no-dependency-layer'];
    const zipsRead = (): number =>
      proxy.calls.filter(({ operation, path: name }) => operation === 'GetObject' && name.includes('/cas/')).length;
    const { document, dir } = await runCheckout([...fillThis, '--output', 'json']);
    expect(document).toMatchObject({ status: 'filled', written: 1, packagesWritten: 1 });
    const again = await runCheckout([...fillThis, '--output', 'json'], { npm: false });
    expect([again.document, zipsRead()]).toMatchObject([{ status: 'filled', present: 1 }, 0]);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ ...bucket, Prefix: 'cas/' }));
    for (const { Key, Size = 0 } of Contents)
      await s3.send(new PutObjectCommand({ ...bucket, Key, Body: Buffer.alloc(Size) }));
    for (const at of [dir, '']) {
      const blocked = await runCheckout([...fillThis, '--output', 'json'], { at });
      expect([blocked.code, blocked.document], blocked.stderr).toMatchObject([1, { status: 'failed', failed: 1 }]);
      expect(blocked.stderr).toMatch(/cannot be added.*\n.*sam-sync cache prune --refused --build-cache-write/);
    }
    expect(zipsRead()).toBeGreaterThan(0);
  });

  it.each([
    ['denied', { kind: 'denied' }, /Build cache s3:\/\/shared-builds\/team\/app: .*; building here without it/],
    [
      'gone',
      { kind: 'error', status: 404, code: 'NoSuchBucket', message: 'The bucket does not exist' },
      /does not exist.*; building here/,
    ],
    ['silent', { kind: 'hang' }, /no answer within 1 s; building here/],
  ] as const)('that is %s costs no more than a time-out, and is reported once', async (_what, fault, message) => {
    proxy.fault({ when: ({ path: name }) => name.includes('shared-builds') }, fault, { times: Infinity });
    const { code, stderr, calls } = await syncCheckout(['--build-cache', CACHE], { timeout: '1' });
    expect(code, stderr).toBe(0);
    expect(calls).toBe(1);
    expect(stderr.match(new RegExp(message, 'g')), stderr).toHaveLength(1);
  });

  it('in another Region is read and written there', async () => {
    const far = new S3Client({ endpoint: cloud.endpoint, region: FAR, forcePathStyle: true, credentials: TEST });
    const at = { LocationConstraint: FAR } as const;
    await far.send(new CreateBucketCommand({ Bucket: 'far-builds', CreateBucketConfiguration: at }));
    const place = ['--build-cache', 's3://far-builds/app'];
    const written = await syncCheckout([...place, '--build-cache-write']);
    expect([written.code, written.document.buildCache], written.stderr).toMatchObject([0, { written: 1 }]);
    const taken = await syncCheckout(place, { npm: false });
    expect([taken.code, taken.document.buildCache], taken.stderr).toMatchObject([0, { taken: 1, misses: 0 }]);
  });

  it('that refuses to be written is reported once, and the sync succeeds', async () => {
    const isWrite = {
      operation: 'PutObject',
      when: ({ path: name }: { path: string }) => name.includes('shared-builds'),
    };
    proxy.fault(isWrite, { kind: 'denied' }, { times: Infinity });
    const files = { 'api/app.js': '// refused\n' };
    const { code, stderr } = await syncCheckout(['--build-cache', CACHE, '--build-cache-write'], { files });
    expect(code, stderr).toBe(0);
    expect(stderr.match(/nothing is written: /g), stderr).toHaveLength(1);
  });
});

const posix = process.platform !== 'win32';

/** A docker that builds one image, and says that it pushes it. */
const IMAGE = `sha256:${'2'.repeat(64)}`;
const DOCKER = `#!/bin/sh
echo called >> "\${0%/*}/calls"
case "$1" in
  network) echo bridge ;;
  buildx) exit 1 ;;
  build) while [ "$1" != --iidfile ]; do shift; done; echo "${IMAGE}" > "$2" ;;
  push) echo "v1: digest: sha256:${'a'.repeat(64)} size: 42" ;;
esac
`;

const IMAGE_APP = {
  'template.yaml': `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image, FunctionName: !Ref AWS::StackName }
    Metadata: { DockerContext: api }
`,
  'api/Dockerfile': 'FROM scratch\nCOPY app.js /\n',
};

describe.skipIf(!posix)('images', () => {
  const registry = '000000000000.dkr.ecr.us-east-1.amazonaws.com';
  const words = ['--build-cache', CACHE, '--image-repository', `${registry}/team`];
  const sync = (how: readonly string[], options: CheckoutOptions = {}) =>
    syncCheckout([...words, ...how], { npm: false, ...options, files: { ...IMAGE_APP, ...options?.files } });

  it('of another machine are deployed without Docker, if the repository of the function has them', async () => {
    const ecr = new ECRClient({ endpoint: cloud.endpoint, region: 'us-east-1', credentials: TEST });
    for (const repositoryName of ['team', 'other']) await ecr.send(new CreateRepositoryCommand({ repositoryName }));
    // as its push would
    const pushed = { imageTag: 'api-222222222222-latest', imageManifest: JSON.stringify({ schemaVersion: 2 }) };
    await ecr.send(new PutImageCommand({ repositoryName: 'team', ...pushed }));
    const first = await sync(['--build-cache-write'], { docker: true });
    expect(first.code, first.stderr).toBe(0);
    expect(first.document.buildCache).toMatchObject({ misses: 1, written: 1, notShared: {} });

    const taken = await sync([]);
    expect(taken.code, taken.stderr).toBe(0);
    expect(taken.document.buildCache).toMatchObject({ hits: 1, taken: 1, misses: 0 });
    const { lambda } = clients(cloud.endpoint);
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName: `cache-${stacks}` }));
    expect(Code?.ImageUri).toBe(`${registry}/team:api-222222222222-latest`);

    const codeWords = ['--code', '--stack-name', `cache-${stacks}`, '--yes', '--output', 'json', ...words];
    const code = await runCheckout(codeWords, { npm: false, files: IMAGE_APP });
    expect([code.code, code.document], code.stderr).toMatchObject([
      0,
      { status: 'unchanged', buildCache: { hits: 1 } },
    ]);

    // a fill pushes what it builds, and builds no image that is there
    const fillWords = ['cache', 'fill', '--output', 'json', '--build-cache', `${CACHE}-images`];
    const repository = ['--image-repository', `${registry}/team`];
    const filled = await runCheckout([...fillWords, ...repository], { docker: true, files: IMAGE_APP });
    expect(filled.document, filled.stderr).toMatchObject({ status: 'filled', builds: 1, written: 1, present: 0 });
    const again = await runCheckout([...fillWords, ...repository], { files: IMAGE_APP });
    expect(again.document, again.stderr).toMatchObject({ status: 'filled', builds: 1, written: 0, present: 1 });
    const unplaced = await runCheckout(fillWords, { files: IMAGE_APP });
    const reported = expect.stringContaining('Api: not built, because no repository is given');
    expect([unplaced.code, unplaced.stderr]).toEqual([0, reported]);

    // not the source of the entry; another repository; extra options that the key cannot hold
    const extra = IMAGE_APP['template.yaml'].replace('api }', 'api, DockerBuildExtraParams: [--pull] }');
    for (const [how, files] of [
      [[], { 'api/app.js': '// edited\n' }],
      [['--image-repository', `${registry}/other`], {}],
      [[], { 'template.yaml': extra }],
    ] as const) {
      const built = await sync(how, { files });
      expect([built.code, built.stderr]).toEqual([1, expect.stringContaining('needs Docker, Podman or Finch')]);
    }
    // what the repository has is decisive, not the entry
    proxy.fault({ operation: 'DescribeImages' }, { kind: 'denied' });
    const denied = await sync([], { docker: true });
    expect([denied.code, denied.calls > 0], denied.stderr).toEqual([0, true]);
    expect(denied.stderr).toContain(`not taken, because access to ${registry}/team is denied`);
    const moved = { ...pushed, imageManifest: JSON.stringify({ schemaVersion: 2, other: true }) };
    await ecr.send(new PutImageCommand({ repositoryName: 'team', ...moved }));
    const other = await sync([], { docker: true });
    expect([other.code, other.calls > 0], other.stderr).toEqual([0, true]);
    expect(other.stderr).toContain(`not taken, because ${registry}/team has another one under its tag`);
  });
});

describe.skipIf(!posix)('recipes of docs/build-cache.md', () => {
  it('five shards at once make each build once, and the sync after them needs no tool', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'my-builds' }));
    const { steps, commands } = await readRecipes();
    const ids = Array.from({ length: 7 }, (_, index) => `F${index}`);
    const files = Object.fromEntries(
      ids.flatMap((id) => Object.entries(functionFiles(id)).map(([name, content]) => [`${id}/${name}`, content])),
    );
    const template = ['Transform: AWS::Serverless-2016-10-31', 'Resources:', ...ids.map(resourceOf)].join('\n');
    const machine = async (npm: boolean) => {
      const dir = await tempFolder({ ...files, 'template.yaml': template });
      const bin = await tempFolder({ ...(npm ? { npm: NPM } : {}), 'sam-sync': PROGRAM });
      for (const name of await fs.readdir(bin)) await fs.chmod(path.join(bin, name), 0o755);
      await fs.symlink('/bin/bash', path.join(bin, 'bash'));
      const calls = async (): Promise<number> =>
        (await fs.readFile(path.join(bin, 'calls'), 'utf8').catch(() => '')).split('called').length - 1;
      const env = { ...cloud.env, HOME: bin, PATH: bin, SAM_CLI_POLL_DELAY: '0.05' };
      return { calls, run: (text: string, more = {}) => runBlock(text, { cwd: dir, env: { ...env, ...more } }) };
    };
    const [fill = '', sync = ''] = steps;
    const machines = await Promise.all([1, 2, 3, 4, 5].map(() => machine(true)));
    const printed = await Promise.all(
      machines.map(({ run }, index) => run(fill.replace('${{ matrix.shard }}', String(index + 1)))),
    );
    const written = printed.map((text) => Number(/(\d+) builds? and \d+ package sets? written/.exec(text)?.[1]));
    expect(
      written.reduce((sum, count) => sum + count, 0),
      printed.join('\n'),
    ).toBe(7);
    expect(written.every((count) => count === 1 || count === 2)).toBe(true);

    const deploying = await machine(false);
    expect(await deploying.run(sync)).toMatch(/Build cache: 7 of 7 builds taken \(100 %\)/);

    // the other recipe has the same builds, and nothing is missing
    const [codeBuild = ''] = commands;
    const again = await machine(false);
    expect(await again.run(codeBuild, { SHARD: '3' })).toMatch(/Build cache: (\d) of \1 builds were there/);
    const [upkeep] = readShellBlocks().filter(
      ({ page, text }) => page === 'docs/build-cache.md' && text.includes('cache status'),
    );
    const kept = await deploying.run(upkeep?.text ?? '', { SAM_BUILD_CACHE: 's3://my-builds/app' });
    expect(kept).toMatch(/^s3:\/\/my-builds\/app +\d+ /m);
    expect(kept).toMatch(/Removed 0 entries and 0 zips of s3:\/\/my-builds\/app/);
    expect(kept).toMatch(/Shared caches, 1 run of this project since [\d-]+: 7 of 7 builds taken/);
  });
});

/** `sam-sync` for a PATH that has nothing else. */
const PROGRAM = `#!/bin/sh\nexec "${process.execPath}" "${path.resolve('bin/sam-sync.cjs')}" "$@"\n`;

function resourceOf(id: string): string {
  return `  ${id}: { Type: AWS::Serverless::Function, Properties: { CodeUri: ${id}, Handler: app.handler, Runtime: nodejs22.x } }`;
}

function functionFiles(id: string): Record<string, string> {
  return {
    'package.json': JSON.stringify({ name: id.toLowerCase(), version: '1.0.0', dependencies: { dep: '1.0.0' } }),
    'package-lock.json': JSON.stringify({ name: id, lockfileVersion: 3, packages: { '': {} } }),
    'app.js': `exports.handler = async () => '${id}';\n`,
  };
}

/** The shell lines of the two workflows. */
async function readRecipes(): Promise<{ steps: string[]; commands: string[] }> {
  const page = await fs.readFile('docs/build-cache.md', 'utf8');
  const [actions, buildspec] = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(
    ([, text = '']) => parse(text) as unknown,
  );
  const { jobs } = actions as { jobs: Record<string, { steps: { run?: string }[] }> };
  const { phases } = buildspec as { phases: { build: { commands: string[] } } };
  return {
    steps: Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => (run === undefined ? [] : [run]))),
    commands: phases.build.commands,
  };
}
