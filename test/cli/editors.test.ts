import {
  GetFunctionConfigurationCommand,
  PublishLayerVersionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { clients, poll } from '../support/cloud.ts';
import { createCodeApp } from '../support/code-app.ts';
import { runAsJetBrains, runAsVsCode } from '../support/editor.ts';
import { openCloud } from '../support/open-cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: dev }
  Words: { Type: String, Default: none }
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: nodejs22.x
      Environment: { Variables: { STAGE: !Ref Stage, WORDS: !Ref Words } }
`;
const FILES = { 'template.yaml': TEMPLATE, 'src/app.js': 'exports.handler = async () => 1;\n' };
const BUCKET = 'editors-bucket';
const REPOSITORY = '123456789012.dkr.ecr.us-east-1.amazonaws.com/repo';

type Cloud = Awaited<ReturnType<typeof openCloud>>['cloud'];
let cloud: Cloud;
let count = 0;

beforeAll(async () => {
  ({ cloud } = await openCloud());
  await clients(cloud.endpoint).s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});

/** An application that nobody has synced, with a name for its stack. */
async function newApp(files: Readonly<Record<string, string>> = FILES) {
  const cwd = await tempFolder(files);
  const env = { ...cloud.env, SAM_CLI_POLL_DELAY: '0.1', __SAM_CLI_APP_DIR: path.join(cwd, 'home') };
  return { cwd, env, stack: `editor${++count}`, template: path.join(cwd, 'template.yaml') };
}

async function describeStack(StackName: string) {
  const { Stacks = [] } = await clients(cloud.endpoint).cloudformation.send(new DescribeStacksCommand({ StackName }));
  const [stack] = Stacks;
  return {
    parameters: Object.fromEntries((stack?.Parameters ?? []).map((one) => [one.ParameterKey, one.ParameterValue])),
    tags: Object.fromEntries((stack?.Tags ?? []).map((one) => [one.Key, one.Value])),
  };
}

describe('JetBrains IDEs', () => {
  it('answer the question, and pass quotes inside the words', async () => {
    const { cwd, env, stack, template } = await newApp();
    const args = ['sync', '--stack-name', stack, '--template-file', template, '--s3-bucket', BUCKET];
    args.push('--image-repository', REPOSITORY);
    args.push('--capabilities', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND');
    args.push('--parameter-overrides', '"Stage"="prod x=1"', `"Words"='"quoted"'`);
    args.push('--tags', '"team"="a b"', '"x"="y=z"', '--no-dependency-layer', '--no-watch');
    const { code, stderr, answers } = await runAsJetBrains(args, { cwd, env });
    expect(code, stderr).toBe(0);
    expect(answers).toBe(1);
    expect(stderr).toContain('Stack creation succeeded. Sync infra completed.');
    expect(await describeStack(stack)).toEqual({
      parameters: { Stage: 'prod x=1', Words: '"quoted"' },
      tags: { team: 'a b', x: 'y=z' },
    });
  });
});

describe('VS Code', () => {
  /** Its command line, in its order; what the user chose comes last. */
  const commandLine = (app: Awaited<ReturnType<typeof newApp>>, ...chosen: string[]): string[] => {
    const words = ['sync', '--template', app.template, '--s3-bucket', BUCKET, '--image-repository', REPOSITORY];
    return words.concat('--stack-name', app.stack, '--region', 'us-east-1', '--no-dependency-layer', chosen);
  };

  it('syncs with what its wizard asks, saves it and syncs from the samconfig', async () => {
    const app = await newApp();
    const overrides = 'ParameterKey=Stage,ParameterValue=prod ParameterKey=Words,ParameterValue="a b"';
    const first = await runAsVsCode(
      commandLine(app, '--save-params', '--parameter-overrides', overrides, '--no-watch', '--beta-features'),
      app,
    );
    expect(first.code, first.stderr).toBe(0);
    expect((await describeStack(app.stack)).parameters).toEqual({ Stage: 'prod', Words: 'a b' });
    const config = path.join(app.cwd, 'samconfig.toml');
    expect(await fs.readFile(config, 'utf8')).toContain(`stack_name = "${app.stack}"`);
    const words = ['sync', '--template', app.template, '--no-dependency-layer', '--config-file', config, '--no-watch'];
    const second = await runAsVsCode(words, app);
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toContain(`Stack ${app.stack} is up to date`);
  });

  it.each([
    '--build-in-source',
    '--code --debug',
    '--build-in-source --code --skip-deploy-sync --save-params --beta-features --debug',
  ])('syncs with %s', async (chosen) => {
    const flags = chosen.split(' ');
    const app = await newApp();
    if (flags.includes('--code')) expect((await runAsVsCode(commandLine(app, '--no-watch'), app)).code).toBe(0);
    const { code, stderr } = await runAsVsCode(commandLine(app, '--no-watch', ...flags), app);
    expect(code, stderr).toBe(0);
  });

  it('the last of two contrary flags wins', async () => {
    const app = await newApp({
      'template.yaml': TEMPLATE,
      'src/app.js': 'exports.handler = async () => require("x");\n',
      'src/package.json': '{"name": "fn", "version": "1.0.0", "dependencies": {"x": "file:./x"}}',
      'src/x/package.json': '{"name": "x", "version": "1.0.0"}',
      'src/x/index.js': 'module.exports = 1;\n',
    });
    const layers = async (...flags: string[]): Promise<number> => {
      const { code, stderr } = await runAsVsCode(commandLine(app, ...flags), app);
      expect(code, stderr).toBe(0);
      return (await fs.readdir(path.join(app.cwd, '.aws-sam'))).includes('auto-dependency-layer') ? 1 : 0;
    };
    expect(await layers('--no-watch')).toBe(0);
    expect(await layers('--watch', '--no-watch', '--dependency-layer')).toBe(1);
  });

  it('ends a watch with SIGTERM; its own writes to the samconfig are no changes', async () => {
    const app = await newApp();
    const config = path.join(app.cwd, 'samconfig.toml');
    const written = `version = 0.1\n\n[default.global.parameters]\nstack_name = "${app.stack}"\nregion = "us-east-1"\n`;
    await fs.writeFile(config, `# mine\n${written}`);
    let text = '';
    const running = runAsVsCode(commandLine(app, '--watch'), {
      ...app,
      onText: (more) => (text += more),
      until: 'Synced Fn',
    });
    await poll(async () => (text.includes('Sync watch started.') ? true : undefined));
    await fs.writeFile(config, written);
    // a change that is seen after it
    await poll(async () => {
      await fs.writeFile(path.join(app.cwd, 'src/app.js'), `exports.handler = async () => ${performance.now()};\n`);
      return text.includes('src/app.js changed') ? true : undefined;
    });
    const { code, stderr } = await running;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Infra sync completed.');
    expect(stderr).toMatch(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d: Finished syncing Lambda Function Fn\./);
    expect(stderr).not.toContain('samconfig.toml changed');
    expect(stderr).toContain('Stopped watching');
  });

  it.each<[string, string[], Readonly<Record<string, string>>, RegExp]>([
    ['a missing template', ['--template', '/nowhere/template.yaml'], {}, /^Error: .*nowhere.* does not exist/],
    ['no Docker', ['--use-container'], { DOCKER_HOST: 'unix:///nowhere.sock' }, /Docker is unreachable\.|is on PATH/],
    ['an unknown option', ['--nope'], {}, /^Error: No such option: --nope/],
    ['an unknown resource', ['--code', '--resource-id', 'Nope'], {}, /^Error: The template has no resource Nope/],
    ['a failed code sync, with --debug', ['--code', '--debug'], {}, /^Error: .*editor\d+/],
  ])('shows the last line of standard error: %s', async (_name, flags, env, expected) => {
    const app = await newApp();
    const { code, lastLine, stderr } = await runAsVsCode(commandLine(app, '--no-watch', ...flags), {
      ...app,
      env: { ...app.env, ...env },
    });
    expect(code, stderr).not.toBe(0);
    expect(lastLine, stderr).toMatch(expected);
  });
});

const api = (title: string): string => `openapi: 3.0.1
info: { title: ${title}, version: "1" }
paths: { /: { get: { x-amazon-apigateway-integration: { type: mock }, responses: { "200": { description: ok } } } } }
`;

it('lines that scripts wait for stand on pipes beside our own', async () => {
  const { cwd, env, stack } = await newApp({
    ...FILES,
    'template.yaml': `${TEMPLATE}  Lib:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: lib/, CompatibleRuntimes: [nodejs22.x] }
  Api:
    Type: AWS::Serverless::Api
    Properties: { StageName: dev, DefinitionUri: api.yaml }
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: { DefinitionUri: flow.asl.json }
`,
    'lib/nodejs/lib.js': 'exports.a = 1;\n',
    'api.yaml': api('a'),
    'flow.asl.json': '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}\n',
  });
  const sync = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await runCli(['--stack-name', stack, '--yes', ...args], { cwd, env });
    expect(code, stderr).toBe(0);
    return stderr;
  };
  expect(await sync()).toMatch(/^Stack creation succeeded\. Sync infra completed\.$/m);
  await fs.writeFile(path.join(cwd, 'src/app.js'), 'exports.handler = async () => 2;\n');
  await fs.writeFile(path.join(cwd, 'lib/nodejs/lib.js'), 'exports.a = 2;\n');
  await fs.writeFile(path.join(cwd, 'api.yaml'), api('b'));
  await fs.writeFile(path.join(cwd, 'flow.asl.json'), '{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}\n');
  const code = await sync('--code');
  for (const what of ['Lambda Function Fn', 'Layer Lib', 'RestApi Api', 'StepFunctions Flow'])
    expect(code).toMatch(new RegExp(`: Finished syncing ${what}\\.$`, 'm'));
  // a script that asks for one resource waits for it, also if nothing differs
  expect(await sync('--code', '--resource-id', 'Fn')).toContain('Finished syncing Lambda Function Fn.');
  expect(await sync('--parameter-overrides', 'Stage=other')).toMatch(
    /^Stack update succeeded\. Sync infra completed\.$/m,
  );
  const { stderr, code: missing } = await runCli([], { cwd, env });
  expect(stderr).toContain("Missing option '--stack-name'");
  expect(missing).toBe(2);
});

it('layer syncs leave the layer and the timeout of a remote debugging session where they are', async () => {
  const app = await createCodeApp(
    cloud.env,
    {
      'template.yaml': `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: debugged
      CodeUri: src/
      Handler: app.handler
      Runtime: nodejs22.x
      Timeout: 3
      Layers: [!Ref Lib]
  Lib:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: lib/, CompatibleRuntimes: [nodejs22.x] }
`,
      'src/app.js': 'exports.handler = async () => 1;\n',
      'lib/nodejs/lib.js': 'exports.a = 1;\n',
    },
    { stackName: 'debugged-stack' },
  );
  const { lambda } = clients(cloud.endpoint);
  const FunctionName = 'debugged';
  const configuration = async () => {
    const {
      Layers = [],
      Timeout,
      Environment,
    } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    return { layers: Layers.map(({ Arn = '' }) => Arn), timeout: Timeout, variables: Environment?.Variables };
  };
  await app.plain();
  const before = await configuration();
  const { LayerVersionArn: debugLayer = '' } = await lambda.send(
    new PublishLayerVersionCommand({ LayerName: 'LDKLayerX86', Content: { ZipFile: EMPTY_ZIP } }),
  );
  const variables = { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bin/ldk_wrapper', AWS_LDK_DESTINATION_TOKEN: 'token' };
  await lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName,
      Timeout: 900,
      Layers: [...before.layers, debugLayer],
      Environment: { Variables: variables },
    }),
  );
  for (const [text, sync] of [
    ['exports.a = 2;\n', () => app.code()],
    ['exports.a = 3;\n', () => app.plain()],
  ] as const) {
    await app.write({ 'lib/nodejs/lib.js': text });
    expect((await sync()).outcomes).toMatchObject({ Lib: 'synced', Fn: 'synced' });
    const { layers, ...rest } = await configuration();
    expect(layers).toHaveLength(2);
    expect(layers[0]).not.toBe(before.layers[0]);
    expect(layers[1]).toBe(debugLayer);
    expect(rest).toEqual({ timeout: 900, variables });
  }
  await app.remove();
});

/** A zip without entries. */
const EMPTY_ZIP = Buffer.from('504b0506000000000000000000000000000000000000', 'hex');
