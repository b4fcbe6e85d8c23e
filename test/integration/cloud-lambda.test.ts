import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import {
  CreateFunctionCommand,
  DeleteLayerVersionCommand,
  GetFunctionConfigurationCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { takeViolations } from '../support/aws-contract.ts';
import { clients, deployTemplate, invoke, poll, startTestCloud, type TestCloud } from '../support/cloud.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { zipBytes, type ZipEntry } from '../support/zip-bytes.ts';

const BUCKET = 'code-bucket';
const ROLE = 'arn:aws:iam::000000000000:role/x';
const NO_SUCH_KEY = /NoSuchKey\. S3 Error Message: The specified key does not exist/;

let cloud: TestCloud;
let aws: ReturnType<typeof clients>;
let names = 0;

beforeAll(async () => {
  // long enough to be seen
  cloud = await startTestCloud({ SAM_SYNC_CLOUD_STATE_DELAY: '0.4' });
  aws = clients(cloud.endpoint);
  await aws.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const versioning = { Bucket: BUCKET, VersioningConfiguration: { Status: 'Enabled' as const } };
  await aws.s3.send(new PutBucketVersioningCommand(versioning));
});
afterAll(() => cloud.stop());

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('base64');
const python = (text: string) => zipBytes({ 'app.py': text });

/** A function that is ready to be invoked or changed. */
async function createFunction(
  code: Buffer,
  more: { Runtime?: 'nodejs20.x'; Handler?: string; Layers?: string[] } = {},
) {
  const FunctionName = `function-${++names}`;
  const input = { Runtime: 'python3.11' as const, Handler: 'app.handler', Role: ROLE, Timeout: 20, ...more };
  await aws.lambda.send(new CreateFunctionCommand({ FunctionName, Code: { ZipFile: code }, ...input }));
  await ready(FunctionName);
  return FunctionName;
}

const ready = (FunctionName: string) =>
  poll(async () => {
    const config = await aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    return config.LastUpdateStatus === 'InProgress' || config.State === 'Pending' ? undefined : config;
  });

async function publishLayer(entries: Record<string, ZipEntry>) {
  const Content = { ZipFile: zipBytes(entries) };
  const layer = await aws.lambda.send(new PublishLayerVersionCommand({ LayerName: `layer-${++names}`, Content }));
  return layer.LayerVersionArn!;
}

const executable = (text: string) => ({ text: `#!/bin/sh\necho ${text}\n`, mode: 0o100755 });

/** A stack with one function. */
const stackWith = (MemorySize: number) => ({
  Resources: {
    Fn: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Runtime: 'python3.11',
        Handler: 'index.handler',
        Role: ROLE,
        MemorySize,
        Code: { ZipFile: 'def handler(event, context): return 1' },
      },
    },
  },
  Outputs: { Name: { Value: { Ref: 'Fn' } } },
});

describe('changes of a function', () => {
  it('keeps it active, and refuses a second change until the first is done', async () => {
    const FunctionName = await createFunction(python('def handler(event, context): return 1'));
    const ZipFile = python('def handler(event, context): return 2');
    const answer = await aws.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
    expect(answer).toMatchObject({ State: 'Active', LastUpdateStatus: 'InProgress', CodeSha256: sha256(ZipFile) });
    const changes = [
      () => aws.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile })),
      () => aws.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 })),
      () => aws.lambda.send(new PublishVersionCommand({ FunctionName })),
    ];
    for (const change of changes) await expect(change()).rejects.toMatchObject({ name: 'ResourceConflictException' });
    const { RevisionId } = await ready(FunctionName);
    expect(RevisionId).not.toBe(answer.RevisionId);
    await aws.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 }));
    expect(await invoke(cloud.endpoint, FunctionName)).toBe(2);
  });

  it('lets invocations under way end', async () => {
    const folder = await tempFolder();
    const [begun, go] = [path.join(folder, 'begun'), path.join(folder, 'go')];
    const FunctionName = await createFunction(
      python(`import os, time
def handler(event, context):
    open(${JSON.stringify(begun)}, 'w').close()
    while not os.path.exists(${JSON.stringify(go)}):
        time.sleep(0.01)
    return 1
`),
    );
    const answer = invoke(cloud.endpoint, FunctionName);
    await poll(async () => ((await fs.readdir(folder)).includes('begun') ? true : undefined));
    const ZipFile = python('def handler(event, context): return 2');
    await aws.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
    await ready(FunctionName);
    await fs.writeFile(go, '');
    expect(await answer).toBe(1);
    expect(await invoke(cloud.endpoint, FunctionName)).toBe(2);
  });

  it('changes nothing in a dry run', async () => {
    const code = python('def handler(event, context): return 1');
    const FunctionName = await createFunction(code);
    const ZipFile = python('def handler(event, context): return 2');
    const answer = await aws.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, DryRun: true }));
    expect(answer.CodeSha256).toBe(sha256(ZipFile));
    expect((await ready(FunctionName)).CodeSha256).toBe(sha256(code));
  });

  it('refuses a request that is too large', async () => {
    const FunctionName = await createFunction(python('def handler(event, context): return 1'));
    const ZipFile = Buffer.alloc(53_000_000);
    await expect(aws.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }))).rejects.toMatchObject({
      name: 'RequestEntityTooLargeException',
    });
    expect(takeViolations()).toEqual([expect.stringContaining('ZipFile: is larger than 50 MB')]);
  });

  it('is ready when CloudFormation says that it is', async () => {
    await deployTemplate(cloud.endpoint, 'ready', stackWith(128));
    const { outputs } = await deployTemplate(cloud.endpoint, 'ready', stackWith(256));
    const config = await aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: outputs['Name'] }));
    expect(config).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful', MemorySize: 256 });
  });
});

describe('code that is not in the bucket', () => {
  const code = { S3Bucket: BUCKET, S3Key: 'missing' };

  it('is refused by the API', async () => {
    const FunctionName = await createFunction(python('def handler(event, context): return 1'));
    const calls = [
      () => aws.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ...code })),
      () => aws.lambda.send(new PublishLayerVersionCommand({ LayerName: 'missing', Content: code })),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(NO_SUCH_KEY);
  });

  it.each([
    ['AWS::Lambda::Function', { Runtime: 'python3.11', Handler: 'app.handler', Role: ROLE, Code: code }],
    ['AWS::Lambda::LayerVersion', { Content: code }],
  ])('fails the creation of an %s', async (Type, Properties) => {
    const template = { Resources: { It: { Type, Properties } } };
    const { status, events } = await deployTemplate(cloud.endpoint, `missing-${++names}`, template);
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(events.find((event) => event.ResourceStatus === 'CREATE_FAILED')?.ResourceStatusReason).toMatch(NO_SUCH_KEY);
  });
});

describe('layers', () => {
  it('are named by their ARN too', async () => {
    const arn = (await publishLayer({ 'python/a.py': '' })).replace(/:1$/, '');
    const second = await aws.lambda.send(
      new PublishLayerVersionCommand({ LayerName: arn, Content: { ZipFile: zipBytes({ 'python/b.py': '' }) } }),
    );
    expect(second.LayerVersionArn).toBe(`${arn}:2`);
    const versions = async (LayerName: string) =>
      (await aws.lambda.send(new ListLayerVersionsCommand({ LayerName }))).LayerVersions?.map((v) => v.Version);
    expect(await versions(arn)).toEqual([2, 1]);
    await aws.lambda.send(new DeleteLayerVersionCommand({ LayerName: arn, VersionNumber: 1 }));
    expect(await versions(arn.split(':').at(-1)!)).toEqual([2]);
  });

  it('come from the version of the object that the template names', async () => {
    const [old, latest] = [zipBytes({ 'python/a.py': 'old' }), zipBytes({ 'python/a.py': 'latest' })];
    const target = { Bucket: BUCKET, Key: 'layer' };
    const { VersionId } = await aws.s3.send(new PutObjectCommand({ ...target, Body: old }));
    await aws.s3.send(new PutObjectCommand({ ...target, Body: latest }));
    const Content = { S3Bucket: BUCKET, S3Key: 'layer', S3ObjectVersion: VersionId };
    const template = {
      Resources: { Layer: { Type: 'AWS::Lambda::LayerVersion', Properties: { LayerName: 'versioned', Content } } },
    };
    await deployTemplate(cloud.endpoint, 'versioned', template);
    const { LayerVersions } = await aws.lambda.send(new ListLayerVersionsCommand({ LayerName: 'versioned' }));
    const answer = await fetch(`${cloud.endpoint}/_ministack/lambda-layers/000000000000/us-east-1/versioned/1/content`);
    expect(LayerVersions).toHaveLength(1);
    expect(Buffer.from(await answer.arrayBuffer()).equals(old)).toBe(true);
  });
});

describe('the process of a function', () => {
  it('finds layers, permissions, links and variables as in Lambda', async () => {
    const source = `
import importlib.util, os, subprocess
import shared, deep, boto3

def run(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()

def handler(event, context):
    root = os.environ["LAMBDA_TASK_ROOT"]
    return {
        "shared": shared.PLACE,
        "deep": deep.PLACE,
        "tool of a layer": run("tool"),
        "own tool": run(os.path.join(root, "own.sh")),
        "link": os.path.islink(os.path.join(root, "link.py")),
        "packages of the emulator": [n for n in ("yaml", "pydantic", "hypercorn") if importlib.util.find_spec(n)],
        "variables": [os.environ.get(n) for n in ("_HANDLER", "AWS_EXECUTION_ENV", "TZ", "GATEWAY_PORT")],
    }
`;
    const layers = [
      await publishLayer({
        'bin/tool': executable('from the first layer'),
        'python/shared.py': 'PLACE = "layer"',
        'python/lib/python3.11/site-packages/deep.py': 'PLACE = "site-packages"',
      }),
      await publishLayer({ 'bin/tool': executable('from the second layer') }),
    ];
    const code = zipBytes({
      'app.py': source,
      'shared.py': 'PLACE = "function"',
      'own.sh': executable('own'),
      'link.py': { text: 'shared.py', mode: 0o120777 },
    });
    const name = await createFunction(code, { Layers: layers });
    expect(await invoke(cloud.endpoint, name)).toEqual({
      shared: 'function',
      deep: 'site-packages',
      'tool of a layer': 'from the second layer',
      'own tool': 'own',
      link: true,
      'packages of the emulator': [],
      variables: ['app.handler', 'AWS_Lambda_python3.11', ':UTC', null],
    });
  });

  it.each([
    ['require', { 'index.js': `exports.handler = async () => [require('a'), require('b')]` }],
    ['import', { 'index.mjs': `import a from 'a'; import b from 'b'; export const handler = async () => [a, b]` }],
  ])('takes node packages from the last layer that has them: %s', async (_how, files) => {
    const layers = [
      await publishLayer({
        'nodejs/node_modules/a/index.js': 'module.exports = "first"',
        'nodejs/node20/node_modules/b/index.js': 'module.exports = "of node20"',
      }),
      await publishLayer({ 'nodejs/node_modules/a/index.js': 'module.exports = "second"' }),
    ];
    const name = await createFunction(zipBytes(files), {
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Layers: layers,
    });
    expect(await invoke(cloud.endpoint, name)).toEqual(['second', 'of node20']);
  });

  it.skipIf(process.platform === 'win32')('runs a function with the Python of its runtime', async () => {
    // a Python 3.10 that tells itself apart, and a shim for 3.9 that fails as those of pyenv do
    const programs = await tempFolder({
      'python3.10': `#!/bin/sh\nRUN_BY=python3.10 exec python3 "$@"\n`,
      'python3.9': '#!/bin/sh\nexit 127\n',
    });
    for (const name of ['python3.10', 'python3.9']) await fs.chmod(path.join(programs, name), 0o755);
    const other = await startTestCloud({ PATH: `${programs}${path.delimiter}${process.env['PATH']}` });
    onTestFinished(() => other.stop());
    const ZipFile = python('import os\ndef handler(event, context): return os.environ.get("RUN_BY")');
    const run = async (Runtime: 'python3.10' | 'python3.9') => {
      const input = {
        FunctionName: Runtime.replace('.', ''),
        Runtime,
        Handler: 'app.handler',
        Role: ROLE,
        Timeout: 20,
      };
      await clients(other.endpoint).lambda.send(new CreateFunctionCommand({ ...input, Code: { ZipFile } }));
      return invoke(other.endpoint, input.FunctionName);
    };
    expect([await run('python3.10'), await run('python3.9')]).toEqual(['python3.10', null]);
  });
});
