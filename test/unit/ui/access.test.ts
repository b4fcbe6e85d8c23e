import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { createAccess } from '../../../src/ui/server/access.ts';

const request = (headers: Record<string, string>, method = 'GET'): IncomingMessage =>
  ({ headers: { host: '127.0.0.1:8000', ...headers }, method }) as unknown as IncomingMessage;

it('a token becomes a cookie once; the cookie is HttpOnly and of the same site only', () => {
  const access = createAccess(8000);
  const token = access.createToken();
  expect(access.redeem('')).toBeUndefined();
  const [cookie = '', ...others] = access.redeem(token, { cookie: 'theme=dark; sam-sync-ui-7000=old' }) ?? [];
  expect(others).toEqual([]);
  expect(cookie).toMatch(/^sam-sync-ui-8000=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(access.redeem(token)).toBeUndefined();
  const [pair = ''] = cookie.split(';');
  expect(access.isKnown(request({ cookie: `other=1; ${pair}` }))).toBe(true);
  expect(access.isKnown(request({ cookie: pair.replace('8000', '8001') }))).toBe(false);
  expect(access.isKnown(request({}))).toBe(false);
});

it('cookies of sessions long ago are taken back from the browser: it sends them to every local server', () => {
  const access = createAccess(8000);
  const ports = Array.from({ length: 23 }, (_, index) => 9000 + index);
  const cookie = ['theme=dark', ...ports.map((port) => `sam-sync-ui-${port}=old`)].join('; ');
  const [, ...ended] = access.redeem(access.createToken(), { cookie }) ?? [];
  expect(ended).toEqual([9000, 9001, 9002].map((port) => `sam-sync-ui-${port}=; Path=/; Max-Age=0`));
});

it('an old link ends when newer ones were printed', () => {
  const access = createAccess(8000);
  const tokens = Array.from({ length: 6 }, () => access.createToken());
  expect(tokens.map((token) => access.redeem(token) !== undefined)).toEqual([false, true, true, true, true, true]);
});

it.each([
  ['its own page', {}, 'GET', true],
  ['by the name localhost', { host: 'localhost:8000' }, 'GET', true],
  ['a link in another page', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'GET', true],
  ['its own command', { origin: 'http://127.0.0.1:8000', 'sec-fetch-site': 'same-origin' }, 'POST', true],
  ['its own events', { origin: 'http://127.0.0.1:8000', upgrade: 'websocket' }, 'GET', true],
  ['events of another origin', { origin: 'http://127.0.0.1:8001', upgrade: 'websocket' }, 'GET', false],
  ['events without an origin', { upgrade: 'websocket' }, 'GET', false],
  ['another port', { host: '127.0.0.1:8001' }, 'GET', false],
  ['another host', { host: 'evil.example' }, 'GET', false],
  ['a command without an origin', {}, 'POST', false],
  ['a command of another origin', { origin: 'http://127.0.0.1:8001' }, 'POST', false],
  ['a command of a page without an origin', { origin: 'null' }, 'POST', false],
  ['a script of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 'GET', false],
  ['a script of another port', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 'GET', false],
])('requests: %s', (_name, headers, method, isAllowed) => {
  expect(createAccess(8000).refusal(request(headers as Record<string, string>, method)) === undefined).toBe(isAllowed);
});
