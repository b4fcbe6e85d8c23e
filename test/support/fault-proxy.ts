/**
 * An HTTP proxy between our AWS clients and the emulator that misbehaves on command, because the emulator does not:
 *
 * ```ts
 * const proxy = await startFaultProxy(cloud.endpoint);            // then use proxy.endpoint instead of cloud.endpoint
 * proxy.fault({ operation: 'UpdateStack' }, { kind: 'throttle' }); // the next one; { times: 3 }, { skip: 1 } for others
 * proxy.fault({ service: 's3' }, { kind: 'reset', when: 'after-answer' }, { times: Infinity });
 * const past = proxy.freeze({ operation: 'GetStages' });           // answers stay what they are now, until past.release()
 * const held = proxy.hold({ operation: 'DescribeStackEvents' });   // await held.arrived; held.release();
 * expect(proxy.count('DescribeStacks')).toBe(1);                   // calls are counted by service and operation
 * proxy.clear();                                                   // forget rules and calls
 * await proxy.stop();
 * ```
 *
 * Faults: `delay` (then as usual), `throttle` and `error` (shaped as the service shapes its errors), `reset` (the
 * connection is cut `before` the request is passed on, or `after-answer`: the service did it but nobody hears of it),
 * `truncate` (half of the answer, then cut), `rewrite` (another request is passed on), `answer` (nothing is passed on: the
 * proxy answers by itself, by default with an empty 200), `change` (another answer comes back). Services are named as in the request's signature: `cloudformation`, `s3`,
 * `lambda`, `apigateway` (both API types), `states`, `ecr`, `sts`. Operations as in the API reference; a REST call that
 * the table below does not know is `METHOD /path`.
 *
 * `startFaultProxy(endpoint, { quotas: true })` has the quotas of an AWS account and refuses what exceeds them (`quotas.ts`);
 * such calls have the fault `throttle`. `{ pageSize: 2 }` cuts lists into pages of two (`pages.ts`).
 */
import * as http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { listPage } from './pages.ts';
import { createQuotas } from './quotas.ts';

/** A request that came by. */
export interface ProxiedCall {
  service: string;
  operation: string;
  method: string;
  /** With its query. */
  path: string;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** Of the answer; undefined while there is none, and after a reset. */
  status: number | undefined;
  /** When that answer was there (`performance.now()`). */
  answeredAt: number | undefined;
  /** The fault that it met. */
  fault: Fault['kind'] | undefined;
}

/** What can go wrong. */
type Fault =
  | { kind: 'delay'; ms: number }
  | { kind: 'throttle' }
  | { kind: 'error'; status: number; code?: string; message?: string }
  | { kind: 'reset'; when: 'before' | 'after-answer' }
  | { kind: 'truncate' }
  | { kind: 'rewrite'; body: (text: string) => string }
  | { kind: 'answer'; status?: number; headers?: Record<string, string>; body?: string }
  | { kind: 'change'; body: (text: string) => string }
  | { kind: 'freeze'; answers: Map<string, Answer> }
  | { kind: 'hold'; when: HoldPoint; arrived: () => void; released: Promise<void> };

/** Before the request is passed on (never, if its client has gone when it is released), or when the service has answered. */
type HoldPoint = 'before' | 'after-answer';

/** Which calls a rule is for; nothing given: all. */
interface CallMatch {
  service?: string;
  operation?: string;
  when?: (call: ProxiedCall) => boolean;
}

/** A proxy under way. */
export interface FaultProxy {
  endpoint: string;
  port: number;
  /** Every call since the start or `clear`, in the order in which they came. */
  readonly calls: readonly ProxiedCall[];
  /** Calls of this operation; all without one. */
  count(operation?: string): number;
  /** Connections that clients opened since the start. */
  connections(): number;
  /** Lets matching calls fail: the next one, or `times` of them after `skip` others. */
  fault(
    match: CallMatch,
    fault: Exclude<Fault, { kind: 'hold' | 'freeze' }>,
    how?: { times?: number; skip?: number },
  ): void;
  /** Gives to each matching request the answer that the first of its kind got from now on, as an outdated replica does. */
  freeze(match: CallMatch): { release: () => void };
  /** Keeps matching calls waiting until released. `arrived` resolves with the first one. */
  hold(match: CallMatch, when?: HoldPoint): { arrived: Promise<void>; release: () => void };
  /** Refuses connections until `open`, as a service that is gone. */
  close(): Promise<void>;
  open(): Promise<void>;
  clear(): void;
  stop(): Promise<void>;
}

interface Rule {
  match: CallMatch;
  fault: Fault;
  times: number;
  skip: number;
}

/** What is like AWS all the time, without a rule. */
export interface AccountOptions {
  quotas?: boolean;
  pageSize?: number;
}

/** Starts a proxy in front of `target` (a URL) on a free port of 127.0.0.1. */
export async function startFaultProxy(target: string, options: AccountOptions = {}): Promise<FaultProxy> {
  const calls: ProxiedCall[] = [];
  const quotas = options.quotas ? createQuotas() : undefined;
  let rules: Rule[] = [];
  const faultFor = (call: ProxiedCall): Fault | undefined => {
    const rule = rules.find(
      (candidate) => candidate.times > 0 && matches(candidate.match, call) && candidate.skip-- <= 0,
    );
    if (rule !== undefined) rule.times--;
    if (quotas?.refuses(call, performance.now())) return { kind: 'throttle' };
    return rule?.fault;
  };
  const { pageSize = Infinity } = options;
  let connections = 0;
  const createServer = (): http.Server =>
    http
      .createServer((request, response) => {
        const exchange = { request, response, target: new URL(target), calls, faultFor, pageSize };
        void serve(exchange).catch(() => response.destroy());
      })
      .on('connection', () => connections++);
  let server = createServer();
  const port = await listen(server, 0);
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    calls,
    count: (operation) => calls.filter((call) => operation === undefined || call.operation === operation).length,
    connections: () => connections,
    fault: (match, fault, { times = 1, skip = 0 } = {}) => void rules.push({ match, fault, times, skip }),
    freeze: (match) => {
      const rule: Rule = { match, fault: { kind: 'freeze', answers: new Map() }, times: Infinity, skip: 0 };
      rules.push(rule);
      return { release: () => void (rule.times = 0) };
    },
    hold: (match, when = 'before') => {
      const arrived = deferred();
      const released = deferred();
      const fault: Fault = { kind: 'hold', when, arrived: arrived.resolve, released: released.promise };
      const rule: Rule = { match, fault, times: Infinity, skip: 0 };
      rules.push(rule);
      return {
        arrived: arrived.promise,
        release: () => {
          rule.times = 0;
          released.resolve();
        },
      };
    },
    close: stop,
    open: async () => {
      server = createServer();
      await listen(server, port);
    },
    clear: () => {
      rules = [];
      calls.length = 0;
    },
    stop,
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  const gate = new AbortController();
  const promise = new Promise<void>((resolve) => gate.signal.addEventListener('abort', () => resolve()));
  return { promise, resolve: () => gate.abort() };
}

function listen(server: http.Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

interface Exchange {
  request: http.IncomingMessage;
  response: http.ServerResponse;
  target: URL;
  calls: ProxiedCall[];
  faultFor: (call: ProxiedCall) => Fault | undefined;
  pageSize: number;
}

async function serve(exchange: Exchange): Promise<void> {
  const { request: incoming, response, target, calls, faultFor, pageSize } = exchange;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const call = describeCall(incoming, Buffer.concat(chunks));
  calls.push(call);
  const fault = faultFor(call);
  call.fault = fault?.kind;
  if (fault?.kind === 'delay') await delay(fault.ms);
  if (fault?.kind === 'hold' && fault.when === 'before') {
    fault.arrived();
    await fault.released;
    if (response.destroyed) return;
  }
  if (fault?.kind === 'reset' && fault.when === 'before') return void response.destroy();
  if (fault?.kind === 'throttle' || fault?.kind === 'error') {
    const answer = shapeError(call.service, fault);
    call.status = answer.status;
    response.writeHead(answer.status, answer.headers).end(answer.body);
    return;
  }
  if (fault?.kind === 'answer') {
    call.status = fault.status ?? 200;
    response.writeHead(call.status, fault.headers).end(fault.body ?? '');
    return;
  }
  const body = fault?.kind === 'rewrite' ? Buffer.from(fault.body(call.body.toString())) : call.body;
  const request = `${call.method} ${call.path} ${body.toString('latin1')}`;
  const answers = fault?.kind === 'freeze' ? fault.answers : new Map<string, Answer>();
  const answer = answers.get(request) ?? (await forwardPage(call, { body, target, pageSize }));
  answers.set(request, answer);
  if (fault?.kind === 'hold' && fault.when === 'after-answer') {
    fault.arrived();
    await fault.released;
  }
  if (fault?.kind === 'reset') return void response.destroy();
  call.status = answer.status;
  call.answeredAt = performance.now();
  if (fault?.kind === 'change') {
    const changed = Buffer.from(fault.body(answer.body.toString()));
    response.writeHead(answer.status, { ...answer.headers, 'content-length': changed.length }).end(changed);
    return;
  }
  response.writeHead(answer.status, answer.headers);
  if (fault?.kind !== 'truncate') return void response.end(answer.body);
  response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), () => response.destroy());
}

interface Answer {
  status: number;
  headers: http.OutgoingHttpHeaders;
  body: Buffer;
}

async function forwardPage(
  call: ProxiedCall,
  { body, target, pageSize }: Pick<Exchange, 'target' | 'pageSize'> & { body: Buffer },
): Promise<Answer> {
  const page = pageSize === Infinity ? undefined : listPage({ ...call, body }, pageSize);
  if (page === undefined) return forward(call, body, target);
  const { path, body: wholeBody } = page.request;
  const headers = { ...call.headers, 'test-signed-path': call.headers['test-signed-path'] ?? call.path };
  const answer = await forward({ ...call, path, headers }, wholeBody, target);
  if (answer.status !== 200) return answer;
  const cut = Buffer.from(page.cut(answer.body.toString()));
  return { ...answer, headers: { ...answer.headers, 'content-length': cut.length }, body: cut };
}

function forward({ method, path, headers, body: signedBody }: ProxiedCall, body: Buffer, target: URL): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { 'transfer-encoding': _chunked, ...kept } = headers;
    // for the check of the signature, which covers the host and the body (aws-contract/extension.py)
    const signedHost = headers['test-signed-host'] ?? headers.host;
    const signed = { 'test-signed-host': signedHost, ...(body === signedBody ? {} : { 'test-changed': 'body' }) };
    const sent = { ...kept, ...signed, host: target.host, 'content-length': body.length };
    const outgoing = http.request(target, { method, path, headers: sent, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const { 'transfer-encoding': _chunked, ...kept } = incoming.headers;
        resolve({ status: incoming.statusCode ?? 502, headers: kept, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function matches({ service, operation, when }: CallMatch, call: ProxiedCall): boolean {
  if (service !== undefined && service !== call.service) return false;
  if (operation !== undefined && operation !== call.operation) return false;
  return when === undefined || when(call);
}

function describeCall({ method = 'GET', url = '/', headers }: http.IncomingMessage, body: Buffer): ProxiedCall {
  const signature = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '');
  const service = signature?.[1] ?? '';
  const operation = operationOf({ service, method, url, headers, body });
  const open = { status: undefined, answeredAt: undefined, fault: undefined };
  return { service, operation, method, path: url, headers, body, ...open };
}

function operationOf(call: {
  service: string;
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}): string {
  const target = call.headers['x-amz-target'];
  if (typeof target === 'string') return target.split('.').at(-1) ?? target;
  const type = call.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) {
    const action = new URLSearchParams(call.body.toString()).get('Action');
    if (action !== null) return action;
  }
  const { pathname, searchParams } = new URL(call.url, 'http://localhost');
  const line = `${call.method} ${pathname}`;
  if (call.service === 's3') return s3Operation(call.method, pathname, searchParams);
  return REST_OPERATIONS.find(([, pattern]) => pattern.test(line))?.[0] ?? line;
}

function s3Operation(method: string, pathname: string, query: URLSearchParams): string {
  const inBucket = pathname.split('/').filter(Boolean).length <= 1;
  const verb = { GET: 'Get', PUT: 'Put', HEAD: 'Head', DELETE: 'Delete' }[method];
  if (method === 'POST') return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  if (query.has('uploadId')) return method === 'PUT' ? 'UploadPart' : 'AbortMultipartUpload';
  if (!inBucket) return `${verb}Object`;
  if (method === 'GET') return 'ListObjectsV2';
  return method === 'PUT' ? 'CreateBucket' : `${verb}Bucket`;
}

const LAMBDA_FUNCTION = String.raw`/functions/[^/]+`;
const LAMBDA_LAYER = String.raw`/layers/[^/]+/versions`;
const REST_OPERATIONS: readonly [operation: string, pattern: RegExp][] = [
  ['ListFunctions', /^GET .*\/functions\/?$/],
  ['GetFunction', new RegExp(`^GET .*${LAMBDA_FUNCTION}$`)],
  ['GetFunctionConfiguration', new RegExp(`^GET .*${LAMBDA_FUNCTION}/configuration$`)],
  ['UpdateFunctionCode', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/code$`)],
  ['UpdateFunctionConfiguration', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/configuration$`)],
  ['PublishVersion', new RegExp(`^POST .*${LAMBDA_FUNCTION}/versions$`)],
  ['UpdateAlias', new RegExp(`^PUT .*${LAMBDA_FUNCTION}/aliases/[^/]+$`)],
  ['Invoke', new RegExp(`^POST .*${LAMBDA_FUNCTION}/invocations$`)],
  ['ListLayerVersions', new RegExp(`^GET .*${LAMBDA_LAYER}$`)],
  ['PublishLayerVersion', new RegExp(`^POST .*${LAMBDA_LAYER}$`)],
  ['GetLayerVersion', new RegExp(String.raw`^GET .*${LAMBDA_LAYER}/\d+$`)],
  ['DeleteLayerVersion', new RegExp(String.raw`^DELETE .*${LAMBDA_LAYER}/\d+$`)],
  ['PutRestApi', /^PUT \/restapis\/[^/]+$/],
  ['GetRestApi', /^GET \/restapis\/[^/]+$/],
  ['UpdateRestApi', /^PATCH \/restapis\/[^/]+$/],
  ['CreateDeployment', /^POST \/(restapis|v2\/apis)\/[^/]+\/deployments$/],
  ['DeleteDeployment', /^DELETE \/(restapis|v2\/apis)\/[^/]+\/deployments\/[^/]+$/],
  ['GetStages', /^GET \/(restapis|v2\/apis)\/[^/]+\/stages$/],
  ['GetStage', /^GET \/(restapis|v2\/apis)\/[^/]+\/stages\/[^/]+$/],
  ['UpdateStage', /^PATCH \/(restapis|v2\/apis)\/[^/]+\/stages\/[^/]+$/],
  ['FlushStageCache', /^DELETE \/restapis\/[^/]+\/stages\/[^/]+\/cache\/data$/],
  ['FlushStageAuthorizersCache', /^DELETE \/restapis\/[^/]+\/stages\/[^/]+\/cache\/authorizers$/],
  ['ReimportApi', /^PUT \/v2\/apis\/[^/]+$/],
  ['GetApi', /^GET \/v2\/apis\/[^/]+$/],
  ['ExportApi', /^GET \/v2\/apis\/[^/]+\/exports\/[^/]+$/],
  ['UpdateDeployment', /^PATCH \/v2\/apis\/[^/]+\/deployments\/[^/]+$/],
  ['GetDeployments', /^GET \/(restapis|v2\/apis)\/[^/]+\/deployments$/],
];

/** How each service says "too many requests" (API references, common errors). */
const THROTTLES: Record<string, { status: number; code: string }> = {
  s3: { status: 503, code: 'SlowDown' },
  lambda: { status: 429, code: 'TooManyRequestsException' },
  apigateway: { status: 429, code: 'TooManyRequestsException' },
  states: { status: 400, code: 'ThrottlingException' },
  ecr: { status: 400, code: 'ThrottlingException' },
  logs: { status: 400, code: 'ThrottlingException' },
};

function shapeError(service: string, fault: Extract<Fault, { kind: 'throttle' | 'error' }>): Answer {
  const throttle = THROTTLES[service] ?? { status: 400, code: 'Throttling' };
  const {
    status,
    code = status >= 500 ? 'InternalFailure' : 'BadRequest',
    message = 'A fault of the proxy',
  } = fault.kind === 'throttle' ? { ...throttle, message: 'Rate exceeded' } : fault;
  const requestId = 'fault-proxy-request';
  const json = (body: object, headers = {}): Answer => ({
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': requestId, ...headers },
    body: Buffer.from(JSON.stringify(body)),
  });
  const xml = (body: string): Answer => ({
    status,
    headers: { 'content-type': 'text/xml', 'x-amz-request-id': requestId, 'x-amzn-requestid': requestId },
    body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${body}`),
  });
  const inner = `<Code>${code}</Code><Message>${message}</Message>`;
  switch (service) {
    case 'states':
    case 'ecr':
    case 'logs':
      return json({ __type: code, message });
    case 'lambda':
    case 'apigateway':
      return json({ message }, { 'x-amzn-errortype': code });
    case 's3':
      return xml(`<Error>${inner}<RequestId>${requestId}</RequestId></Error>`);
    default:
      return xml(
        `<ErrorResponse><Error><Type>Sender</Type>${inner}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      );
  }
}
