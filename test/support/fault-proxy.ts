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
 * Faults: see `fault-answers.ts`. Services are named as in the request's signature: `cloudformation`, `s3`,
 * `lambda`, `apigateway` (both API types), `states`, `ecr`, `sts`. Operations as in the API reference; a REST call that
 * `proxied-call.ts` does not know is `METHOD /path`.
 *
 * `startFaultProxy(endpoint, { quotas: true })` has the quotas of an AWS account and refuses what exceeds them (`quotas.ts`);
 * such calls have the fault `throttle`. `{ pageSize: 2 }` cuts lists into pages of two (`pages.ts`).
 */
import * as http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { answerItself, CLOCK_AHEAD } from './fault-answers.ts';
import type { Answer, Fault, HoldPoint } from './fault-answers.ts';
import { listPage } from './pages.ts';
import { describeCall } from './proxied-call.ts';
import type { ProxiedCall } from './proxied-call.ts';
import { createQuotas } from './quotas.ts';

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
  /** Keeps matching calls waiting until released, to the service or with an error. `arrived` resolves with the first one. */
  hold(match: CallMatch, when?: HoldPoint): { arrived: Promise<void>; release: (fault?: Fault) => void };
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
      const arrived = deferred<void>();
      const released = deferred<Fault | undefined>();
      const fault: Fault = { kind: 'hold', when, arrived: arrived.resolve, released: released.promise };
      const rule: Rule = { match, fault, times: Infinity, skip: 0 };
      rules.push(rule);
      return {
        arrived: arrived.promise,
        release: (answer) => {
          rule.times = 0;
          released.resolve(answer);
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

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: (value) => resolve(value) };
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
  let fault = faultFor(call);
  call.fault = fault?.kind;
  if (fault?.kind === 'delay') await delay(fault.ms);
  if (fault?.kind === 'hold' && fault.when === 'before') {
    fault.arrived();
    fault = await fault.released;
    if (response.destroyed) return;
  }
  if (fault?.kind === 'reset' && fault.when === 'before') return void response.destroy();
  // the client gives up, or the proxy stops
  if (fault?.kind === 'hang') return;
  const own = fault && answerItself(call, fault);
  if (own !== undefined) {
    call.status = own.status;
    response.writeHead(own.status, own.headers).end(own.body);
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
    const clock = isAhead(headers['x-amz-date']) ? { 'test-clock-ahead': CLOCK_AHEAD } : {};
    const sent = { ...kept, ...signed, ...clock, host: target.host, 'content-length': body.length };
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

/** Whether the client follows the clock of a `clock-skew` fault. */
function isAhead(date: string | string[] | undefined): boolean {
  const [, day, hours] = /^(\d{8})T(\d{6})Z$/.exec(String(date)) ?? [];
  if (day === undefined || hours === undefined) return false;
  const time = Date.parse(`${day.replace(/(....)(..)(..)/, '$1-$2-$3')}T${hours.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`);
  return time > Date.now() + (CLOCK_AHEAD * 1_000) / 2;
}

function matches({ service, operation, when }: CallMatch, call: ProxiedCall): boolean {
  if (service !== undefined && service !== call.service) return false;
  if (operation !== undefined && operation !== call.operation) return false;
  return when === undefined || when(call);
}
