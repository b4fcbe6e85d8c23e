import { UserError } from '../errors.ts';
import type { Env } from './config-files.ts';

/** A proxy and the environment variable that configures it. */
export interface Proxy {
  url: URL;
  variable: string;
}

/**
 * Returns the proxy of a request, if any: from `http_proxy` and `https_proxy` (either case, lower case first), except for
 * hosts in `no_proxy` and loopback addresses. Pure.
 */
export function proxyFor(url: URL, env: Env): Proxy | undefined {
  const variable = variableOf(url.protocol.slice(0, -1), env);
  const text = variable === undefined ? undefined : env[variable];
  if (variable === undefined || !text || isLoopback(url.hostname)) return undefined;
  return isExcluded(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '') ? undefined : parseProxy(text, variable);
}

/** Returns the proxy's name in messages, without user name and password. */
export function proxyLabel({ url, variable }: Proxy): string {
  return `${url.protocol}//${url.host} (${variable})`;
}

/** Returns whether a host is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^(127\.[\d.]+|\[?::1\]?)$/.test(hostname);
}

/** Returns the variable to use. An empty lower-case one hides the upper-case one, as in Python. */
function variableOf(scheme: string, env: Env): string | undefined {
  return [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`].find((name) => env[name] !== undefined);
}

function parseProxy(text: string, variable: string): Proxy {
  const address = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || !isDecodable(url)) {
    const shown = text.replace(/\/\/[^/]*@/, '//…@');
    throw new UserError(`${variable} is not the URL of an HTTP proxy: ${shown}`, {
      hint: 'Use the form http://host:port or http://user:password@host:port, with special characters of the password percent-encoded. SOCKS proxies are not supported.',
    });
  }
  return { url, variable };
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** Interprets `no_proxy` as curl and Python do: `*`, or names (with or without a leading dot) that the host ends with. */
function isExcluded(url: URL, noProxy: string): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', entryPort] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      if (entryPort !== undefined && entryPort !== port) return false;
      return url.hostname === name || url.hostname.endsWith(`.${name}`);
    });
}
