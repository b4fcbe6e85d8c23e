import { CreateRepositoryCommand, PutImageCommand } from '@aws-sdk/client-ecr';
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createAws } from '../../src/aws/aws.ts';
import type { Aws } from '../../src/aws/aws.ts';
import { createImageStore } from '../../src/package/image-store.ts';
import type { ImageStore, LocatedImage } from '../../src/package/image-store.ts';
import { companionStackName, ensureRepositories, managedRepositoryUri } from '../../src/deploy/companion-stack.ts';
import { buildApp } from '../support/build-app.ts';
import { clients, silent, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const ACCOUNT = '000000000000';

/**
 * A docker that only writes down how it is called: ECR itself cannot be had here, and what is said to it and to docker is all
 * that can be shown. Files beside it make it fail: the first push as with a login that has `expired`; logins because the
 * credential store is `locked`. With `silent` it does not say what it pushed.
 */
const DOCKER = `#!/bin/sh
here="$(dirname "$0")"
echo "$*" >> "$here/calls.txt"
case "$1" in
  network) echo bridge;;
  build) while [ "$1" != --iidfile ]; do shift; done; echo "sha256:${'2'.repeat(64)}" > "$2";;
  buildx) exit 1;;
  image) for word; do [ -z "$names" ] || echo "sha256:${'2'.repeat(64)}"; [ "$word" != -- ] || names=1; done;;
  login)
    cat > "$here/password.txt"
    if [ -f "$here/locked" ]; then echo 'error storing credentials: locked' >&2; exit 1; fi;;
  push)
    if [ -f "$here/expired" ]; then rm "$here/expired"; echo 'denied: Your authorization token has expired. Reauthenticate and try again.' >&2; exit 1; fi
    [ -f "$here/silent" ] || echo "v1: digest: ${DIGEST} size: 42";;
esac
`;

const APP = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image, FunctionName: the-function }
    Metadata: { DockerContext: . }
`,
  Dockerfile: 'FROM scratch',
};

const locate = (store: ImageStore, dir: string, repository: string): LocatedImage =>
  store.locate(
    'F',
    { imageId: `sha256:${'1'.repeat(64)}`, name: 'f:latest', recordFile: path.join(dir, 'record.json') },
    repository,
  );

describe('Amazon ECR', () => {
  let cloud: TestCloud;
  let aws: Aws;
  const region = 'us-east-1';
  beforeAll(async () => {
    cloud = await startTestCloud();
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    aws = createAws({ env: {}, region, endpoint: cloud.endpoint, credentials, reporter: silent });
  });
  afterAll(async () => {
    await aws?.close();
    await cloud?.stop();
  });

  const open = async (
    more: Record<string, string> = {},
  ): Promise<{ dir: string; store: ImageStore; calls: () => Promise<string[]> }> => {
    const dir = await tempFolder({ docker: DOCKER, 'calls.txt': '' });
    await fs.chmod(path.join(dir, 'docker'), 0o755);
    const env = { PATH: `${dir}:/usr/bin:/bin`, ...more };
    const calls = async (): Promise<string[]> =>
      (await fs.readFile(path.join(dir, 'calls.txt'), 'utf8'))
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('network'));
    return {
      dir,
      store: createImageStore({ aws, env, reporter: silent, signal: new AbortController().signal }),
      calls,
    };
  };
  const host = `${ACCOUNT}.dkr.ecr.${region}.amazonaws.com`;

  /** Makes the managed repository of a function; its URI. */
  const managedRepository = async (stackName: string, id: string): Promise<string> => {
    await ensureRepositories(aws, { stackName, ids: [id] }, { reporter: silent, signal: new AbortController().signal });
    return managedRepositoryUri(stackName, id, { account: ACCOUNT, region });
  };

  it('--resolve-image-repos makes a repository for each function, once', async () => {
    const tools = { reporter: silent, signal: new AbortController().signal };
    await ensureRepositories(aws, { stackName: 'shop', ids: ['F'] }, tools);
    await ensureRepositories(aws, { stackName: 'shop', ids: ['F', 'Child/G'] }, tools);
    const { send, ListStackResourcesCommand } = await aws.cloudFormation();
    const { StackResourceSummaries = [] } = await send(
      new ListStackResourcesCommand({ StackName: companionStackName('shop') }),
    );
    const names = StackResourceSummaries.map(({ PhysicalResourceId }) => `${host}/${PhysicalResourceId}`);
    expect(names.sort()).toEqual(
      ['F', 'Child/G'].map((id) => managedRepositoryUri('shop', id, { account: ACCOUNT, region })).sort(),
    );
  });

  it('logs in with the password on standard input, pushes, and gives the digest', async () => {
    const { dir, store, calls } = await open();
    const repository = await managedRepository('login', 'F');
    const located = locate(store, dir, repository);
    expect(located.uri).toBe(`${repository}:f-111111111111-latest`);
    expect(await store.knownDigest(located)).toBeUndefined();
    await fs.writeFile(path.join(dir, 'calls.txt'), '');
    expect(await store.push(located)).toEqual({ digest: DIGEST, uri: `${repository}@${DIGEST}` });
    expect(await calls()).toEqual([
      `tag -- sha256:${'1'.repeat(64)} ${located.uri}`,
      `login --username AWS --password-stdin ${host}`,
      `push -- ${located.uri}`,
    ]);
    expect(await fs.readFile(path.join(dir, 'password.txt'), 'utf8')).not.toBe('');
    expect(await store.knownDigest(located)).toBe(DIGEST);
  });

  it('logs in again when the login has expired', async () => {
    const { dir, store, calls } = await open();
    await fs.writeFile(path.join(dir, 'expired'), '');
    await store.push(locate(store, dir, await managedRepository('expired', 'Child/G')));
    expect((await calls()).map((line) => line.split(' ')[0])).toEqual(['tag', 'login', 'push', 'login', 'push']);
  });

  it.each([
    ['locked', /^docker could not log in to .*: error storing credentials: locked$/],
    ['silent', /^docker reports no digest for .*:f-111111111111-latest$/],
  ])('what docker does not do is said: %s', async (state, message) => {
    const { dir, store } = await open();
    await fs.writeFile(path.join(dir, state), '');
    await expect(store.push(locate(store, dir, await managedRepository(state, 'F')))).rejects.toThrow(message);
  });

  it('a repository that is not there is told before anything is sent', async () => {
    const { dir, store, calls } = await open();
    await expect(store.push(locate(store, dir, `${host}/none`))).rejects.toMatchObject({
      message: `Repository ${host}/none does not exist`,
      hint: expect.stringContaining('aws ecr create-repository --region us-east-1 --repository-name none'),
    });
    expect(await calls()).toEqual([]);
  });

  it('what ECR has is not sent, and its digest is known before anything is pushed', async () => {
    const { dir, store, calls } = await open();
    const { client, send, DescribeImagesCommand } = await aws.ecr();
    const image = { imageTag: 'f-111111111111-latest', imageManifest: JSON.stringify({ schemaVersion: 2 }) };
    await client.send(new CreateRepositoryCommand({ repositoryName: 'there' }));
    await client.send(new PutImageCommand({ repositoryName: 'there', ...image }));
    const { imageDetails } = await send(new DescribeImagesCommand({ repositoryName: 'there' }));
    const digest = imageDetails?.[0]?.imageDigest;
    const located = locate(store, dir, `${host}/there`);
    expect(await store.knownDigest(located)).toBe(digest);
    expect(await store.push(located)).toEqual({ digest, uri: `${host}/there@${digest}` });
    expect(await calls()).toEqual([]);
  });

  it('a code sync to a managed repository makes it; the next one goes where the image is', async () => {
    const { dir: tools, calls } = await open();
    const app = await createCodeApp({ ...cloud.env, PATH: `${tools}:${process.env['PATH']}` }, APP, {
      stackName: 'app',
    });
    onTestFinished(() => app.remove());
    const { lambda } = clients(cloud.endpoint);
    const imageOf = async (): Promise<string | undefined> =>
      (await lambda.send(new GetFunctionCommand({ FunctionName: 'the-function' }))).Code?.ImageUri;
    await (await aws.ecr()).client.send(new CreateRepositoryCommand({ repositoryName: 'before' }));
    await app.plain({ imageRepository: `${host}/before` });
    expect(await imageOf()).toBe(`${host}/before:f-222222222222-latest`);
    const moved = await app.code(['F'], { resolveImageRepos: true });
    expect(moved.outcomes, moved.notes.join('\n')).toEqual({ F: 'synced' });
    const managed = managedRepositoryUri('app', 'F', { account: ACCOUNT, region });
    expect(await imageOf()).toBe(`${managed}@${DIGEST}`);
    const before = (await calls()).length;
    expect((await app.code(['F'])).outcomes).toEqual({ F: 'unchanged' });
    expect((await calls()).slice(before)).not.toContainEqual(expect.stringMatching(/^push/));
    const { send, DescribeStacksCommand } = await aws.cloudFormation();
    const companion = await send(new DescribeStacksCommand({ StackName: companionStackName('app') }));
    expect(companion.Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE');
  });

  it('an image that the repository lost is pushed again before the next deployment, and only then', async () => {
    const { dir: tools, calls } = await open();
    const files = (memory: number) => ({
      ...APP,
      'template.yaml': APP['template.yaml'].replace('the-function', `lost, MemorySize: ${memory}`),
    });
    const app = await createCodeApp({ ...cloud.env, PATH: `${tools}:${process.env['PATH']}` }, files(128), {
      stackName: 'lost',
      imageRepository: `${host}/lost`,
    });
    onTestFinished(() => app.remove());
    const { client } = await aws.ecr();
    await client.send(new CreateRepositoryCommand({ repositoryName: 'lost' }));
    const pushes = async (): Promise<number> => (await calls()).filter((line) => line.startsWith('push')).length;
    const deploy = async (memory: number): Promise<void> => {
      await app.write(files(memory));
      expect((await app.plain()).way).toBe('deploy');
    };
    await app.plain();
    expect(await pushes()).toBe(1);
    // the docker of this test sends nothing: so the repository does not have it, as if a lifecycle rule had removed it
    await deploy(256);
    expect(await pushes()).toBe(2);
    const image = {
      imageTag: 'f-222222222222-latest',
      imageManifest: JSON.stringify({ schemaVersion: 2, of: 'lost' }),
    };
    await client.send(new PutImageCommand({ repositoryName: 'lost', ...image }));
    await deploy(512);
    expect(await pushes()).toBe(2);
  });

  it.each([
    ['writes it to a file', 'echo -n "$FILE" > "${2#*=}"', `127.0.0.1:1/f@${DIGEST}`],
    [
      'is too old to, on another machine',
      "echo 'Error: unknown flag: --digestfile' >&2; exit 125",
      'podman reports no digest for 127.0.0.1:1/f:f-111111111111-latest',
    ],
  ])('Podman remembers another digest than that of the registry: it %s', async (_what, script, expected) => {
    const dir = await tempFolder({
      podman: `#!/bin/sh\nFILE=${DIGEST}\ncase "$*" in\n  push*digestfile*) shift; ${script};;\n  image*) echo 127.0.0.1:1/f@sha256:other;;\nesac\n`,
    });
    await fs.chmod(path.join(dir, 'podman'), 0o755);
    const { signal } = new AbortController();
    const store = createImageStore({ aws, env: { PATH: dir }, reporter: silent, signal });
    const located = locate(store, dir, '127.0.0.1:1/f');
    expect(await store.knownDigest(located)).toBeUndefined();
    const pushed = store.push(located).then(
      ({ uri }) => uri,
      (error: Error) => error.message,
    );
    expect(await pushed).toBe(expected);
  });

  it('a push over a connection that is cut reports success without a digest: it is none', async () => {
    const { dir, store } = await open({ DOCKER_HOST: 'tcp://far:2375' });
    await writeFiles(dir, { silent: '' });
    await expect(store.push(locate(store, dir, 'localhost:5000/f'))).rejects.toThrow(
      'The connection to Docker at tcp://far:2375 was lost during docker push localhost:5000/f:f-111111111111-latest',
    );
  });

  it('another registry is logged in to by the user', async () => {
    const { dir, store, calls } = await open();
    await store.push(locate(store, dir, 'localhost:5000/f'));
    expect((await calls()).map((line) => line.split(' ')[0])).toEqual(['tag', 'push']);
  });
});

it('images are built by BuildKit where it is, without what Lambda does not take', async () => {
  const docker = `#!/bin/sh
case "$1 $2" in
  "network ls") echo bridge;;
  "buildx version") echo v1;;
  "buildx build" | "build "*) while [ "$1" != --iidfile ]; do shift; done; echo "sha256:$GREETING" > "$2";;
esac
`;
  const dir = await tempFolder({
    docker,
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image, Architectures: [arm64] }
    Metadata: { DockerContext: ., DockerBuildArgs: { GREETING: hi }, DockerBuildExtraParams: [--ssh, default] }
`,
    Dockerfile: 'FROM scratch',
  });
  await fs.chmod(path.join(dir, 'docker'), 0o755);
  const app = await buildApp(dir, { env: { PATH: `${dir}:/usr/bin:/bin` } });
  expect(app.failures).toEqual([]);
  expect(app.commands).toEqual([
    expect.stringMatching(
      /^docker buildx build --load --provenance=false --sbom=false --progress=plain --platform linux\/arm64 --file \S+Dockerfile --iidfile \S+ --build-arg=GREETING --ssh default \S+$/,
    ),
  ]);
  // the value came through the environment
  expect(app.result.images.get('F')).toMatchObject({ imageId: 'sha256:hi', name: 'f:latest' });
  const classic = await buildApp(dir, { env: { PATH: `${dir}:/usr/bin:/bin`, DOCKER_BUILDKIT: '0' } });
  expect(classic.commands).toEqual([expect.stringMatching(/^docker build --platform /)]);
});

it('a saved image is known by what was loaded, also if another one gets its name at that moment', async () => {
  // names are files; the answer to what was loaded takes a while
  const docker = `#!/bin/sh
cd "$(dirname "$0")"
case "$1" in
  network) echo bridge;;
  buildx) exit 1;;
  build) while [ "$1" != --iidfile ]; do shift; done; while [ ! -f loaded ]; do :; done; printf sha256:built > "$2";;
  load) printf sha256:saved > f:latest; touch loaded; echo 'Loaded image: f:latest';;
  image) sleep 0.3; cat "$6";;
  tag) printf "$3" > "$4";;
esac
`;
  const dir = await tempFolder({
    docker,
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image }
    Metadata: { DockerContext: context }
  Saved:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image, ImageUri: saved.tar }
`,
    'context/Dockerfile': 'FROM scratch',
    'saved.tar': '',
  });
  await fs.chmod(path.join(dir, 'docker'), 0o755);
  const { result, failures } = await buildApp(dir, { env: { PATH: `${dir}:/usr/bin:/bin` } });
  expect(failures).toEqual([]);
  expect(['F', 'Saved'].map((id) => result.images.get(id)?.imageId)).toEqual(['sha256:built', 'sha256:saved']);
});

it.each([
  ['says of no image that it is in it', '[ "$1" != buildx ]', /saved\.tar contains no image$/],
  [
    'cannot give it its name',
    'case "$1" in load) echo "Loaded image: a";; image) echo sha256:1;; *) [ "$1" = network ];; esac',
    /^The image cannot be tagged f:latest/,
  ],
])('a saved image, of which docker %s', async (_name, script, message) => {
  const docker = `#!/bin/sh\n${script}\n`;
  const dir = await tempFolder({
    docker,
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: AWS::Serverless::Function, Properties: { PackageType: Image, ImageUri: saved.tar } }
`,
    'saved.tar': '',
  });
  await fs.chmod(path.join(dir, 'docker'), 0o755);
  const { failures } = await buildApp(dir, { env: { PATH: `${dir}:/usr/bin:/bin` } });
  expect(failures).toMatchObject([{ message: expect.stringMatching(message) }]);
});

it('an image of another processor is not what is built in', async () => {
  const docker = `#!/bin/sh
case "$1" in image) echo sha256:1 arm64;; esac
`;
  const dir = await tempFolder({
    docker,
    'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: AWS::Serverless::Function, Properties: { CodeUri: f, Handler: app.handler, Runtime: python3.11 } }
`,
    'f/app.py': '',
    'f/requirements.txt': 'six==1.17.0\n',
  });
  await fs.chmod(path.join(dir, 'docker'), 0o755);
  const container = { image: 'local/arm', images: {}, env: {}, envById: {} };
  const { failures } = await buildApp(dir, { env: { PATH: `${dir}:/usr/bin:/bin` }, container });
  expect(failures).toMatchObject([{ message: expect.stringMatching(/local\/arm does not support x86_64$/) }]);
});
