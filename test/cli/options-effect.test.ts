import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { DescribeStacksCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import type { Stack } from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients, invoke, startTestCloud } from '../support/cloud.ts';
import type { TestCloud } from '../support/cloud.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { ProxiedCall } from '../support/proxied-call.ts';
import { runCli } from '../support/run-cli.ts';
import type { CliResult } from '../support/run-cli.ts';
import { listResources } from '../support/snapshot.ts';
import { tempFolder } from '../support/temp-folder.ts';

const APP = {
  'template.yaml': `Transform: AWS::Serverless-2016-10-31
Parameters:
  Word: {Type: String, Default: none}
  Names: {Type: CommaDelimitedList, Default: ''}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: src
      Environment: {Variables: {WORD: !Ref Word}}
Outputs:
  Fn: {Value: !Ref Fn}
`,
  'src/app.py': 'import os\ndef handler(event, context):\n    return os.environ["WORD"]\n',
};
const WITH_DEPENDENCY = { ...APP, 'src/requirements.txt': 'humanize==4.15.0\n' };

/** What a run left behind. */
interface Seen {
  result: CliResult;
  stackName: string;
  app: string;
  stack: () => Promise<Stack>;
  /** Requests of this run. */
  calls: ProxiedCall[];
  objects: () => Promise<{ bucket: string; key: string }[]>;
}

interface Case {
  option: string;
  args: readonly string[];
  files?: Record<string, string>;
  env?: Record<string, string | undefined>;
  check: (seen: Seen) => Promise<void>;
}

let cloud: TestCloud;
let proxy: FaultProxy;
beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
  await clients(cloud.endpoint).s3.send(new CreateBucketCommand({ Bucket: 'my-artifacts' }));
});
afterAll(async () => {
  await proxy?.stop();
  await cloud?.stop();
});

/** The body of the one CreateStack call, as a form. */
function created({ calls }: Seen): URLSearchParams {
  const create = calls.filter(({ operation }) => operation === 'CreateStack').at(-1);
  return new URLSearchParams(create?.body.toString());
}

async function head({ objects }: Seen) {
  const [object] = await objects();
  return clients(cloud.endpoint).s3.send(new HeadObjectCommand({ Bucket: object?.bucket, Key: object?.key }));
}

const output = async (seen: Seen, key: string): Promise<string> =>
  (await seen.stack()).Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue ?? '';

const CASES: Case[] = [
  {
    option: '--stack-name',
    args: [],
    check: async (seen) => expect((await seen.stack()).StackStatus).toBe('CREATE_COMPLETE'),
  },
  {
    option: '--template-file',
    args: ['-t', 'infra/app.yaml'],
    files: { 'infra/app.yaml': 'Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n' },
    check: async ({ stackName }) =>
      expect([...(await listResources(cloud.endpoint, stackName)).keys()]).toEqual(['Queue']),
  },
  {
    option: '--base-dir',
    args: ['--base-dir', 'elsewhere'],
    files: { 'elsewhere/src/app.py': 'def handler(event, context):\n    return "elsewhere"\n' },
    check: async (seen) => expect(await invoke(cloud.endpoint, await output(seen, 'Fn'))).toBe('elsewhere'),
  },
  {
    option: '--parameter-overrides',
    args: ['--parameter-overrides', 'Word=a=b', '--parameter-overrides', 'Names=x,y'],
    check: async (seen) => {
      expect(await invoke(cloud.endpoint, await output(seen, 'Fn'))).toBe('a=b');
      expect((await seen.stack()).Parameters).toContainEqual({ ParameterKey: 'Names', ParameterValue: 'x,y' });
    },
  },
  {
    option: '--tags',
    args: ['--tags', 'team=blue', 'cost=a=b', '--tags', 'stage=dev'],
    check: async (seen) =>
      expect((await seen.stack()).Tags).toEqual([
        { Key: 'team', Value: 'blue' },
        { Key: 'cost', Value: 'a=b' },
        { Key: 'stage', Value: 'dev' },
      ]),
  },
  {
    option: '--capabilities',
    args: ['--capabilities', 'CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'],
    check: async (seen) => {
      const names = [...created(seen)].filter(([key]) => key.startsWith('Capabilities.')).map(([, value]) => value);
      expect(names).toEqual(['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND']);
    },
  },
  {
    option: '--role-arn',
    args: ['--role-arn', 'arn:aws:iam::000000000000:role/deployer'],
    check: async (seen) => expect(created(seen).get('RoleARN')).toBe('arn:aws:iam::000000000000:role/deployer'),
  },
  {
    option: '--notification-arns',
    args: ['--notification-arns', 'arn:aws:sns:us-east-1:000000000000:a', 'arn:aws:sns:us-east-1:000000000000:b'],
    check: async (seen) =>
      expect(created(seen).get('NotificationARNs.member.2')).toBe('arn:aws:sns:us-east-1:000000000000:b'),
  },
  {
    option: '--express (default)',
    args: [],
    check: async (seen) => expect(created(seen).get('DeploymentConfig.Mode')).toBe('EXPRESS'),
  },
  {
    option: '--no-express',
    args: ['--no-express'],
    check: async (seen) => expect(created(seen).has('DeploymentConfig.Mode')).toBe(false),
  },
  {
    option: '--s3-bucket and --s3-prefix',
    args: ['--s3-bucket', 'my-artifacts', '--s3-prefix', 'team/app'],
    check: async ({ objects }) =>
      expect(await objects()).toEqual([{ bucket: 'my-artifacts', key: expect.stringMatching(/^team\/app\//) }]),
  },
  {
    option: '--resolve-s3',
    args: ['--resolve-s3'],
    files: { 'samconfig.toml': '[default.sync.parameters]\ns3_bucket = "other-bucket"\n' },
    check: async ({ objects }) => expect((await objects())[0]?.bucket).toMatch(/^aws-sam-cli-managed-default-/),
  },
  {
    option: '--kms-key-id',
    args: ['--kms-key-id', 'alias/mine'],
    check: async (seen) => expect(await head(seen)).toMatchObject({ ServerSideEncryption: 'aws:kms' }),
  },
  {
    option: '--metadata',
    args: ['--metadata', '{"owner": "me"}', '--metadata', 'commit=abc'],
    check: async (seen) => expect((await head(seen)).Metadata).toMatchObject({ owner: 'me', commit: 'abc' }),
  },
  {
    option: '--dependency-layer (default)',
    args: [],
    files: WITH_DEPENDENCY,
    check: async ({ stackName }) =>
      expect([...(await listResources(cloud.endpoint, stackName)).keys()]).toContain(
        'AwsSamAutoDependencyLayerNestedStack',
      ),
  },
  {
    option: '--no-dependency-layer',
    args: ['--no-dependency-layer'],
    files: WITH_DEPENDENCY,
    check: async ({ stackName, app }) => {
      const resources = await listResources(cloud.endpoint, stackName);
      expect([...resources.keys()]).not.toContain('AwsSamAutoDependencyLayerNestedStack');
      await fs.access(path.join(app, '.aws-sam/build/Fn/humanize'));
    },
  },
  {
    option: '--skip-deploy-sync',
    args: ['--no-skip-deploy-sync'],
    check: async ({ result }) => expect(result.code).toBe(0),
  },
  {
    option: '--build-in-source',
    args: ['--build-in-source'],
    files: {
      'template.yaml': APP['template.yaml'].replace(
        '    Type: AWS::S',
        '    Metadata: {BuildMethod: makefile}\n    Type: AWS::S',
      ),
      'src/Makefile': 'build-Fn:\n\tcp app.py $(ARTIFACTS_DIR)\n\ttouch made-here\n',
    },
    check: async ({ app }) => fs.access(path.join(app, 'src/made-here')),
  },
  {
    option: '--no-language-extensions',
    args: ['--no-language-extensions'],
    files: {
      'template.yaml': `Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Queues:
    - Name
    - [A, B]
    - Queue\${Name}: {Type: AWS::SQS::Queue}
`,
    },
    // CloudFormation itself still expands the loop
    check: async ({ stackName }) =>
      expect([...(await listResources(cloud.endpoint, stackName)).keys()]).toEqual(['QueueA', 'QueueB']),
  },
  {
    option: '--language-extensions',
    args: ['--language-extensions'],
    files: {
      'template.yaml': APP['template.yaml']
        .replace('Transform: AWS', 'Transform: [AWS::LanguageExtensions, AWS')
        .replace('-10-31', '-10-31]')
        .replace(/Resources:[^]*Outputs:[^]*/, () =>
          [
            'Resources:',
            '  Fn::ForEach::Functions:',
            '    - Name',
            '    - [One, Two]',
            '    - Fn${Name}:',
            '        Type: AWS::Serverless::Function',
            '        Properties: {Runtime: python3.11, Handler: app.handler, CodeUri: !Sub "src-${Name}"}',
            '',
          ].join('\n'),
        ),
      'src-One/app.py': 'def handler(event, context): return 1\n',
      'src-Two/app.py': 'def handler(event, context): return 2\n',
    },
    check: async ({ stackName }) => {
      const resources = await listResources(cloud.endpoint, stackName);
      expect(await invoke(cloud.endpoint, resources.get('FnOne')!.physicalId)).toBe(1);
      expect(await invoke(cloud.endpoint, resources.get('FnTwo')!.physicalId)).toBe(2);
    },
  },
  {
    option: '--config-file and --config-env',
    args: ['--config-file', 'mine.json', '--config-env', 'prod'],
    files: {
      'mine.json': JSON.stringify({ prod: { sync: { parameters: { parameter_overrides: { Word: 'prod' } } } } }),
    },
    check: async (seen) => expect(await invoke(cloud.endpoint, await output(seen, 'Fn'))).toBe('prod'),
  },
  {
    option: '--save-params',
    args: ['--save-params', '--tags', 'a=1', '--metadata', 'b=2', '--parameter-overrides', 'Word=saved'],
    check: async (seen) => {
      // the next run needs none of them
      const { code, stderr, stdout } = await runCli(['--yes', '--output', 'json'], {
        cwd: seen.app,
        env: environment(),
      });
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ stackName: seen.stackName, status: 'unchanged' });
    },
  },
  {
    option: '--region',
    args: ['--region', 'eu-west-1'],
    check: async (seen) => expect(await output(seen, 'Fn')).toBe(''), // nothing in us-east-1
  },
  {
    option: '--profile',
    args: ['--profile', 'elsewhere'],
    env: {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_DEFAULT_REGION: undefined,
      AWS_REGION: undefined,
    },
    files: {
      'home/credentials': '[elsewhere]\naws_access_key_id = 111111111111\naws_secret_access_key = 111111111111\n',
      'home/config': '[profile elsewhere]\nregion = us-east-1\n',
    },
    check: async ({ result }) => expect(result.stdout).toContain('"account": "111111111111"'),
  },
  {
    option: '--debug',
    args: ['--debug'],
    check: async ({ result }) => {
      expect(result.stderr).toContain('CloudFormation.CreateStack');
      expect(result.stderr).toMatch(/^build: [\d.]+ s$/m);
    },
  },
  {
    option: '--output text',
    args: ['--output', 'text'],
    check: async ({ result, stackName }) => expect(result.stdout).toContain(`Outputs of ${stackName}`),
  },
  {
    option: '--output json',
    args: [],
    check: async ({ result, stackName }) =>
      expect(JSON.parse(result.stdout)).toMatchObject({
        status: 'deployed',
        stackName,
        outputs: { Fn: expect.any(String) },
      }),
  },
  { option: '--beta-features', args: ['--beta-features'], check: async ({ result }) => expect(result.code).toBe(0) },
];

function environment(): Record<string, string> {
  return { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint };
}

describe('each option once, with its effect in the cloud', () => {
  it.each(CASES.map((one) => [one.option, one] as const))(
    '%s',
    async (option, { args, files = {}, env = {}, check }) => {
      const folder = await tempFolder({ ...APP, ...files });
      const stackName = `s${CASES.findIndex((one) => one.option === option)}`;
      const home = path.join(folder, 'home');
      const before = proxy.calls.length;
      const result = await runCli(['--stack-name', stackName, '--yes', '--output', 'json', ...args], {
        cwd: folder,
        env: {
          ...environment(),
          AWS_CONFIG_FILE: path.join(home, 'config'),
          AWS_SHARED_CREDENTIALS_FILE: path.join(home, 'credentials'),
          ...env,
        },
      });
      expect(result.code, result.stderr).toBe(0);
      const { cloudformation } = clients(cloud.endpoint);
      await check({
        result,
        stackName,
        app: folder,
        calls: proxy.calls.slice(before),
        stack: async () =>
          (await cloudformation.send(new DescribeStacksCommand({ StackName: stackName })).catch(() => undefined))
            ?.Stacks?.[0] ?? ({} as Stack),
        objects: async () => {
          const { TemplateBody = '' } = await cloudformation.send(
            new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' }),
          );
          return [...TemplateBody.matchAll(/s3:\/\/([^/]+)\/(\S+)/g)].map(([, bucket = '', key = '']) => ({
            bucket,
            key,
          }));
        },
      });
    },
  );
});
