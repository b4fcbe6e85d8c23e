/**
 * The quotas of an AWS account, behind AWS's own host names: calls to an endpoint on this machine are not paced.
 * `SAM_SYNC_TEST_SIZE=full` takes 60 functions, 16 REST APIs and 20 nested stacks, and prints the figures.
 */
import { GetResourcesCommand, GetRestApisCommand } from '@aws-sdk/client-api-gateway';
import { ListFunctionsCommand, type FunctionConfiguration } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients, invoke, startTestCloud, type TestCloud } from '../support/cloud.ts';
import { startCompanyProxy, type CompanyProxy } from '../support/company-proxy.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { leastSeconds } from '../support/quotas.ts';
import { runCli, type CliOptions } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

/** Nested stacks, functions in each of them, and how many of them have a REST API. */
interface Size {
  stacks: number;
  functions: number;
  apis: number;
}

const isFull = process.env['SAM_SYNC_TEST_SIZE'] === 'full';
const SIZE: Size = isFull ? { stacks: 20, functions: 3, apis: 16 } : { stacks: 3, functions: 4, apis: 2 };
/** Seconds that a function is busy after each change. */
const BUSY = isFull ? '4' : '0.1';
/** No proxy of the machine that runs the tests. */
const MACHINE = { HTTPS_PROXY: '', https_proxy: undefined, NO_PROXY: undefined, no_proxy: undefined };

let cloud: TestCloud;
let account: FaultProxy;
let company: CompanyProxy;

beforeAll(async () => {
  cloud = await startTestCloud({ SAM_SYNC_CLOUD_STATE_DELAY: BUSY });
  account = await startFaultProxy(cloud.endpoint, { quotas: true });
  company = await startCompanyProxy(account.endpoint);
});
afterAll(async () => {
  await company.stop();
  await account.stop();
  await cloud.stop();
});

/** Functions with an alias and REST APIs in nested stacks; `timeout` is what only a deployment changes. */
function application({ stacks, functions, apis }: Size, version: string, timeout = 20): Record<string, string> {
  const files: Record<string, string> = {};
  const addTemplate = (file: string, resources: readonly string[]): void => {
    files[file] = `Transform: AWS::Serverless-2016-10-31\nResources:\n  ${resources.join('\n  ')}\n`;
  };
  const stackNames = Array.from({ length: stacks }, (_, index) => `S${index}`);
  for (const [index, stack] of stackNames.entries()) {
    const resources = Array.from({ length: functions }, (_, number) => {
      files[`${stack}/f${number}/app.py`] =
        `def handler(event, context):\n    return "${stack} ${number} ${version}"\n`;
      const properties = `CodeUri: f${number}, Runtime: python3.11, Handler: app.handler, Timeout: ${timeout}, AutoPublishAlias: live`;
      return `F${number}: {Type: AWS::Serverless::Function, Properties: {${properties}}}`;
    });
    if (index < apis) {
      files[`${stack}/api.yaml`] =
        `openapi: 3.0.1\ninfo: {title: ${stack}, version: '1'}\npaths: {/${version}: {get: {x-amazon-apigateway-integration: {type: mock}}}}\n`;
      resources.push('Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionUri: api.yaml}}');
    }
    addTemplate(`${stack}/template.yaml`, resources);
  }
  addTemplate(
    'template.yaml',
    stackNames.map(
      (stack) => `${stack}: {Type: AWS::Serverless::Application, Properties: {Location: ${stack}/template.yaml}}`,
    ),
  );
  return files;
}

interface Sync extends Partial<CliOptions> {
  cwd: string;
  stack: string;
  args?: readonly string[];
}

async function sync({ stack, args = [], env = {}, ...options }: Sync) {
  account.clear();
  const started = performance.now();
  const words = ['--stack-name', stack, '--yes', '--output', 'json', '--no-dependency-layer', ...args];
  const { code, stdout, stderr } = await runCli(words, { ...options, env: { ...MACHINE, ...env } });
  const document = JSON.parse(stdout) as { status: string; resources?: { id: string; outcome: string }[] };
  const refused = account.calls.filter(({ fault }) => fault === 'throttle').length;
  if (isFull) {
    const seconds = (performance.now() - started) / 1_000;
    const least = leastSeconds(account.calls.filter(({ fault }) => fault === undefined));
    console.log(
      `${stack} ${args.join(' ')}: ${refused} of ${account.count()} calls refused, ${seconds.toFixed(1)} s; the quotas need ${least.toFixed(1)} s`,
    );
  }
  return { code, document, stderr, refused, outcomes: (document.resources ?? []).map(({ outcome }) => outcome) };
}

describe('the quotas of an account', { timeout: isFull ? 1_200_000 : 120_000 }, () => {
  it('a code sync and a deployment of everything arrive, with hardly a refusal', async () => {
    const cwd = await tempFolder(application(SIZE, 'all1'));
    const stack = 'everything';
    // past the quotas
    expect(await sync({ cwd, stack, env: cloud.env })).toMatchObject({ code: 0 });

    await writeFiles(cwd, application(SIZE, 'all2'));
    const code = await sync({ cwd, stack, args: ['--code'], env: company.env });
    expect(code.outcomes, code.stderr).toEqual(Array(SIZE.stacks * SIZE.functions + SIZE.apis).fill('synced'));
    expect(code.refused).toBeLessThanOrEqual(account.count() * 0.05);
    const codes = await expectVersion('all2');

    await writeFiles(cwd, application(SIZE, 'all3', 21));
    const deployment = await sync({ cwd, stack, env: company.env });
    expect(deployment, deployment.stderr).toMatchObject({ code: 0, document: { status: 'deployed' } });
    expect(deployment.refused).toBeLessThanOrEqual(account.count() * 0.05);
    await expectVersion('all3', codes);
  });

  it('a run does not fail because others use up the quota, however few attempts are allowed', async () => {
    const size = { stacks: 1, functions: 1, apis: 0 };
    const cwd = await tempFolder(application(size, 'v1'));
    const env = { ...company.env, AWS_MAX_ATTEMPTS: '3' };
    expect(await sync({ cwd, stack: 'others', env: cloud.env })).toMatchObject({ code: 0 });
    await writeFiles(cwd, application(size, 'v2'));
    const synced = sync({ cwd, stack: 'others', args: ['--code'], env });
    account.fault({ operation: 'UpdateFunctionCode' }, { kind: 'throttle' }, { times: 8 });
    expect(await synced).toMatchObject({ code: 0, outcomes: ['synced'] });
    expect(account.count('UpdateFunctionCode')).toBe(9);
  });

  it('a long wait is reported, and Ctrl-C ends it', async () => {
    const size = { stacks: 3, functions: 0, apis: 3 };
    const cwd = await tempFolder(application(size, 'v1'));
    expect(await sync({ cwd, stack: 'interrupted', env: cloud.env })).toMatchObject({ code: 0 });
    await writeFiles(cwd, application(size, 'v2'));
    const { code, stderr } = await sync({
      cwd,
      stack: 'interrupted',
      args: ['--code'],
      env: company.env,
      onStart: (child) =>
        child.stderr?.on('data', (text: string) => text.includes('Waiting for') && child.kill('SIGINT')),
    });
    expect(stderr).toContain('Waiting for the API Gateway quota: CreateDeployment, 1 per 5 s\n');
    expect(code).toBe(130);
    // not all three: another test may have used up the quota before, so that one was refused
    expect(account.count('CreateDeployment')).toBeLessThan(3);
  });
});

/** Every API of the stack `everything` has this version and every function another code than before; gives the codes. */
async function expectVersion(version: string, before: readonly string[] = []): Promise<string[]> {
  const { apigateway, lambda } = clients(cloud.endpoint);
  const { items = [] } = await apigateway.send(new GetRestApisCommand({ limit: 500 }));
  const paths = await Promise.all(
    items.map(async ({ id }) => (await apigateway.send(new GetResourcesCommand({ restApiId: id }))).items),
  );
  expect(paths.filter((resources) => resources?.some(({ path }) => path === `/${version}`))).toHaveLength(SIZE.apis);
  const functions: FunctionConfiguration[] = [];
  for (let marker: string | undefined; ;) {
    const page = await lambda.send(new ListFunctionsCommand({ Marker: marker }));
    functions.push(...(page.Functions ?? []));
    marker = page.NextMarker;
    if (!marker) break;
  }
  const own = functions.filter(({ FunctionName }) => FunctionName?.startsWith('everything-'));
  const codes = own.map(({ CodeSha256 = '' }) => CodeSha256);
  expect(new Set([...codes, ...before]).size).toBe(before.length + SIZE.stacks * SIZE.functions);
  for (const { FunctionName } of [own[0], own.at(-1)].filter((each) => each !== undefined)) {
    expect(await invoke(cloud.endpoint, `${FunctionName}:live`)).toMatch(new RegExp(` ${version}$`));
  }
  return codes;
}
