import type { Readable } from 'node:stream';
import { HttpRequest } from '@smithy/core/protocols';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { UserError, errorMessage } from '../errors.ts';
import { readTextFile } from '../support/regular-file.ts';
import type { Env } from './config-files.ts';
import { ProxyError } from './proxy-error.ts';
import { proxyFor, type Proxy } from './proxy.ts';
import { ReadyAgent } from './ready-agent.ts';
import { TunnelAgent, proxyAuthorization } from './tunnel-agent.ts';

/** The connection pool that all clients of a run share. */
export type RequestHandler = SdkHandler & {
  /** Starts to connect to the endpoint, if it has TLS and no proxy is in between. Never fails. */
  prepare(endpoint: URL): void;
};

type SdkHandler = Pick<
  NodeHttpHandler,
  'handle' | 'destroy' | 'metadata' | 'updateHttpClientConfig' | 'httpHandlerConfigs'
>;

/** Timeout of connections (ms). */
const CONNECTION_TIMEOUT = 5_000;
/** Timeout of silent requests (s), as of the AWS CLI; Lambda may take half a minute for a large upload. */
const REQUEST_TIMEOUT = 60;
/** Another timeout of silent requests (s), for tests. */
const REQUEST_TIMEOUT_VARIABLE = 'SAM_SYNC_REQUEST_TIMEOUT';
const AGENT_OPTIONS = { keepAlive: true, maxSockets: 50 };

/** Creates the connection pool, with keep-alive and the user's certificates and proxies. */
export async function createRequestHandler(env: Env, caBundle: string | undefined): Promise<RequestHandler> {
  const ca = caBundle === undefined ? undefined : await readCaBundle(caBundle);
  const agent = new ReadyAgent({ ...AGENT_OPTIONS, ca });
  const direct = new NodeHttpHandler({
    connectionTimeout: CONNECTION_TIMEOUT,
    socketTimeout: requestTimeout(env),
    httpsAgent: agent,
  });
  const prepare = (endpoint: URL): void => {
    if (endpoint.protocol !== 'https:' || proxyFor(endpoint, env) !== undefined) return;
    agent.prepare(endpoint.hostname.replace(/^\[|\]$/g, ''), Number(endpoint.port) || 443);
  };
  return Object.assign(hasProxies(env) ? routeThroughProxies(direct, env, ca) : direct, { prepare });
}

/** How long a request may be silent (ms). */
export function requestTimeout(env: Env): number {
  return (Number(env[REQUEST_TIMEOUT_VARIABLE]) || REQUEST_TIMEOUT) * 1_000;
}

function hasProxies(env: Env): boolean {
  return ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => env[name]);
}

function routeThroughProxies(direct: NodeHttpHandler, env: Env, ca: string | undefined): SdkHandler {
  const tunnelled = new Map<string, NodeHttpHandler>();
  const tunnelThrough = (proxy: Proxy): NodeHttpHandler => {
    const handler = tunnelled.get(proxy.url.href) ?? createTunnelledHandler(proxy, env, ca);
    tunnelled.set(proxy.url.href, handler);
    return handler;
  };
  return {
    metadata: direct.metadata,
    handle: async (request, options) => {
      const proxy = proxyFor(new URL(originOf(request)), env);
      if (proxy === undefined) return await direct.handle(request, options);
      if (request.protocol === 'https:') return await tunnelThrough(proxy).handle(request, options);
      return await forward(direct, proxy, request, options);
    },
    updateHttpClientConfig: (key, value) => direct.updateHttpClientConfig(key, value),
    httpHandlerConfigs: () => direct.httpHandlerConfigs(),
    destroy: () => {
      direct.destroy();
      for (const handler of tunnelled.values()) handler.destroy();
    },
  };
}

function createTunnelledHandler(proxy: Proxy, env: Env, ca: string | undefined): NodeHttpHandler {
  return new NodeHttpHandler({
    // the agent has its own connection timeout, with a better message
    socketTimeout: requestTimeout(env),
    httpsAgent: new TunnelAgent(proxy, { ...AGENT_OPTIONS, ca }),
  });
}

type HandleParameters = Parameters<NodeHttpHandler['handle']>;

/** Sends a plain HTTP request to the proxy, with the whole URL in its first line. Needs no tunnel. */
async function forward(
  direct: NodeHttpHandler,
  proxy: Proxy,
  request: HandleParameters[0],
  options: HandleParameters[1],
): ReturnType<NodeHttpHandler['handle']> {
  const target = originOf(request);
  const { protocol, hostname, port } = proxy.url;
  const forwarded = Object.assign(HttpRequest.clone(request), {
    protocol,
    hostname,
    port: Number(port) || undefined,
    path: target + request.path,
    headers: { ...request.headers, ...proxyAuthorization(proxy) },
  });
  const { host } = new URL(target);
  const result = await direct.handle(forwarded, options).catch((cause: unknown) => {
    throw options?.abortSignal?.aborted ? cause : new ProxyError({ proxy, target: host, cause });
  });
  const { statusCode, reason = '', body } = result.response;
  // AWS itself never sends it
  if (statusCode !== 407) return result;
  (body as Readable).destroy();
  throw new ProxyError({ proxy, target: host, status: { code: statusCode, text: reason } });
}

function originOf({ protocol, hostname, port }: HandleParameters[0]): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

async function readCaBundle(file: string): Promise<string> {
  const hint = 'Check AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, and ca_bundle of the profile.';
  let text: string;
  try {
    text = readTextFile(file);
  } catch (error) {
    throw new UserError(`Could not read the certificates in ${file}: ${errorMessage(error)}`, {
      cause: error,
      hint,
    });
  }
  // Node.js accepts any text, and then trusts no certificate
  if (!/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(text)) {
    throw new UserError(`${file} contains no certificates in PEM format`, { hint });
  }
  return text;
}
