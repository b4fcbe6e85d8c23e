import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** Who may use the page. */
export interface Access {
  /** Makes a token that opens the page once. */
  createToken(): string;
  /** Uses up the token; returns the cookies for the browser that sent it, or undefined if it is wrong or was used before. */
  redeem(token: string, headers?: IncomingHttpHeaders): readonly string[] | undefined;
  /** Why the request is refused; undefined: it may pass, if it has the cookie or needs none. */
  refusal(request: IncomingMessage): string | undefined;
  /** Whether the browser has redeemed a token before. */
  isKnown(request: IncomingMessage): boolean;
}

const COOKIE_PREFIX = 'sam-sync-ui-';
/** Unused links to keep: an older one than these no longer works. */
const MOST_TOKENS = 5;
/**
 * Cookies of other sessions that a browser may keep. It sends them to every local server, and servers refuse headers of 8 KB: each
 * session has another port and so another cookie.
 */
const MOST_OTHERS = 20;

/**
 * Creates the access to a server on this port of the loopback address. A one-time token becomes a cookie that scripts cannot
 * read and other sites cannot send. The host name is checked against DNS rebinding, the origin against forged requests.
 */
export function createAccess(port: number): Access {
  const secret = newSecret();
  // cookies are not separated by port
  const cookie = `${COOKIE_PREFIX}${port}`;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const origins = hosts.map((host) => `http://${host}`);
  const tokens: string[] = [];
  return {
    createToken: () => {
      const token = newSecret();
      tokens.push(token);
      if (tokens.length > MOST_TOKENS) tokens.shift();
      return token;
    },
    redeem: (token, headers = {}) => {
      const at = tokens.findIndex((known) => isSame(known, token));
      if (at < 0) return undefined;
      tokens.splice(at, 1);
      // browsers send the oldest cookies first
      const others = listCookies(headers).flatMap(([name]) =>
        name.startsWith(COOKIE_PREFIX) && name !== cookie ? [name] : [],
      );
      const ended = others.slice(0, -MOST_OTHERS).map((name) => `${name}=; Path=/; Max-Age=0`);
      return [`${cookie}=${secret}; Path=/; HttpOnly; SameSite=Strict`, ...ended];
    },
    refusal: ({ headers, method }) => {
      // a WebSocket is not bound to its origin by the browser
      const isRead = method === 'GET' && headers.upgrade === undefined;
      if (!hosts.includes(headers.host ?? '')) return 'This address is not of this page.';
      const { origin } = headers;
      const isForeign = origin === undefined ? !isRead : !origins.includes(origin);
      if (isForeign) return 'Requests of other sites are refused.';
      // a link in a terminal or mail has `none` or `cross-site`; it may only open the page
      const site = headers['sec-fetch-site'];
      const isNavigation = headers['sec-fetch-mode'] === 'navigate' && method === 'GET';
      if (site !== undefined && site !== 'same-origin' && !isNavigation) return 'Requests of other sites are refused.';
      return undefined;
    },
    isKnown: ({ headers }) => listCookies(headers).some(([name, value]) => name === cookie && isSame(value, secret)),
  };
}

function listCookies({ cookie = '' }: IncomingHttpHeaders): [name: string, value: string][] {
  return cookie.split(/;\s*/).map((pair) => {
    const [name = '', value = ''] = pair.split('=', 2);
    return [name, value];
  });
}

function newSecret(): string {
  return randomBytes(24).toString('base64url');
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
