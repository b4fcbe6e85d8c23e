import * as fs from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAws, type AwsOptions } from '../../src/aws/aws.ts';
import { AwsError } from '../../src/aws/service-errors.ts';
import type { SyncEvent } from '../../src/console/reporter.ts';
import { describeStack } from '../../src/deploy/describe-stack.ts';
import { poll, startTestCloud, type TestCloud } from '../support/cloud.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { tempFolder } from '../support/temp-folder.ts';

let cloud: TestCloud;
let proxy: FaultProxy;

beforeAll(async () => {
  cloud = await startTestCloud();
  proxy = await startFaultProxy(cloud.endpoint);
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await proxy.stop();
  await cloud.stop();
});

const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'hidden', AWS_REGION: 'us-east-1' };

/** A run with just these variables (and no files). */
function run(env: Record<string, string> = {}, options: Partial<AwsOptions> = {}) {
  const events: SyncEvent[] = [];
  const reporter = { report: (event: SyncEvent) => void events.push(event) };
  const controller = new AbortController();
  const files = { HOME: '/nowhere', USERPROFILE: '/nowhere' };
  const aws = createAws({
    env: { ...files, ...KEYS, AWS_ENDPOINT_URL: proxy.endpoint, ...env },
    reporter,
    signal: controller.signal,
    version: '1.2.3',
    ...options,
  });
  const calls = () => events.flatMap((event) => (event.type === 'api-call' ? [event] : []));
  return { aws, calls, controller, events };
}

async function rejection(promise: Promise<unknown>): Promise<AwsError> {
  const error: unknown = await promise.then(
    () => new Error('it was fulfilled'),
    (reason: unknown) => reason,
  );
  return error as AwsError;
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
  it('are reported with service, operation, time and attempts; secrets are not', async () => {
    const { aws, calls, events } = run();
    proxy.fault({ operation: 'DescribeStacks' }, { kind: 'reset', when: 'before' });
    await describeStack(aws, 'nowhere');
    const { send, GetCallerIdentityCommand } = await aws.sts();
    await send(new GetCallerIdentityCommand({}));
    expect(calls()).toEqual([
      {
        type: 'api-call',
        service: 'CloudFormation',
        operation: 'DescribeStacks',
        ms: expect.any(Number),
        attempts: 2,
        error: 'ValidationError',
      },
      {
        type: 'api-call',
        service: 'STS',
        operation: 'GetCallerIdentity',
        ms: expect.any(Number),
        attempts: 1,
        error: undefined,
      },
    ]);
    expect(JSON.stringify(events)).not.toContain('hidden');
  });

  it('bear our name', async () => {
    await describeStack(run().aws, 'nowhere');
    expect(proxy.calls[0]?.headers['user-agent']).toMatch(/ sam-sync\/1\.2\.3( |$)/);
  });

  it('go over one connection that is kept open; each client is made once', async () => {
    const { aws } = run();
    expect(await aws.cloudFormation()).toBe(await aws.cloudFormation());
    const before = proxy.connections();
    await describeStack(aws, 'a');
    await describeStack(aws, 'b');
    const { send, GetCallerIdentityCommand } = await aws.sts();
    await send(new GetCallerIdentityCommand({}));
    expect(proxy.connections() - before).toBe(1);
  });

  it('use buckets by path where the endpoint is custom, and no newer checksums', async () => {
    const { aws } = run();
    const { send, PutObjectCommand, HeadObjectCommand } = await aws.s3();
    const { CreateBucketCommand } = await import('@aws-sdk/client-s3');
    await send(new CreateBucketCommand({ Bucket: 'by-path' }));
    await send(new PutObjectCommand({ Bucket: 'by-path', Key: 'a b/ü', Body: Buffer.from('x') }));
    expect(await send(new HeadObjectCommand({ Bucket: 'by-path', Key: 'a b/ü' }))).toMatchObject({ ContentLength: 1 });
    const put = proxy.calls.find((call) => call.operation === 'PutObject');
    expect(put?.path).toMatch(/^\/by-path\/a%20b\/%C3%BC/);
    expect(Object.keys(put?.headers ?? {}).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([]);
  });

  it.each(['apiGateway', 'apiGatewayV2', 'stepFunctions', 'ecr', 'lambda'] as const)('%s is there', async (service) => {
    expect(await run().aws[service]()).toMatchObject({ client: expect.anything(), send: expect.any(Function) });
  });
});

describe('retries', () => {
  it('a service that fails for a while is asked again', async () => {
    const { aws } = run();
    proxy.fault({}, { kind: 'error', status: 503 }, { times: 3 });
    expect(await describeStack(aws, 'nowhere')).toBeUndefined();
    expect(proxy.count('DescribeStacks')).toBe(4);
  });

  it('as often as AWS_MAX_ATTEMPTS says', async () => {
    const { aws } = run({ AWS_MAX_ATTEMPTS: '2' });
    proxy.fault({}, { kind: 'throttle' }, { times: 9 });
    expect(await rejection(describeStack(aws, 'nowhere'))).toMatchObject({ kind: 'throttled', attempts: 2 });
    expect(proxy.count('DescribeStacks')).toBe(2);
  });

  it('a quota is not an overload', async () => {
    const { aws } = run();
    proxy.fault({}, { kind: 'error', status: 400, code: 'LimitExceededException', message: 'Too many stacks' });
    expect(await rejection(describeStack(aws, 'x'))).toMatchObject({ code: 'LimitExceededException', attempts: 1 });
    expect(proxy.count()).toBe(1);
  });

  it('end at once when the run is interrupted', async () => {
    const { aws, controller } = run();
    proxy.fault({}, { kind: 'throttle' }, { times: Infinity });
    const describing = rejection(describeStack(aws, 'x'));
    await poll(() => Promise.resolve(proxy.count() > 1 ? true : undefined));
    const reason = new Error('stop');
    controller.abort(reason);
    expect(await describing).toBe(reason);
    expect(await rejection(describeStack(aws, 'y'))).toBe(reason);
  });
});

describe('an endpoint that cannot be reached', () => {
  it('a closed port: a sentence after three attempts', async () => {
    const endpoint = `http://127.0.0.1:${await closedPort()}`;
    const { aws, calls } = run({ AWS_ENDPOINT_URL: endpoint });
    const error = await rejection(describeStack(aws, 'app'));
    expect(error).toBeInstanceOf(AwsError);
    expect(error.message).toBe(`CloudFormation cannot be reached at ${endpoint}: the connection was refused`);
    expect(error.hint).toContain('Is the local cloud running?');
    expect(calls()).toMatchObject([{ attempts: 3, error: 'ECONNREFUSED' }]);
  });

  it('a host that is not known', async () => {
    const { aws } = run({ AWS_ENDPOINT_URL: 'http://nowhere.invalid:4566' });
    const error = await rejection(describeStack(aws, 'app'));
    expect(error.message).toMatch(
      /^CloudFormation cannot be reached at http:\/\/nowhere\.invalid:4566: the host name /,
    );
    expect(error.attempts).toBe(2);
  });

  it('once it has answered, a lost connection is a passing thing', async () => {
    const { aws } = run();
    await describeStack(aws, 'a');
    await proxy.close();
    const describing = describeStack(aws, 'b');
    await proxy.open();
    expect(await describing).toBeUndefined();
  });
});

/** A forward proxy: absolute URLs for http, CONNECT for https. */
async function startForwardProxy(): Promise<{ url: string; seen: string[]; stop: () => Promise<unknown> }> {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const target = new URL(request.url ?? '');
    const forwarded = new URL(target.pathname + target.search, proxy.endpoint);
    const outgoing = http.request(forwarded, { method: request.method, headers: request.headers }, (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, incoming.headers);
      incoming.pipe(response);
    });
    request.pipe(outgoing);
  });
  server.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const stop = (): Promise<unknown> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, seen, stop };
}

describe('proxies', () => {
  it('http goes through HTTP_PROXY, https through HTTPS_PROXY, NO_PROXY and this machine through none', async () => {
    const forward = await startForwardProxy();
    const env = {
      HTTP_PROXY: forward.url,
      HTTPS_PROXY: forward.url,
      NO_PROXY: 'direct.invalid',
      AWS_MAX_ATTEMPTS: '1',
    };
    expect(await describeStack(run({ ...env, AWS_ENDPOINT_URL: 'http://aws.invalid' }).aws, 'x')).toBeUndefined();
    await rejection(describeStack(run({ ...env, AWS_ENDPOINT_URL: 'https://aws.invalid' }).aws, 'x'));
    await rejection(describeStack(run({ ...env, AWS_ENDPOINT_URL: 'https://direct.invalid' }).aws, 'x'));
    expect(await describeStack(run(env).aws, 'x')).toBeUndefined();
    expect(forward.seen).toEqual(['POST http://aws.invalid/', 'CONNECT aws.invalid:443']);
    await forward.stop();
  });
});

describe('certificates', () => {
  it('are trusted when AWS_CA_BUNDLE names them, else the sentence says how', async () => {
    const server = https.createServer(
      {
        key: await fs.readFile('test/fixtures/aws/localhost.key'),
        cert: await fs.readFile('test/fixtures/aws/localhost.pem'),
      },
      (_request, response) => response.writeHead(400, { 'content-type': 'text/xml' }).end(NO_SUCH_STACK),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    const AWS_CA_BUNDLE = 'test/fixtures/aws/localhost.pem';
    const { aws } = run({ AWS_ENDPOINT_URL: endpoint, AWS_CA_BUNDLE });
    expect(await describeStack(aws, 'x')).toBeUndefined();
    const error = await rejection(describeStack(run({ AWS_ENDPOINT_URL: endpoint }).aws, 'x'));
    expect(error.message).toContain(`CloudFormation cannot be reached at ${endpoint}: its certificate is not trusted`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

const NO_SUCH_STACK =
  '<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id x does not exist</Message></Error></ErrorResponse>';

it('the local cloud: given endpoint and credentials, nothing of the user is read', async () => {
  const home = await tempFolder({ '.aws/config': '[default]\nregion = eu-west-1\nendpoint_url = http://real.invalid' });
  const env = {
    HOME: home,
    AWS_PROFILE: 'nowhere',
    AWS_ACCESS_KEY_ID: 'REAL',
    AWS_ENDPOINT_URL: 'http://real.invalid',
  };
  const { aws } = run(env, {
    endpoint: proxy.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    region: 'us-west-2',
  });
  await describeStack(aws, 'x');
  expect(await aws.region()).toBe('us-west-2');
  expect(proxy.calls[0]?.headers.authorization).toContain('Credential=local/');
});
