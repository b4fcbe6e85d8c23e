import * as fs from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import * as path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { poll } from '../support/cloud.ts';
import { runCli, type CliOptions, type CliResult } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { openCloud } from '../support/open-cloud.ts';

const { cloud, proxy } = await openCloud();

afterEach(() => proxy.clear());

const QUEUE = { 'template.yaml': 'Resources: {Queue: {Type: AWS::SQS::Queue}}' };

interface Run extends Partial<CliOptions> {
  args?: readonly string[];
  files?: Record<string, string>;
}

/** Syncs a stack of an application of its own; by default the command only looks at it. */
async function run({ args = ['--dry-run'], files = QUEUE, env = {}, ...more }: Run = {}): Promise<CliResult> {
  const cwd = await tempFolder(files);
  return await runCli(['--stack-name', 'calls', '--yes', ...args], {
    cwd,
    env: {
      HOME: cwd,
      USERPROFILE: cwd,
      REQUESTS_CA_BUNDLE: undefined,
      // the check of signatures takes a key that it does not know for its own secret (aws-contract/extension.py)
      AWS_ACCESS_KEY_ID: 'hidden',
      AWS_SECRET_ACCESS_KEY: 'hidden',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: proxy.endpoint,
      ...env,
    },
    ...more,
  });
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('calls', () => {
  it('are shown by --debug with service, operation, time and attempts; secrets are not', async () => {
    proxy.fault({ operation: 'DescribeStacks' }, { kind: 'reset', when: 'before' });
    const { code, stdout, stderr } = await run({ args: ['--dry-run', '--debug'] });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^ {2}CloudFormation\.DescribeStacks [\d.]+ s, 2 attempts, ValidationError$/m);
    expect(stderr).toMatch(/^ {2}STS\.GetCallerIdentity [\d.]+ s$/m);
    expect(stdout + stderr).not.toContain('hidden');
  });

  it('bear our name', async () => {
    await run();
    expect(proxy.calls[0]?.headers['user-agent']).toMatch(new RegExp(` sam-sync/${manifest.version}( |$)`));
  });

  it('go over a few connections that are kept open', async () => {
    const before = proxy.connections();
    expect(await run({ args: ['--stack-name', 'connections'] })).toMatchObject({ code: 0 });
    expect(proxy.count()).toBeGreaterThan(7);
    // two at most go on at the same time
    expect(proxy.connections() - before).toBeLessThanOrEqual(3);
  });

  const FUNCTION = {
    'template.yaml': `
Transform: AWS::Serverless-2016-10-31
Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: f, Runtime: python3.11, Handler: app.handler}}}`,
    'f/app.py': 'def handler(event, context): pass\n',
  };

  it('do not compare the functions that CloudFormation has just created, and do the next time', async () => {
    const { code, stdout, stderr } = await run({ args: ['--stack-name', 'new', '--output', 'json'], files: FUNCTION });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'deployed', resources: [{ id: 'F', outcome: 'unchanged' }] });
    expect(proxy.calls.filter(({ service }) => service === 'lambda')).toEqual([]);
    expect(await run({ args: ['--stack-name', 'new'], files: FUNCTION })).toMatchObject({ code: 0 });
    expect(proxy.count('GetFunction')).toBe(1);
  });

  it('compare functions of a new stack whose files differ only in mode: their zips have one key', async () => {
    const code = { Type: 'AWS::Serverless::Function', Properties: { Runtime: 'python3.11', Handler: 'app.handler' } };
    const of = (CodeUri: string): object => ({ ...code, Properties: { ...code.Properties, CodeUri } });
    const template = {
      Transform: 'AWS::Serverless-2016-10-31',
      Resources: { Plain: of('plain'), Program: of('program') },
    };
    const cwd = await tempFolder({
      'template.yaml': JSON.stringify(template),
      'plain/app.py': 'def handler(event, context): pass\n',
      'program/app.py': 'def handler(event, context): pass\n',
    });
    await fs.chmod(path.join(cwd, 'program/app.py'), 0o755);
    const { stdout, stderr } = await run({ cwd, args: ['--stack-name', 'modes', '--output', 'json'] });
    const { resources } = JSON.parse(stdout) as { resources: { outcome: string }[] };
    // S3 has one of the two zips
    expect(resources.map(({ outcome }) => outcome).sort(), stderr).toEqual(
      process.platform === 'win32' ? ['unchanged', 'unchanged'] : ['synced', 'unchanged'],
    );
  });

  it('use buckets by path where the endpoint is custom, and no newer checksums', async () => {
    const { code, stderr } = await run({ args: ['--stack-name', 'paths', '--s3-prefix', 'a b/ü'], files: FUNCTION });
    expect(code, stderr).toBe(0);
    const put = proxy.calls.find((call) => call.operation === 'PutObject');
    expect(put?.path).toMatch(/^\/aws-sam-cli-managed-default-[\w-]+\/a%20b\/%C3%BC\/\w{32}\?/);
    expect(Object.keys(put?.headers ?? {}).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([]);
  });
});

describe('retries', () => {
  it('a service that fails for a while is asked again', async () => {
    proxy.fault({ operation: 'GetTemplate' }, { kind: 'error', status: 503 }, { times: 3 });
    expect(await run()).toMatchObject({ code: 0 });
    expect(proxy.count('GetTemplate')).toBe(4);
  });

  it('as often as AWS_MAX_ATTEMPTS says', async () => {
    proxy.fault({ operation: 'DescribeStacks' }, { kind: 'throttle' }, { times: 9 });
    const { code, stderr } = await run({ env: { AWS_MAX_ATTEMPTS: '2' } });
    expect(code).toBe(1);
    expect(stderr).toContain('CloudFormation throttled DescribeStacks after 2 attempts');
    expect(proxy.count('DescribeStacks')).toBe(2);
  });

  it('a quota is not an overload', async () => {
    const fault = { kind: 'error', status: 400, code: 'LimitExceededException', message: 'Too many stacks' } as const;
    proxy.fault({ operation: 'DescribeStacks' }, fault);
    const { stderr } = await run();
    expect(stderr).toMatch(/Too many stacks \(LimitExceededException/);
    expect(proxy.count('DescribeStacks')).toBe(1);
  });

  it('a connection that is lost once the service has answered is a passing thing', async () => {
    proxy.fault({ operation: 'DescribeStackEvents' }, { kind: 'reset', when: 'before' }, { times: 4 });
    expect(await run({ args: ['--stack-name', 'passing'] })).toMatchObject({ code: 0 });
    expect(proxy.calls.filter(({ fault }) => fault === 'reset')).toHaveLength(4);
  });

  it('end at once when the run is interrupted', async () => {
    proxy.fault({}, { kind: 'throttle' }, { times: Infinity });
    const { code } = await run({
      onStart: (child) =>
        void poll(async () => (proxy.count() > 2 ? true : undefined)).then(() => child.kill('SIGINT')),
    });
    expect(code).toBe(130);
  });
});

describe('an answer that is not one of AWS is none', () => {
  const id = { 'x-amzn-requestid': 'half' };
  it.each([
    [{ kind: 'html' }, 'a web page answered instead of AWS (HTTP status 200)'],
    [{ kind: 'answer' }, 'the answer is empty (HTTP status 200)'],
    [{ kind: 'answer', headers: { ...id, 'content-length': '0' } }, 'the answer is empty (HTTP status 200)'],
    [
      { kind: 'answer', headers: id, body: '<DescribeStacksRes' },
      'the answer is incomplete or not one of AWS (HTTP status 200)',
    ],
    [{ kind: 'truncate' }, 'the connection was closed before the end of the answer (HTTP status 200)'],
    [{ kind: 'hang' }, 'the request timed out'],
  ] as const)('%o', async (fault, reason) => {
    const { code: created } = await run({ args: ['--stack-name', 'answers'] });
    expect(created).toBe(0);
    proxy.fault({ operation: 'DescribeStacks' }, fault, { times: Infinity });
    const env = { AWS_MAX_ATTEMPTS: '2', SAM_SYNC_REQUEST_TIMEOUT: '1' };
    const { code, stderr } = await run({ args: ['--stack-name', 'answers', '--dry-run'], env });
    expect(stderr).toContain(`Error: CloudFormation cannot be reached at ${proxy.endpoint}: ${reason}`);
    expect(code).toBe(1);
    proxy.clear();
    proxy.fault({ operation: 'DescribeStacks' }, fault);
    expect(await run({ args: ['--stack-name', 'answers', '--dry-run'], env })).toMatchObject({ code: 0 });
  });
});

describe('an endpoint that cannot be reached', () => {
  it('a closed port: a sentence after three attempts', async () => {
    const endpoint = `http://127.0.0.1:${await closedPort()}`;
    const { code, stderr } = await run({ env: { AWS_ENDPOINT_URL: endpoint }, args: ['--dry-run', '--debug'] });
    expect(code).toBe(1);
    expect(stderr).toContain(`Error: CloudFormation cannot be reached at ${endpoint}: the connection was refused`);
    expect(stderr).toContain('sam-sync cloud start');
    expect(stderr).toMatch(/CloudFormation\.\w+ [\d.]+ s, 3 attempts, ECONNREFUSED/);
  });

  it('a host that is not known', async () => {
    const { stderr } = await run({ env: { AWS_ENDPOINT_URL: 'http://nowhere.invalid:4566' } });
    expect(stderr).toContain('CloudFormation cannot be reached at http://nowhere.invalid:4566: the host name ');
  });
});

describe('certificates', () => {
  it('are trusted when AWS_CA_BUNDLE names them, else the sentence says how', async () => {
    const [key, cert] = await Promise.all(
      ['localhost.key', 'localhost.pem'].map((name) => fs.readFile(`test/fixtures/aws/${name}`)),
    );
    const server = https.createServer({ key, cert }, (request, response) => {
      const { method, url, headers } = request;
      const outgoing = http.request(cloud.endpoint, { method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(outgoing);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    const AWS_CA_BUNDLE = `${process.cwd()}/test/fixtures/aws/localhost.pem`;
    const trusted = await run({ env: { AWS_ENDPOINT_URL: endpoint, AWS_CA_BUNDLE } });
    expect(trusted, trusted.stderr).toMatchObject({ code: 0 });
    const { stderr } = await run({ env: { AWS_ENDPOINT_URL: endpoint } });
    expect(stderr).toContain(`CloudFormation cannot be reached at ${endpoint}: its certificate is not trusted`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
