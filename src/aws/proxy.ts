import type { Env } from './config-files.ts';

/**
 * The proxy that a request goes through, if any: `http_proxy` and `https_proxy` (either case, the lower one first),
 * except for hosts in `no_proxy`. A loopback address is never reached through a proxy. Pure.
 */
export function proxyFor(url: URL, env: Env): string | undefined {
  const scheme = url.protocol.slice(0, -1);
  const proxy = env[`${scheme}_proxy`] || env[`${scheme.toUpperCase()}_PROXY`];
  if (!proxy || isLoopback(url.hostname) || isExcluded(url, env['no_proxy'] || env['NO_PROXY'] || '')) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** Whether a host is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^(127\.[\d.]+|\[?::1\]?)$/.test(hostname);
}

/** `no_proxy` as curl and Python read it: `*`, or names (with or without a dot before them) that the host ends with. */
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
