import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { UserError, errorMessage } from '../errors.ts';
import { readTextFile } from '../support/regular-file.ts';
import type { Env } from './config-files.ts';
import { proxyFor } from './proxy.ts';

/** The one connection pool that all clients of a run share. */
export type RequestHandler = Pick<
  NodeHttpHandler,
  'handle' | 'destroy' | 'metadata' | 'updateHttpClientConfig' | 'httpHandlerConfigs'
>;

/** A connection that is not there after this long will not come (ms). */
const CONNECTION_TIMEOUT = 5_000;
/** A request that is silent for this long is lost (ms); Lambda may think about a large upload for half a minute. */
const SOCKET_TIMEOUT = 120_000;
const AGENT_OPTIONS = { keepAlive: true, maxSockets: 50 };

/** Makes the connection pool: keep-alive, the user's certificates and proxies. */
export async function createRequestHandler(env: Env, caBundle: string | undefined): Promise<RequestHandler> {
  const ca = caBundle === undefined ? undefined : await readCaBundle(caBundle);
  const direct = new NodeHttpHandler({
    connectionTimeout: CONNECTION_TIMEOUT,
    socketTimeout: SOCKET_TIMEOUT,
    httpsAgent: new HttpsAgent({ ...AGENT_OPTIONS, ca }),
  });
  // most machines have no proxy: nothing is loaded for it then
  return hasProxies(env) ? routeThroughProxies(direct, env, ca) : direct;
}

function hasProxies(env: Env): boolean {
  return ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => env[name]);
}

function routeThroughProxies(direct: NodeHttpHandler, env: Env, ca: string | undefined): RequestHandler {
  const proxied = new Map<string, Promise<NodeHttpHandler>>();
  const handlerFor = (url: URL): Promise<NodeHttpHandler> => {
    const proxy = proxyFor(url, env);
    if (proxy === undefined) return Promise.resolve(direct);
    const handler = proxied.get(proxy) ?? createProxiedHandler(proxy, ca);
    proxied.set(proxy, handler);
    return handler;
  };
  return {
    metadata: direct.metadata,
    handle: async (request, options) => {
      const port = request.port === undefined ? '' : `:${request.port}`;
      const handler = await handlerFor(new URL(`${request.protocol}//${request.hostname}${port}`));
      return await handler.handle(request, options);
    },
    updateHttpClientConfig: (key, value) => direct.updateHttpClientConfig(key, value),
    httpHandlerConfigs: () => direct.httpHandlerConfigs(),
    destroy: () => {
      direct.destroy();
      for (const handler of proxied.values()) void handler.then((made) => made.destroy());
    },
  };
}

async function createProxiedHandler(proxy: string, ca: string | undefined): Promise<NodeHttpHandler> {
  const [{ HttpsProxyAgent }, { HttpProxyAgent }] = await Promise.all([
    import('https-proxy-agent'),
    import('http-proxy-agent'),
  ]);
  return new NodeHttpHandler({
    connectionTimeout: CONNECTION_TIMEOUT,
    socketTimeout: SOCKET_TIMEOUT,
    // both are agents of node:http by their behaviour; the https one tunnels with CONNECT
    httpsAgent: new HttpsProxyAgent(proxy, { ...AGENT_OPTIONS, ...(ca === undefined ? {} : { ca }) }) as HttpsAgent,
    httpAgent: new HttpProxyAgent(proxy, AGENT_OPTIONS),
  });
}

async function readCaBundle(file: string): Promise<string> {
  try {
    return readTextFile(file);
  } catch (error) {
    throw new UserError(`The certificates in ${file} could not be read: ${errorMessage(error)}`, {
      cause: error,
      hint: 'The file is named by AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, or ca_bundle of the profile.',
    });
  }
}
