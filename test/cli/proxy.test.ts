import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { edit } from '../support/app.ts';
import { invoke, poll, runStateMachine, startTestCloud, type TestCloud } from '../support/cloud.ts';
import { startCompanyProxy, type CompanyProxy } from '../support/company-proxy.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startReadyWatch } from '../support/watch-cli.ts';

let cloud: TestCloud;
let calls: FaultProxy;
let company: CompanyProxy;

beforeAll(async () => {
  cloud = await startTestCloud();
  calls = await startFaultProxy(cloud.endpoint);
  company = await startCompanyProxy(calls.endpoint);
});
afterEach(() => company.refuse(undefined));
afterAll(async () => {
  await company.stop();
  await calls.stop();
  await cloud.stop();
});

const DEFINITION = (version: string): string => `
openapi: 3.0.1
info: {title: t, version: '${version}'}
paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, payloadFormatVersion: '1.0'}}}}
`;
const FILES = {
  'template.yaml': `
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: hello, Runtime: python3.11, Handler: app.handler, Timeout: 20, Layers: [!Ref Shared]}
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: shared}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: flow.asl.json}}
  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionUri: rest.yaml}}
  Web: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: web.yaml}}
Outputs: {Hello: {Value: !Ref Hello}, Flow: {Value: !Ref Flow}}
`,
  'hello/app.py': 'from shared import VALUE\ndef handler(event, context):\n    return f"v1 {VALUE}"\n',
  'shared/python/shared.py': 'VALUE = "v1"\n',
  'flow.asl.json': '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "v1", "End": true}}}',
  'rest.yaml': DEFINITION('1'),
  'web.yaml': DEFINITION('1'),
};

/** A company's machine has nothing that leads elsewhere. */
const MACHINE = { HTTPS_PROXY: '', https_proxy: undefined, NO_PROXY: undefined, no_proxy: undefined };

describe('behind a proxy that looks into TLS, with the host names of AWS', () => {
  it('everything goes through it: the first sync, plain syncs, --code of each type, a watch', async () => {
    const app = await tempFolder(FILES);
    // too large for one request: the bucket's host gets parts
    await fs.writeFile(path.join(app, 'hello', 'data.bin'), randomBytes(9_000_000));
    const args = ['--stack-name', 'company', '--yes', '--output', 'json'];
    const env = { ...MACHINE, ...company.env };
    const sync = async (...more: string[]) => {
      const { code, stdout, stderr } = await runCli([...args, ...more], { cwd: app, env });
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout) as { status: string; outputs: Record<string, string> };
    };
    const { outputs, status } = await sync();
    expect(status).toBe('deployed');
    expect(calls.count('UploadPart')).toBe(2);
    expect(await invoke(cloud.endpoint, outputs['Hello']!)).toBe('v1 v1');
    expect(await sync()).toMatchObject({ status: 'unchanged' });
    await edit(app, 'template.yaml', 'Timeout: 20', 'Timeout: 21');
    expect(await sync()).toMatchObject({ status: 'deployed' });

    for (const [file, from] of Object.entries({
      'hello/app.py': 'v1 ',
      'shared/python/shared.py': 'v1',
      'flow.asl.json': 'v1',
    }))
      await edit(app, file, from, from.replace('1', '2'));
    await fs.writeFile(path.join(app, 'rest.yaml'), DEFINITION('2'));
    await fs.writeFile(path.join(app, 'web.yaml'), DEFINITION('2'));
    await sync('--code');
    for (const operation of [
      'UpdateFunctionCode',
      'PublishLayerVersion',
      'UpdateStateMachine',
      'PutRestApi',
      'ReimportApi',
    ])
      expect(calls.count(operation), operation).toBe(1);
    expect(await invoke(cloud.endpoint, outputs['Hello']!)).toBe('v2 v2');
    expect(await runStateMachine(cloud.endpoint, outputs['Flow']!)).toBe('v2');

    const watch = await startReadyWatch(app, env, ['--stack-name', 'company']);
    await watch.save('hello/app.py', (text) => text.replace('v2', 'v3'), 'Hello');
    expect(await invoke(cloud.endpoint, outputs['Hello']!)).toBe('v3 v2');
    expect(await watch.stop()).toMatchObject({ code: 0 });

    const hosts = new Set(company.tunnels.map((target) => target.replace(/^aws-sam-cli-managed-[^.]+/, 'BUCKET')));
    expect([...hosts].sort()).toEqual([
      'BUCKET.s3.us-east-1.amazonaws.com:443',
      'apigateway.us-east-1.amazonaws.com:443',
      'cloudformation.us-east-1.amazonaws.com:443',
      'lambda.us-east-1.amazonaws.com:443',
      'states.us-east-1.amazonaws.com:443',
      'sts.us-east-1.amazonaws.com:443',
    ]);
    // connections are kept open; how many are in use at once depends on how fast answers come
    expect(company.tunnels.length).toBeLessThan(calls.count());
  });
});

/** A first look at the stack: that is enough to see how AWS is reached. */
async function look(env: Record<string, string | undefined>, files: Record<string, string> = {}): Promise<CliResult> {
  const cwd = await tempFolder({ 'template.yaml': 'Resources: {Queue: {Type: AWS::SQS::Queue}}', ...files });
  const machine = { ...MACHINE, ...company.env, REQUESTS_CA_BUNDLE: undefined, HOME: cwd, USERPROFILE: cwd };
  return await runCli(['--stack-name', 'look', '--dry-run'], { cwd, env: { ...machine, ...env } });
}

const proxyPort = (): string => new URL(company.url).port;

describe('the way to the proxy', () => {
  it('user name and password of its URL are sent, percent-decoded', async () => {
    const before = company.logins.length;
    const { code, stderr } = await look({ HTTPS_PROXY: `http://me:p%40ss@127.0.0.1:${proxyPort()}` });
    expect(code, stderr).toBe(0);
    expect(company.logins[before]).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  });

  it('https://: TLS to the proxy itself, whose certificate AWS_CA_BUNDLE vouches for as well', async () => {
    const secure = await startCompanyProxy(calls.endpoint, { secure: true });
    const { code, stderr } = await look(secure.env);
    expect(code, stderr).toBe(0);
    expect(secure.tunnels).toContain('cloudformation.us-east-1.amazonaws.com:443');
    const untrusted = await look({ ...secure.env, AWS_CA_BUNDLE: undefined });
    expect(untrusted.stderr).toContain(
      `the proxy ${secure.url} (HTTPS_PROXY) does not respond: its certificate is not trusted`,
    );
    expect(untrusted.stderr).toContain('AWS_CA_BUNDLE');
    await secure.stop();
  });

  it('ca_bundle of the AWS configuration does what AWS_CA_BUNDLE does', async () => {
    const config = { '.aws/config': `[default]\nca_bundle = ${company.caFile}\n` };
    const { code, stderr } = await look({ AWS_CA_BUNDLE: undefined }, config);
    expect(code, stderr).toBe(0);
  });

  it('http:// endpoints are sent to HTTP_PROXY, without a tunnel', async () => {
    const before = company.forwarded.length;
    const env = { HTTP_PROXY: company.url, AWS_ENDPOINT_URL: 'http://emulator.invalid:4566' };
    const { code, stderr } = await look(env);
    expect(code, stderr).toBe(0);
    expect(company.forwarded[before]).toBe('POST http://emulator.invalid:4566/');
    company.refuse({ status: 407 });
    expect((await look(env)).stderr).toContain(`the proxy ${company.url} (HTTP_PROXY) requires a user name`);
  });

  it('NO_PROXY and an empty https_proxy: around it', async () => {
    const before = company.tunnels.length;
    const AWS_ENDPOINT_URL = 'https://direct.invalid';
    const excluded = await look({ AWS_ENDPOINT_URL, NO_PROXY: 'example.com,.invalid' });
    const emptied = await look({ AWS_ENDPOINT_URL, https_proxy: '' });
    for (const { stderr } of [excluded, emptied])
      expect(stderr).toContain(`CloudFormation cannot be reached at ${AWS_ENDPOINT_URL}: the host name`);
    expect(company.tunnels.length).toBe(before);
  });
});

interface Obstacle {
  env?: (proxy: CompanyProxy) => Record<string, string | undefined>;
  status?: number;
  message: string;
  hint: string;
}

describe('what stands in the way is said in a sentence', () => {
  it.each<[string, Obstacle]>([
    [
      'a CA that is not known',
      {
        env: () => ({ AWS_CA_BUNDLE: undefined }),
        message:
          'CloudFormation cannot be reached at https://cloudformation.us-east-1.amazonaws.com: its certificate is not trusted',
        hint: 'AWS_CA_BUNDLE',
      },
    ],
    [
      'a CA file without certificates',
      {
        env: () => ({ AWS_CA_BUNDLE: path.resolve('package.json') }),
        message: 'package.json contains no certificates in PEM format',
        hint: 'AWS_CA_BUNDLE',
      },
    ],
    [
      'a proxy that requires a login',
      {
        status: 407,
        message:
          'the proxy {proxy} (HTTPS_PROXY) requires a user name and password (407 Proxy Authentication Required)',
        hint: 'Set HTTPS_PROXY to http://user:password@',
      },
    ],
    [
      'a login that is not accepted; the password is not shown',
      {
        status: 407,
        env: ({ url }) => ({ HTTPS_PROXY: url.replace('//', '//me:secret@') }),
        message: 'the proxy {proxy} (HTTPS_PROXY) rejected the user name and password (407',
        hint: 'percent-encoded',
      },
    ],
    [
      'a proxy that does not allow the host',
      {
        status: 403,
        message:
          'the proxy {proxy} (HTTPS_PROXY) refused a connection to cloudformation.us-east-1.amazonaws.com:443 (403 Forbidden)',
        hint: 'NO_PROXY',
      },
    ],
    [
      'a proxy that cannot reach the host',
      {
        status: 503,
        message:
          'the proxy {proxy} (HTTPS_PROXY) could not connect to cloudformation.us-east-1.amazonaws.com:443 (503 Service Unavailable)',
        hint: 'Region',
      },
    ],
    [
      'a proxy that is down',
      {
        env: () => ({ HTTPS_PROXY: 'http://127.0.0.1:1' }),
        message: 'the proxy http://127.0.0.1:1 (HTTPS_PROXY) does not respond: the connection was refused',
        hint: 'Check HTTPS_PROXY',
      },
    ],
    [
      'a proxy of another kind',
      {
        env: () => ({ HTTPS_PROXY: 'socks5://me:secret@127.0.0.1:1080' }),
        message: 'HTTPS_PROXY is not the URL of an HTTP proxy: socks5://***@127.0.0.1:1080',
        hint: 'http://host:port',
      },
    ],
  ])('%s', async (_name, { env, status, message, hint }) => {
    if (status !== undefined) company.refuse({ status });
    const { code, stderr } = await look(env?.(company) ?? {});
    expect(code).toBe(1);
    expect(stderr).toContain(message.replace('{proxy}', company.url));
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain('secret');
    expect(stderr).not.toContain('    at ');
  });

  it('a proxy that never answers: Ctrl-C ends the wait at once', async () => {
    company.refuse('silence');
    const before = company.tunnels.length;
    const cwd = await tempFolder({ 'template.yaml': 'Resources: {Queue: {Type: AWS::SQS::Queue}}' });
    const { code } = await runCli(['--stack-name', 'look', '--dry-run'], {
      cwd,
      env: { ...MACHINE, ...company.env },
      onStart: (child) =>
        void poll(async () => (company.tunnels.length > before ? true : undefined)).then(() => child.kill('SIGINT')),
    });
    expect(code).toBe(130);
  });
});
