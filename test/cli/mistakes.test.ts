import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clients } from '../support/cloud.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { openCloud } from '../support/open-cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const RUNTIME = '      Runtime: python3.13\n';
const APP_RESOURCES = `Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Handler: app.handler
${RUNTIME}  Table:
    Type: AWS::Serverless::SimpleTable
`;
const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
${APP_RESOURCES}`;
const APP = { 'template.yaml': TEMPLATE, 'src/app.py': 'def handler(event, context):\n    return 1\n' };
const NAME = ['--stack-name', 'app'];

/** A mistake that a person makes, and what the command answers. */
interface Mistake {
  /** In place of a part of the template: what is there, what is written. */
  template?: readonly [was: string, is: string];
  /** More files; `undefined` removes one. */
  files?: Readonly<Record<string, string | undefined>>;
  args?: readonly string[];
  env?: Readonly<Record<string, string | undefined>>;
  /** Standard error, as on a terminal: a hint is a line of its own. The folder of the application is `.`. */
  says: readonly string[];
  code: number;
  /** The build comes first: something is built, and nothing else happened. */
  builds?: true;
}

const COMMAND_LINE: Readonly<Record<string, Mistake>> = {
  'no stack name': {
    args: [],
    says: [
      "Error: Missing option '--stack-name'",
      '  Pass it on the command line, or set stack_name in [default.sync.parameters] of samconfig.toml.',
    ],
    code: 2,
  },
  'an option misspelt': {
    args: ['--stackname', 'app'],
    says: ['Error: No such option: --stackname', '  Did you mean --stack-name?'],
    code: 2,
  },
  'an option that is like none': { args: [...NAME, '--nope'], says: ['Error: No such option: --nope'], code: 2 },
  'an option of another command': {
    args: [...NAME, '--guided'],
    says: ['Error: No such option: --guided', '  It is an option of other SAM CLI commands, not of sync.'],
    code: 2,
  },
  'another command': {
    args: ['build', ...NAME],
    says: [
      'Error: Unexpected argument `build`',
      '  sync builds, packages and deploys in one step. `sam build` is a command of AWS SAM CLI.',
    ],
    code: 2,
  },
  deploy: {
    args: ['deploy', '--guided'],
    says: [
      'Error: Unexpected argument `deploy`',
      '  sync builds, packages and deploys in one step. `sam deploy` is a command of AWS SAM CLI.',
    ],
    code: 2,
  },
  'sync twice': {
    args: ['sync', 'sync', ...NAME],
    says: ['Error: Unexpected argument `sync`', '  Write `sync` once.'],
    code: 2,
  },
  'sync misspelt': {
    args: ['syncc', ...NAME],
    says: ['Error: Unexpected argument `syncc`', '  Did you mean sync?'],
    code: 2,
  },
  'the template without its option': {
    args: [...NAME, '--watch', 'template.yaml'],
    says: [
      'Error: Unexpected argument `template.yaml`',
      '  To name the template, write --template-file template.yaml.',
    ],
    code: 2,
  },
  'a parameter without its option': {
    args: ['Stage=prod', ...NAME],
    says: [
      'Error: Unexpected argument `Stage=prod`',
      '  Write values of template parameters after --parameter-overrides.',
    ],
    code: 2,
  },
  'an option without its value': {
    args: ['--stack-name', '--watch'],
    says: [
      'Error: --stack-name needs a value, but the option --watch follows',
      '  If --watch is the value, write --stack-name=--watch.',
    ],
    code: 2,
  },
  'a stack name with an underscore': {
    args: ['--stack-name', 'my_app'],
    says: [
      'Error: --stack-name: `my_app` is not a valid stack name',
      '  Stack names start with a letter and contain only letters, digits and hyphens (128 at most).',
    ],
    code: 2,
  },
  'half of a capability': {
    args: [...NAME, '--capabilities', 'IAM'],
    says: [
      'Error: --capabilities: `IAM` is not one of CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND, CAPABILITY_RESOURCE_POLICY',
      '  Did you mean CAPABILITY_IAM?',
    ],
    code: 2,
  },
  'the URL of a bucket': {
    args: [...NAME, '--s3-bucket', 's3://bucket/prefix'],
    says: [
      'Error: --s3-bucket: `s3://bucket/prefix` is not a valid bucket name',
      '  Pass only the name, and a folder with --s3-prefix.',
    ],
    code: 2,
  },
  'the name of a role': {
    args: [...NAME, '--role-arn', 'deployer'],
    says: ['Error: --role-arn: `deployer` is not an ARN', '  For example: arn:aws:iam::123456789012:role/deploy.'],
    code: 2,
  },
  'the name of a topic': {
    args: [...NAME, '--notification-arns', 'deploys'],
    says: [
      'Error: --notification-arns: `deploys` is not an ARN',
      '  For example: arn:aws:sns:eu-west-1:123456789012:deployments.',
    ],
    code: 2,
  },
  'options that exclude each other': {
    args: [...NAME, '--dry-run', '--watch'],
    says: ['Error: --dry-run and --watch cannot be combined: a watch syncs what you save'],
    code: 2,
  },
  'a resource without --code': {
    args: [...NAME, '--resource-id', 'Hello'],
    says: ['Error: --resource-id needs --code or --watch: a plain sync deploys the whole stack'],
    code: 2,
  },
  'a tag without a value': {
    args: [...NAME, '--tags', 'team'],
    says: [
      'Error: --tags: `team` does not have the form Key=Value',
      '  Quote a value with spaces so that the quotes reach the program: \'Key="some words"\'.',
    ],
    code: 2,
  },
};

const FILES: Readonly<Record<string, Mistake>> = {
  'another folder': {
    files: { 'template.yaml': undefined },
    says: [
      'Error: No template found: . has no template.yaml, template.yml or template.json',
      '  Change to the folder of the application, or pass the template with --template-file.',
    ],
    code: 2,
  },
  'a template that does not exist': {
    args: [...NAME, '-t', 'templete.yaml'],
    says: ['Error: Template ./templete.yaml does not exist'],
    code: 2,
  },
  'a samconfig that does not exist': {
    args: [...NAME, '--config-file', 'prod.toml'],
    says: ['Error: --config-file: ./prod.toml does not exist'],
    code: 2,
  },
  'a file of parameters that does not exist': {
    args: [...NAME, '--parameter-overrides', 'file://params.yaml'],
    says: ['Error: --parameter-overrides: ./params.yaml does not exist'],
    code: 2,
  },
  'a file of variables that does not exist': {
    args: [...NAME, '-u', '--container-env-var-file', 'env.json'],
    says: ['Error: --container-env-var-file: ./env.json does not exist'],
    code: 2,
  },
  'a samconfig that is no TOML': {
    files: { 'samconfig.toml': '[default.sync.parameters\nstack_name = "app"\n' },
    args: [],
    says: ['Error: samconfig.toml:1:25: invalid TOML: illegal character in key'],
    code: 2,
  },
  'a key of the samconfig misspelt': {
    files: { 'samconfig.toml': '[default.sync.parameters]\nstackname = "app"\n' },
    args: [],
    says: [
      'Error: samconfig.toml, [default.sync.parameters] stackname is not an option of sync and has no effect',
      '  Did you mean stack_name?',
    ],
    code: 2,
  },
  'a section of the samconfig misspelt': {
    files: { 'samconfig.toml': '[default.snyc.parameters]\nstack_name = "app"\n' },
    args: [],
    says: [
      'Error: samconfig.toml: [default.snyc] has no effect: SAM CLI has no such command',
      '  Did you mean [default.sync.parameters]?',
    ],
    code: 2,
  },
  'a section without environment': {
    files: { 'samconfig.toml': '[sync.parameters]\nstack_name = "app"\n' },
    args: [],
    says: ['Error: samconfig.toml: [sync.parameters] has no effect', '  Write [default.sync.parameters].'],
    code: 2,
  },
  'an environment misspelt': {
    files: { 'samconfig.toml': '[prod.sync.parameters]\nstack_name = "app"\n' },
    args: ['--config-env', 'prd'],
    says: ['Error: samconfig.toml has no environment `prd`', '  Did you mean prod?'],
    code: 2,
  },
  'the stack name of `sam deploy --guided`': {
    files: { 'samconfig.toml': '[default.deploy.parameters]\nstack_name = "app"\n' },
    args: [],
    says: [
      "Error: Missing option '--stack-name'",
      '  samconfig.toml has stack_name in [default.deploy.parameters], which sync does not read: move it to [default.global.parameters] for all commands.',
    ],
    code: 2,
  },
  'a wrong value in the samconfig': {
    files: { 'samconfig.toml': '[default.sync.parameters]\nstack_name = "app"\nwatch = "maybe"\n' },
    args: [],
    says: ['Error: samconfig.toml, [default.sync.parameters] watch must be true or false, not "maybe"'],
    code: 2,
  },
};

const TEMPLATES: Readonly<Record<string, Mistake>> = {
  'no colon': {
    template: ['Handler: app', 'Handler app'],
    says: ['Error: template.yaml:9:7: Invalid YAML: expected a key here, but no ":" follows'],
    code: 1,
  },
  'an empty template': {
    files: { 'template.yaml': '\n' },
    says: ['Error: template.yaml: A template is a mapping with a Resources section, but this file is empty'],
    code: 1,
  },
  'no transform': {
    template: ['Transform: AWS::Serverless-2016-10-31\n', ''],
    says: [
      'Error: template.yaml:5:5: AWS::Serverless::Function needs the transform of AWS SAM. Add this line at the top level: Transform: AWS::Serverless-2016-10-31',
    ],
    code: 1,
  },
  'a type misspelt': {
    template: ['SimpleTable', 'SimpelTable'],
    says: [
      'Error: template.yaml:12:5: AWS::Serverless::SimpelTable is not a resource type. Did you mean AWS::Serverless::SimpleTable?',
    ],
    code: 1,
  },
  'a property misspelt': {
    template: ['Handler:', 'Handlr:'],
    says: ['Error: template.yaml:9:7: AWS::Serverless::Function has no property Handlr. Did you mean Handler?'],
    code: 1,
  },
  'a section of Globals misspelt, and not what is missing because of it': {
    template: [APP_RESOURCES, `Globals: {Functon: {Runtime: python3.13}}\n${APP_RESOURCES.replace(RUNTIME, '')}`],
    says: ['Error: template.yaml:4:11: Globals has no section Functon. Did you mean Function?'],
    code: 1,
  },
  'a section misspelt': {
    template: ['Resources:', 'Resorces:'],
    says: ['Error: template.yaml:4:1: The template has no section Resorces. Did you mean Resources?'],
    code: 1,
  },
  'an attribute of a parameter misspelt': {
    template: ['Default: dev', 'Defalt: dev'],
    says: ['Error: template.yaml:3:25: A parameter has no attribute Defalt. Did you mean Default?'],
    code: 1,
  },
  'a function misspelt': {
    template: ['python3.13', 'python3.13\n      Description: !Subs "${Stag}"'],
    says: ['Error: template.yaml:11:7: Fn::Subs is not an intrinsic function. Did you mean Fn::Sub?'],
    code: 1,
  },
  'a type of events misspelt': {
    template: ['python3.13', 'python3.13\n      Events: {Get: {Type: HttApi}}'],
    says: [
      'Error: template.yaml:11:22: Events.Get.Type of AWS::Serverless::Function cannot be HttApi. Did you mean HttpApi?',
    ],
    code: 1,
  },
  'a policy template misspelt': {
    template: ['python3.13', 'python3.13\n      Policies:\n        - DynamoDBCrudPolcy: {TableName: a}'],
    says: [
      'Error: template.yaml:12:11: Policies of AWS::Serverless::Function has no property DynamoDBCrudPolcy. Did you mean DynamoDBCrudPolicy?',
    ],
    code: 1,
  },
  'a reference misspelt': {
    template: ['python3.13', 'python3.13\n      Environment: {Variables: {TABLE: !Ref Tabel}}'],
    says: [
      'Error: template.yaml:11:33: !Ref Tabel: the template has no parameter or resource Tabel. Did you mean Table?',
    ],
    code: 1,
  },
  'several mistakes at once': {
    template: ['python3.13', 'python3.13\n      Timeot: 3\n      Role: !GetAtt Role.Arn\n    DependsOn: Tables'],
    says: [
      'Error: template.yaml:11:7: AWS::Serverless::Function has no property Timeot. Did you mean Timeout?',
      'template.yaml:12:7: !GetAtt Role.Arn: the template has no resource Role.',
      'template.yaml:13:5: DependsOn: Tables: the template has no resource Tables. Did you mean Table?',
    ],
    code: 1,
  },
  'a folder that is not there': {
    template: ['CodeUri: src', 'CodeUri: source'],
    says: ['Error: template.yaml:8:7: Hello CodeUri source does not exist (./source)'],
    code: 1,
  },
  'a value that is not allowed': {
    args: [...NAME, '--parameter-overrides', 'Stage=prd'],
    says: ['Error: template.yaml:3:3: The value "prd" of parameter Stage must be one of dev, prod. Did you mean prod?'],
    code: 1,
  },
  'a parameter without a value': {
    template: ['Default: dev, ', ''],
    says: [
      'Error: template.yaml:3:3: Parameter Stage has no value and no default. Set it: --parameter-overrides Stage=…',
    ],
    code: 1,
  },
  'a parameter that only `sam deploy` has': {
    template: ['Default: dev, ', ''],
    files: { 'samconfig.toml': '[default.deploy.parameters]\nparameter_overrides = "Stage=dev"\n' },
    says: [
      'Error: template.yaml:3:3: Parameter Stage has no value and no default. Set it: --parameter-overrides Stage=… (samconfig.toml has parameter_overrides in [default.deploy.parameters], which sync does not read: move it to [default.global.parameters] for all commands)',
    ],
    code: 1,
  },
  'the same in a dry run': {
    template: ['Default: dev, ', ''],
    args: [...NAME, '--dry-run'],
    says: [
      'Error: template.yaml:3:3: Parameter Stage has no value and no default. Set it: --parameter-overrides Stage=…',
    ],
    code: 1,
  },
  'a runtime misspelt': {
    template: ['python3.13', 'pyton3.13'],
    says: [
      'Could not build Hello',
      'Error: Hello: the runtime pyton3.13 cannot be built',
      '  Did you mean python3.13?',
    ],
    code: 1,
    builds: true,
  },
};

const CLOUD: Readonly<Record<string, Mistake>> = {
  'no stack for --code': {
    args: [...NAME, '--code'],
    says: [
      'Error: There is no stack app in us-east-1',
      '  --code only updates existing resources: sync without --code to create the stack, or choose another one with --stack-name, --region or --profile.',
    ],
    code: 1,
  },
  'a bucket that does not exist': {
    args: [...NAME, '--s3-bucket', 'no-such-bucket'],
    says: [
      'Built Hello (copied)',
      'Could not upload Hello (152 B)',
      'Error: Bucket no-such-bucket does not exist',
      '  Check --s3-bucket or s3_bucket in the samconfig, or use the managed bucket with --resolve-s3.',
    ],
    code: 1,
    builds: true,
  },
  'an address where nothing listens': {
    env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' },
    says: [
      'Error: CloudFormation cannot be reached at http://127.0.0.1:9: the connection was refused',
      '  Start the emulator at this address (the local cloud: `sam-sync cloud start`), or unset AWS_ENDPOINT_URL to sync to AWS.',
    ],
    code: 1,
  },
  'an address without http': {
    env: { AWS_ENDPOINT_URL: '127.0.0.1:4566' },
    says: [
      'Error: The endpoint 127.0.0.1:4566 is not a URL',
      '  Use the form http://localhost:4566. Check AWS_ENDPOINT_URL, and endpoint_url in ~/.aws/config.',
    ],
    code: 2,
  },
  'no credentials': {
    env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
    says: [
      'Error: No AWS credentials found in the environment or in ~/.aws',
      '  Sign in with `aws configure` or `aws sso login`, choose a profile with --profile, or sync to a cloud on this machine with --local.',
    ],
    code: 1,
  },
  'a profile that does not exist': {
    args: [...NAME, '--profile', 'prod'],
    says: [
      'Error: AWS profile prod does not exist',
      '  There are no profiles. Create it with `aws configure --profile prod`.',
    ],
    code: 2,
  },
};

const { cloud, proxy } = await openCloud();
let synced: string;
beforeAll(async () => {
  await clients(cloud.endpoint).s3.send(new CreateBucketCommand({ Bucket: 'locked' }));
  synced = await tempFolder(APP);
  // the managed bucket is there from now on
  expect((await run(['--stack-name', 'there'], synced)).code).toBe(0);
  proxy.clear();
});
afterEach(() => proxy.clear());

describe.each([
  ['the command line', COMMAND_LINE],
  ['files', FILES],
  ['the template', TEMPLATES],
  ['the cloud', CLOUD],
])('mistakes in %s', (_where, mistakes) => {
  it.each(Object.entries(mistakes))('%s', async (_name, mistake) => {
    const dir = await appWith(mistake);
    const before = await fs.readdir(dir);
    const { code, stderr, stdout } = await run(mistake.args ?? NAME, dir, mistake.env);
    expect(shown(stderr, dir)).toEqual(onPipe(mistake.says));
    expect({ code, stdout }).toEqual({ code: mistake.code, stdout: '' });
    expect(changesOf(proxy)).toEqual([]);
    if (!mistake.builds) expect(await fs.readdir(dir)).toEqual(before);
  });
});

describe('with a stack', () => {
  it('--code of a resource that is not there fails, and nothing is sent', async () => {
    const { code, stderr } = await run(['--stack-name', 'there', '--code', '--resource-id', 'Helo'], synced);
    const says = ['Code sync: 1 failed.', 'Error: The template has no resource Helo', '  Did you mean Hello?'];
    expect(shown(stderr, synced)).toEqual(onPipe(says));
    expect(code).toBe(1);
    expect(changesOf(proxy)).toEqual([]);
  });

  it('a bucket that may not be written: its name and the option', async () => {
    const denied = { kind: 'error', status: 403, code: 'AccessDenied', message: 'Access Denied' } as const;
    proxy.fault({ operation: 'PutObject' }, denied, { times: Infinity });
    const app = await tempFolder({ ...APP, 'src/app.py': 'def handler(event, context):\n    return 2\n' });
    const { code, stderr } = await run([...NAME, '--s3-bucket', 'locked'], app);
    expect(shown(stderr, app)).toEqual(
      onPipe([
        'Built Hello (copied)',
        'Could not upload Hello (152 B)',
        'Error: Access to bucket locked denied: these credentials may not call PutObject of S3: Access Denied (request fault-proxy-request)',
        '  If the policy of bucket locked requires SSE-KMS, pass its key with --kms-key-id. Otherwise: Grant the identity the permission, or choose another one with --profile. To use another bucket, pass --s3-bucket or --resolve-s3.',
      ]),
    );
    expect(code).toBe(1);
  });
});

/** An application with this mistake, in a folder of its own. */
async function appWith({ template: [was, is] = ['', ''], files = {} }: Mistake): Promise<string> {
  expect(TEMPLATE).toContain(was);
  const all: Record<string, string | undefined> = { ...APP, 'template.yaml': TEMPLATE.replace(was, is), ...files };
  const kept = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return fs.realpath(await tempFolder(Object.fromEntries(kept)));
}

function run(args: readonly string[], cwd: string, env: Mistake['env'] = {}): ReturnType<typeof runCli> {
  const home = path.join(cwd, '..', `${path.basename(cwd)}-home`);
  return runCli(args, {
    cwd,
    env: {
      CI: '1',
      HOME: home,
      AWS_ENDPOINT_URL: proxy.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      SAM_CLI_POLL_DELAY: '0.05',
      ...env,
    },
  });
}

/** The lines of standard error, without durations and the place of the folder. */
function shown(stderr: string, dir: string): string[] {
  const text = stderr
    .replaceAll(dir, '.')
    .replaceAll(/(?:, | \()\d+\.\d s\)/g, (match) => (match.startsWith(',') ? ')' : ''));
  return text.trimEnd().split('\n');
}

/** On a pipe, an error and its hint are one line. */
function onPipe(says: readonly string[]): string[] {
  const lines: string[] = [];
  for (const line of says) {
    if (line.startsWith('  ')) lines.push(`${lines.pop()}. ${line.trimStart()}`);
    else lines.push(line);
  }
  return lines;
}

/** The requests that change something in the cloud. */
function changesOf({ calls }: FaultProxy): string[] {
  const isRead = /^(?:Describe|Get|List|Head)/;
  const isRefused = (status: number | undefined): boolean => status !== undefined && status >= 400;
  return calls
    .filter(({ operation, status }) => !isRead.test(operation) && !isRefused(status))
    .map(({ operation }) => operation);
}
