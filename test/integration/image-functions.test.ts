import { GetAliasCommand, GetFunctionCommand } from '@aws-sdk/client-lambda';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAws } from '../../src/aws/aws.ts';
import { parseImageReference } from '../../src/model/image-reference.ts';
import { openCodeImages } from '../../src/services/lambda/code-images.ts';
import { buildApp, toolEnv } from '../support/build-app.ts';
import { clients, poll, silent, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { importImage, startTestEngine } from '../support/docker.ts';
import { countInterruptions } from '../support/interruption/containers.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';
import { isResource, startReadyWatch } from '../support/watch-cli.ts';

const engine = await startTestEngine();
const { unavailable } = engine;

const APP = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image, AutoPublishAlias: live }
    Metadata:
      DockerContext: hello
      Dockerfile: docker/Dockerfile
      DockerTag: v1
      DockerBuildTarget: second
      DockerBuildArgs: { SECRET_WORD: hunter2 }
  Plain:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: plain, Handler: app.handler, Runtime: python3.11 }
  Child:
    Type: AWS::Serverless::Application
    Properties: { Location: child/template.yaml }
Outputs:
  Hello: { Value: !Ref Hello }
  Nested: { Value: !GetAtt Child.Outputs.Nested }
`,
  'child/template.yaml': `Resources:
  Nested:
    Type: AWS::Lambda::Function
    Properties:
      PackageType: Image
      Code: { ImageUri: ../saved.tar }
      Role: arn:aws:iam::000000000000:role/lambda
Outputs:
  Nested: { Value: !Ref Nested }
`,
  'hello/docker/Dockerfile': `FROM local/base AS first
ARG SECRET_WORD
COPY . /app
RUN test -n "$SECRET_WORD"
FROM first AS second
CMD ["app.handler"]
FROM no/such/image
`,
  'plain/app.py': 'def handler(event, context): return 0\n',
  'hello/app.py': 'def handler(event, context): return 1\n',
  'hello/notes.md': 'not in the image',
  'hello/.dockerignore': '*.md\n!README.md\n',
};

describe.skipIf(unavailable !== undefined)(`image functions${unavailable ? ` (${unavailable})` : ''}`, () => {
  const { docker, registry, env: engineEnv } = engine;
  let cloud: TestCloud;
  let proxy: FaultProxy;
  let dir: string;
  beforeAll(async () => {
    cloud = await startTestCloud();
    proxy = await startFaultProxy(cloud.endpoint);
    await importImage(engine, 'local/base');
  });
  // the registry, the stack and Docker's own cache stay
  beforeEach(async () => {
    dir = await tempFolder(APP);
    await docker('save', '--output', path.join(dir, 'saved.tar'), 'local/base');
    await docker('tag', 'local/base', 'my-local-image:v1');
  });
  afterAll(async () => {
    await proxy?.stop();
    await cloud?.stop();
    await engine.stop();
  });

  const run = (...args: string[]) =>
    runCli(['--stack-name', 'images', '--yes', '--output', 'json', '--debug', ...args], {
      cwd: dir,
      env: { ...process.env, ...cloud.env, ...engineEnv, AWS_ENDPOINT_URL: proxy.endpoint },
    });
  const repositories = (): string[] => [
    '--image-repositories',
    `Hello=${registry}/team/hello`,
    '--image-repositories',
    `Child/Nested=${registry}/nested`,
  ];
  const sync = async (): Promise<{ document: { status: string; outputs: Record<string, string> }; stderr: string }> => {
    const { code, stdout, stderr } = await run(...repositories());
    expect(code, stderr).toBe(0);
    return { document: JSON.parse(stdout), stderr };
  };
  const imageOf = async (name: string): Promise<string | undefined> =>
    (await clients(cloud.endpoint).lambda.send(new GetFunctionCommand({ FunctionName: name }))).Code?.ImageUri;
  const digestOf = async (name: string): Promise<string> => {
    const uri = await imageOf(name);
    return /@(sha256:[0-9a-f]{64})$/.exec(uri ?? '')?.[1] ?? `no digest in ${uri}`;
  };
  /** What was changed in the cloud meanwhile. */
  const changesDuring = async (act: () => Promise<unknown>): Promise<string[]> => {
    const before = proxy.calls.length;
    await act();
    const reading = /^(Get|List|Describe|Head)/;
    return proxy.calls.slice(before).flatMap(({ operation }) => (reading.test(operation) ? [] : [operation]));
  };
  const manifest = async (uri: string): Promise<number> => {
    const { repository: name, tag, digest } = parseImageReference(uri);
    const repository = name.slice(name.indexOf('/') + 1);
    const accept = 'application/vnd.docker.distribution.manifest.v2+json';
    return (await fetch(`http://${registry}/v2/${repository}/manifests/${digest ?? tag}`, { headers: { accept } }))
      .status;
  };

  it('builds, loads, pushes and deploys; what is unchanged is neither built nor pushed', async () => {
    await cloud.reset();
    const { document, stderr } = await sync();
    expect(stderr).not.toContain('hunter2');
    const { Hello = '', Nested = '' } = document.outputs;
    const uri = await imageOf(Hello);
    // defect 19: a port in the repository's name
    expect(uri).toMatch(new RegExp(`^${registry}/team/hello:hello-[0-9a-f]{12}-v1$`));
    expect(await imageOf(Nested)).toMatch(new RegExp(`^${registry}/nested:child-nested-[0-9a-f]{12}-latest$`));
    expect(await manifest(uri ?? '')).toBe(200);
    // as the peer leaves it: its other commands find the image by that name
    expect(await fs.readFile(path.join(dir, '.aws-sam/auto-dependency-layer/template.yaml'), 'utf8')).toContain(
      'ImageUri: hello:v1',
    );
    const named = (): Promise<string> => docker('image', 'inspect', '--format', '{{.Id}} {{.Config.Cmd}}', 'hello:v1');
    const first = await named();
    expect(first).toContain('app.handler');

    await writeFiles(dir, { 'hello/notes.md': 'changed, and still not in the image' });
    const again = await sync();
    expect(again.document.status).toBe('unchanged');
    expect(again.stderr).not.toMatch(/\$ docker (?:build|load|push)/);

    await writeFiles(dir, { 'hello/app.py': 'def handler(event, context): return 2\n' });
    // only the image is another one: that needs no deployment
    expect((await sync()).document.status).toBe('synced');
    const changed = await imageOf(Hello);
    expect(changed).not.toBe(uri);
    expect(await manifest(changed ?? '')).toBe(200);
    expect(await named()).not.toBe(first);

    await writeFiles(dir, { 'hello/app.py': APP['hello/app.py'] });
    const back = await sync();
    expect(back.document.status).toBe('synced');
    expect(back.stderr).not.toMatch(/\$ docker (?:build|load|push)/);
    // `sam local invoke` runs what is deployed
    expect(await named()).toBe(first);
  });

  it('an image is built again when its base image is another one', async () => {
    const rebase = async (text: string): Promise<void> => {
      const folder = await tempFolder({ Dockerfile: `FROM local/base\nENV BASE=${text}\n` });
      await docker('build', '--tag', 'local/own-base', folder);
    };
    await rebase('one');
    await writeFiles(dir, { 'hello/docker/Dockerfile': 'FROM local/own-base AS second\nCOPY . /app\n' });
    await sync();
    const again = await sync();
    expect(again.document.status).toBe('unchanged');
    expect(again.stderr).not.toMatch(/\$ docker (?:build|push)/);
    await rebase('two');
    expect((await sync()).document.status).toBe('synced');
    expect(await docker('image', 'inspect', '--format', '{{.Config.Env}}', 'hello:v1')).toContain('BASE=two');
    expect((await sync()).document.status).toBe('unchanged');
  });

  it('a code sync gets the digest that the registry has, in the repository of the function’s image', async () => {
    const { root, result } = await buildApp(dir, { env: toolEnv(engineEnv) });
    const fn = root.functions[0]!;
    const image = result.images.get('Hello')!;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const aws = createAws({ env: {}, region: 'us-east-1', endpoint: cloud.endpoint, credentials, reporter: silent });
    const options = { stackName: 's', imageRepository: undefined, imageRepositories: {}, resolveImageRepos: false };
    const environment = { reporter: silent, signal: new AbortController().signal, env: toolEnv(engineEnv) };
    const place = { account: '000000000000', region: 'us-east-1' };
    const images = openCodeImages({ options, environment, aws }, root);
    const currentUri = `${registry}/other/hello@sha256:${'0'.repeat(64)}`;
    const located = images.locate(fn, image, { place, currentUri });
    expect(await images.knownDigest(located)).toBeUndefined();
    const pushed = await images.push(located);
    const response = await fetch(`http://${registry}/v2/other/hello/manifests/${pushed.digest}`, {
      headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    });
    expect(response.headers.get('docker-content-digest')).toBe(pushed.digest);
    expect(pushed.uri).toBe(`${registry}/other/hello@${pushed.digest}`);
    expect(await images.knownDigest(located)).toBe(pushed.digest);
    await aws.close();
  });

  describe('code syncs', () => {
    interface Synced {
      status: string;
      resources: { id: string; outcome: string; detail?: string; error?: string; hint?: string }[];
    }
    const V1 = 'def handler(event, context): return 10\n';
    const V2 = 'def handler(event, context): return 20\n';
    let hello: string;
    let nested: string;
    beforeEach(async () => {
      // the templates name what is deployed
      const { Hello = '', Nested = '' } = (await sync()).document.outputs;
      [hello, nested] = [Hello, Nested];
    });
    const codeSync = async (...args: string[]): Promise<Synced & { code: number | null; stderr: string }> => {
      const { code, stdout, stderr } = await run('--code', ...args);
      return { ...(JSON.parse(stdout) as Synced), code, stderr };
    };
    it('brings a changed context by digest, to the repository that the function’s image is in; then it is left alone', async () => {
      await writeFiles(dir, { 'hello/app.py': V1 });
      const before = await imageOf(hello);
      let synced = await codeSync('--resource-id', 'Hello', '--dry-run');
      expect(synced.resources).toEqual([expect.objectContaining({ id: 'Hello', action: 'update' })]);
      expect(synced.stderr).toContain('Hello would be synced: image, version for live');
      expect(await imageOf(hello)).toBe(before);
      const changes = await changesDuring(async () => (synced = await codeSync('--resource-id', 'Hello')));
      expect(synced.resources, synced.stderr).toMatchObject([
        { id: 'Hello', outcome: 'synced', detail: 'image, version for live' },
      ]);
      expect(changes).toEqual(['UpdateFunctionCode', 'PublishVersion', 'UpdateAlias']);
      const first = await imageOf(hello);
      expect(first).toMatch(new RegExp(`^${registry}/team/hello@sha256:[0-9a-f]{64}$`));
      const { lambda } = clients(cloud.endpoint);
      const alias = await lambda.send(new GetAliasCommand({ FunctionName: hello, Name: 'live' }));
      const version = new GetFunctionCommand({ FunctionName: hello, Qualifier: alias.FunctionVersion });
      expect((await lambda.send(version)).Code?.ImageUri).toBe(first);

      let again = await codeSync('--resource-id', 'Hello');
      expect(await changesDuring(async () => (again = await codeSync()))).toEqual([]);
      expect(again).toMatchObject({ status: 'unchanged', code: 0 });
      expect(again.stderr).not.toMatch(/\$ docker|the image of Hello/);

      await writeFiles(dir, { 'hello/app.py': V2 });
      await codeSync('--resource-id', 'Hello');
      expect(await digestOf(hello)).not.toBe(first?.split('@')[1]);
      await writeFiles(dir, { 'hello/app.py': V1 });
      const back = await codeSync('--resource-id', 'Hello');
      expect(back.resources).toMatchObject([{ outcome: 'synced' }]);
      expect(back.stderr).not.toMatch(/\$ docker build/);
      expect(await imageOf(hello)).toBe(first);
    });

    it('a function in a nested stack, from a saved image', async () => {
      const before = await imageOf(nested);
      await docker('save', '--output', path.join(dir, 'saved.tar'), 'hello:v1');
      const synced = await codeSync('--resource-id', 'Child/Nested');
      expect(synced.resources, synced.stderr).toMatchObject([{ id: 'Child/Nested', outcome: 'synced' }]);
      expect(await imageOf(nested)).toMatch(new RegExp(`^${registry}/nested@sha256:[0-9a-f]{64}$`));
      expect(await imageOf(nested)).not.toBe(before);
      expect(await codeSync('--resource-id', 'Child/Nested')).toMatchObject({ status: 'unchanged' });
    });

    it('a plain sync with unchanged templates brings an image without a deployment', async () => {
      await writeFiles(dir, { 'hello/app.py': V2 });
      let synced: Awaited<ReturnType<typeof sync>> | undefined;
      const changes = await changesDuring(async () => (synced = await sync()));
      expect(synced?.document.status).toBe('synced');
      expect(changes).toEqual(['UpdateFunctionCode', 'PublishVersion', 'UpdateAlias']);
      expect(await digestOf(hello)).toMatch(/^sha256:/);
      expect((await sync()).document.status).toBe('unchanged');
    });

    it('a repository that is not there is told, and nothing is changed', async () => {
      const repository = '000000000000.dkr.ecr.us-east-1.amazonaws.com/none';
      let failed: Synced | undefined;
      const changes = await changesDuring(async () => {
        failed = await codeSync('--resource-id', 'Hello', '--image-repository', repository);
      });
      expect(failed).toMatchObject({
        status: 'failed',
        code: 1,
        resources: [{ outcome: 'failed', error: expect.stringContaining(`Repository ${repository} does not exist`) }],
      });
      expect(changes).toEqual([]);
    });

    it('another package type has to be deployed first', async () => {
      const template = APP['template.yaml'];
      const zip = 'Properties: { CodeUri: plain, Handler: app.handler, Runtime: python3.11 }';
      const image = 'Properties: { PackageType: Image }\n    Metadata: { DockerContext: plain }';
      await writeFiles(dir, { 'template.yaml': template.replace(zip, image), 'plain/Dockerfile': 'FROM local/base\n' });
      const failed = await codeSync('--resource-id', 'Plain');
      await writeFiles(dir, { 'template.yaml': template });
      expect(failed.resources).toMatchObject([
        { outcome: 'failed', error: 'Plain has the package type Zip in the cloud, but Image in the template' },
      ]);
    });

    it('watch: a saved file of the context', async () => {
      const watch = await startReadyWatch(dir, { ...cloud.env, ...engineEnv }, [
        '--stack-name',
        'images',
        ...repositories(),
      ]);
      const before = await imageOf(hello);
      await watch.save('hello/app.py', 'def handler(event, context): return 30\n', 'Hello');
      expect(await digestOf(hello)).not.toBe(before?.split('@')[1]);
      expect(await digestOf(hello)).toMatch(/^sha256:/);
      const last = await imageOf(hello);
      await watch.save('hello/docker/Dockerfile', (text) => text.replace('app.handler', 'app.other'), 'Hello');
      expect(await imageOf(hello)).not.toBe(last);
      expect(watch.lines.filter(isResource('Hello', 'failed'))).toEqual([]);
      expect(await watch.stop()).toMatchObject({ code: 0 });
    });
  });

  it('what the registry has is not sent again when everything here is lost', async () => {
    await sync();
    await fs.rm(path.join(dir, '.aws-sam'), { recursive: true });
    const { document, stderr } = await sync();
    expect(document, stderr).toMatchObject({ status: 'unchanged' });
  });

  it.each([
    [[], /Hello, Child\/Nested are image functions, but no image repository was given/],
    [['--image-repositories', 'Helo=localhost:5000/hello'], /names Helo, .*Did you mean Hello\?/s],
    [['--image-repository', 'localhost:1/hello'], /Docker could not reach the registry of localhost:1\/hello/],
  ])('one sentence for %j', async (args, message) => {
    await writeFiles(dir, { 'hello/app.py': `# ${args.join(' ')}\n` });
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  const interrupted = countInterruptions('test/integration/image-functions.test.ts', 'a build of an image');
  it.each(interrupted.signals)('%s in the middle of a build: nothing is left running', async (signal) => {
    interrupted.begun();
    await sync();
    await writeFiles(dir, {
      'hello/app.py': `# ${signal}\n`,
      'hello/docker/Dockerfile': 'FROM local/base AS second\nCOPY . /app\nRUN echo begun; sleep 600\n',
    });
    // builds that failed leave theirs
    const before = await engine.containers();
    const begun = async () => (await engine.containers()).filter((name) => !before.includes(name));
    const { code } = await runCli(['--stack-name', 'images', '--code', '--resource-id', 'Hello', '--yes'], {
      cwd: dir,
      env: { ...cloud.env, ...engineEnv },
      onStart: (child) => {
        void poll(async () => (await begun())[0]).then(() => child.kill(signal));
      },
    });
    expect(code).toBe(signal === 'SIGKILL' ? null : 130);
    await poll(async () => ((await begun()).length === 0 ? true : undefined));
    await writeFiles(dir, { 'hello/docker/Dockerfile': 'FROM local/base AS second\nCOPY . /app\n' });
    const next = await run('--code', '--resource-id', 'Hello');
    expect(next.code, next.stderr).toBe(0);
    expect(JSON.parse(next.stdout)).toMatchObject({ status: 'synced' });
    interrupted.passed();
  });

  describe('an image that only the engine has', () => {
    let app: string;
    const local = (...args: string[]) =>
      runCli(['--stack-name', 'local', '--yes', '--output', 'json', ...args], {
        cwd: app,
        env: { ...cloud.env, ...engineEnv },
      });
    const syncLocal = async (...args: string[]) => {
      const { code, stdout, stderr } = await local('--image-repository', `${registry}/own`, ...args);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout) as { status: string; outputs: Record<string, string> };
    };
    beforeEach(async () => {
      const id = await docker('image', 'inspect', '--format', '{{.Id}}', 'local/base');
      app = await tempFolder({
        'template.yaml': `Resources:
  Named:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image, ImageUri: my-local-image:v1 }
  Id:
    Type: AWS::Lambda::Function
    Properties:
      PackageType: Image
      Code: { ImageUri: '${id}' }
      Role: arn:aws:iam::000000000000:role/lambda
Transform: AWS::Serverless-2016-10-31
Outputs:
  Named: { Value: !Ref Named }
  Id: { Value: !Ref Id }
`,
      });
    });

    it('is pushed to the repository, under the name that AWS SAM CLI gives it', async () => {
      const { Named = '', Id = '' } = (await syncLocal()).outputs;
      const uri = await imageOf(Named);
      expect(uri).toMatch(new RegExp(`^${registry}/own:my-local-image-[0-9a-f]{12}-v1$`));
      expect(await imageOf(Id)).toMatch(new RegExp(`^${registry}/own:Id-[0-9a-f]{12}-latest$`));
      expect(await manifest(uri ?? '')).toBe(200);
      expect(await syncLocal()).toMatchObject({ status: 'unchanged' });
      // another image gets the name
      const folder = await tempFolder({ Dockerfile: 'FROM local/base\nCMD ["other"]\n' });
      await docker('build', '--tag', 'my-local-image:v1', folder);
      expect(await syncLocal('--code')).toMatchObject({ status: 'synced' });
      expect(await digestOf(Named)).toMatch(/^sha256:/);
    });

    it('a watch notices that its name stands for another image', async () => {
      await syncLocal();
      const watch = await startReadyWatch(app, { ...cloud.env, ...engineEnv }, [
        '--stack-name',
        'local',
        '--image-repository',
        `${registry}/own`,
      ]);
      const folder = await tempFolder({ Dockerfile: 'FROM local/base\nCMD ["watched"]\n' });
      const from = watch.lines.length;
      // once more until the watch has looked at the first image
      await poll(async () => {
        await writeFiles(folder, { Dockerfile: `FROM local/base\nCMD ["${Math.random()}"]\n` });
        await docker('build', '--tag', 'my-local-image:v1', folder);
        return watch.lines.slice(from).some(({ event }) => event === 'changed') || undefined;
      });
      expect(await watch.seen(({ event }) => event === 'changed', from)).toMatchObject({
        files: ['my-local-image:v1'],
        resources: ['Named'],
      });
      expect(await watch.seen(isResource('Named', 'in-sync'), from)).toMatchObject({ changed: true });
      expect(await watch.stop()).toMatchObject({ code: 0 });
    });

    it('is told if it is not there, or if nothing says where it goes', async () => {
      await writeFiles(app, {
        'template.yaml': `Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: { PackageType: Image, Code: { ImageUri: no-such-image:v1 }, Role: arn:aws:iam::000000000000:role/l }
`,
      });
      const missing = await local('--image-repository', `${registry}/own`);
      expect(missing).toMatchObject({ code: 1 });
      expect(missing.stderr).toContain(
        'F: docker has no image no-such-image:v1, and the file no-such-image:v1 does not exist',
      );
      const nowhere = await local();
      expect(nowhere).toMatchObject({ code: 1 });
      expect(nowhere.stderr).toContain('repository');
    });
  });

  it('a Dockerfile that is wrong, or not there', async () => {
    await writeFiles(dir, { 'hello/docker/Dockerfile': 'FROM local/base AS second\nRUN exit 3\n' });
    const failed = await run(...repositories());
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('docker build failed');
    expect(failed.stderr).toContain('exit 3');
    await fs.rm(path.join(dir, 'hello/docker'), { recursive: true });
    const missing = await run(...repositories());
    expect(missing.stderr).toMatch(/Hello: \S+ does not exist\b/);
  });
});
