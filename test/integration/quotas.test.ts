/**
 * The quotas of an AWS account, behind AWS's own host names: calls to an endpoint on this machine are not paced.
 * `npm run reliability test/integration/quotas.test.ts` takes 60 functions, 16 REST APIs and 20 nested stacks.
 */
import { GetResourcesCommand, GetRestApisCommand } from '@aws-sdk/client-api-gateway';
import { ListFunctionsCommand, type FunctionConfiguration } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients, invoke, startTestCloud, type TestCloud } from '../support/cloud.ts';
import { startCompanyProxy, type CompanyProxy } from '../support/company-proxy.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { leastSeconds } from '../support/quotas.ts';
import { FULL_SIZE, recordReliability } from '../support/reliability.ts';
import { runCli, type CliOptions } from '../support/run-cli.ts';
import { tempFolder, writeFiles } from '../support/temp-folder.ts';

/** Nested stacks, functions in each of them, and how many of them have a REST API. */
interface Size {
  stacks: number;
  functions: number;
  apis: number;
}

const SIZE: Size = FULL_SIZE ? { stacks: 20, functions: 3, apis: 16 } : { stacks: 3, functions: 4, apis: 2 };
/** Seconds that a function is busy after each change. */
const BUSY = FULL_SIZE ? '0-10' : '0-0.3';
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
  const seconds = (performance.now() - started) / 1_000;
  const accepted = account.calls.filter(({ fault }) => fault !== 'throttle');
  const figures = { calls: account.count(), refused: account.count() - accepted.length, seconds };
  const outcomes = (document.resources ?? []).map(({ outcome }) => outcome);
  return { code, document, stderr, outcomes, ...figures, least: leastSeconds(accepted) };
}

/** `unpaced`: the same deployment where no quota is near, so what the command and the emulator take themselves. */
function record(figures: Record<'code' | 'deployment' | 'unpaced', Awaited<ReturnType<typeof sync>>>): void {
  const { stacks, functions, apis } = SIZE;
  const { code, deployment, unpaced } = figures;
  const row = (name: string, { calls, refused, seconds, least }: typeof code, own: number): string[] => {
    const ratio = ((seconds - own) / least).toFixed(2);
    return [name, `${calls}`, `${refused}`, ...[seconds, own, least].map((time) => time.toFixed(1)), ratio];
  };
  recordReliability('test/integration/quotas.test.ts', {
    class: 'Quotas',
    injected: `an account with documented quotas: ${stacks * functions} functions, ${apis} REST APIs and ${stacks} nested stacks, all changed`,
    times: code.calls + deployment.calls,
    lost: 0,
    notes: [
      `Functions are busy for ${BUSY} seconds after each update.`,
      '`Own` is the time of the same deployment without quotas: what the build, the uploads and the local cloud take. A code sync does all that while it waits, so nothing is subtracted.',
      '`Quotas need` is the least time in which an account accepts these calls. `Ratio` is (time − own) / quotas need; below 1, the waits overlap with that work.',
    ],
    table: {
      header: ['Sync', 'Calls', 'Refused', 'Time (s)', 'Own (s)', 'Quotas need (s)', 'Ratio'],
      rows: [row('`--code`', code, 0), row('Deployment', deployment, unpaced.seconds)],
    },
  });
}

describe('the quotas of an account', { timeout: FULL_SIZE ? 1_200_000 : 120_000 }, () => {
  it('a code sync and a deployment of everything arrive, with hardly a refusal', async () => {
    const cwd = await tempFolder(application(SIZE, 'all1'));
    const stack = 'everything';
    // past the quotas
    expect(await sync({ cwd, stack, env: cloud.env })).toMatchObject({ code: 0 });

    await writeFiles(cwd, application(SIZE, 'all2'));
    const code = await sync({ cwd, stack, args: ['--code'], env: company.env });
    expect(code.outcomes, code.stderr).toEqual(Array(SIZE.stacks * SIZE.functions + SIZE.apis).fill('synced'));
    expect(code.refused).toBeLessThanOrEqual(code.calls * 0.05);
    const codes = await expectVersion('all2');

    await writeFiles(cwd, application(SIZE, 'all3', 21));
    const deployment = await sync({ cwd, stack, env: company.env });
    expect(deployment, deployment.stderr).toMatchObject({ code: 0, document: { status: 'deployed' } });
    expect(deployment.refused).toBeLessThanOrEqual(deployment.calls * 0.05);
    // stacks are listed, not asked resource by resource
    expect(account.count('DescribeStackResource')).toBe(0);
    await expectVersion('all3', codes);
    if (!FULL_SIZE) return;
    await writeFiles(cwd, application(SIZE, 'all4', 22));
    record({ code, deployment, unpaced: await sync({ cwd, stack, env: cloud.env }) });
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
