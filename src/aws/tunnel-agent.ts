import * as http from 'node:http';
import * as https from 'node:https';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { ProxyError } from './proxy-error.ts';
import type { Proxy } from './proxy.ts';

/** Timeout for opening a tunnel (ms). */
const TUNNEL_TIMEOUT = 10_000;

type Connected = (error: Error | null, stream: Duplex) => void;

/** An HTTPS agent that opens each connection through a tunnel of the proxy (`CONNECT`). */
export class TunnelAgent extends https.Agent {
  readonly #proxy: Proxy;
  readonly #opening = new Set<http.ClientRequest>();

  /** `options.ca` also applies to a TLS connection to the proxy. */
  constructor(proxy: Proxy, options: https.AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(options: https.RequestOptions, done: Connected = () => {}): undefined {
    void this.#connect(options, done);
  }

  override destroy(): void {
    for (const request of this.#opening) request.destroy();
    super.destroy();
  }

  async #connect(options: https.RequestOptions, done: Connected): Promise<void> {
    let stream: Duplex | null | undefined;
    try {
      const socket = await this.#openTunnel(`${bracketed(options.host ?? '')}:${options.port ?? 443}`);
      // with a socket, node:tls reads the options
      stream = super.createConnection({ ...options, socket } as https.RequestOptions);
    } catch (error) {
      return (done as (error: unknown) => void)(error);
    }
    done(null, stream as Duplex);
  }

  async #openTunnel(target: string): Promise<Duplex> {
    const proxy = this.#proxy;
    const request = connectRequest(proxy, target, this.options.ca);
    this.#opening.add(request);
    const timer = setTimeout(() => request.destroy(timeout()), TUNNEL_TIMEOUT);
    try {
      return await new Promise<Duplex>((resolve, reject) => {
        request.once('connect', ({ statusCode = 0, statusMessage = '' }, socket) => {
          if (statusCode >= 200 && statusCode < 300) return resolve(socket);
          socket.destroy();
          reject(new ProxyError({ proxy, target, status: { code: statusCode, text: statusMessage } }));
        });
        request.once('error', (cause) => reject(new ProxyError({ proxy, target, cause })));
        request.end();
      });
    } finally {
      clearTimeout(timer);
      this.#opening.delete(request);
    }
  }
}

/** Returns the authorization header if the proxy's URL has a user name. */
export function proxyAuthorization({ url }: Proxy): Record<string, string> {
  if (url.username === '') return {};
  const userAndPassword = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(userAndPassword).toString('base64')}` };
}

function connectRequest(proxy: Proxy, target: string, ca: https.AgentOptions['ca']): http.ClientRequest {
  const { protocol, hostname, port } = proxy.url;
  const options = {
    method: 'CONNECT',
    host: hostname.replace(/^\[|\]$/g, ''),
    path: target,
    headers: { host: target, connection: 'keep-alive', ...proxyAuthorization(proxy) },
    agent: false as const,
  };
  return protocol === 'https:'
    ? https.request({ ...options, port: port || 443, ca })
    : http.request({ ...options, port: port || 80 });
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function timeout(): Error {
  return Object.assign(new Error('the request timed out'), { code: 'ETIMEDOUT' });
}
