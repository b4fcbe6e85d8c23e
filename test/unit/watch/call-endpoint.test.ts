import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { callEndpoint } from '../../../src/watch/ui/call-endpoint.ts';
import { atEnd } from '../../support/at-end.ts';

const LARGE = 1024 * 1024;

const server = createServer((request, response) => {
  if (request.url?.endsWith('.png')) return void response.end(Buffer.from([137, 80, 78, 71, 0, 1]));
  if (request.url?.endsWith('/latin')) return void response.end(Buffer.from([252, 98, 101, 114]));
  if (request.url?.endsWith('/large')) return void response.end(`ü${'x'.repeat(LARGE)}`);
  let body = '';
  request.on('data', (data: Buffer) => (body += data.toString()));
  request.on('end', () => {
    response.writeHead(201, { 'x-seen': String(request.headers['x-own']) });
    response.end(`${request.method} ${request.url} ${body}`);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
atEnd(() => server.close());
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const ENDPOINTS = [{ resource: 'Orders', method: 'ANY', url: `${origin}/dev/orders/{id}` }];
const call = (method: string, url: string, body = '') =>
  callEndpoint(ENDPOINTS, { method, url, headers: { 'x-own': 'yes' }, body }, {});

it('sends the path with its parameters, the query, the headers and the body', async () => {
  const answer = await call('POST', `${origin}/dev/orders/7?a=1&a=2&b=x%20y`, '{"n": 1}');
  expect(answer).toMatchObject({ status: 201, body: 'POST /dev/orders/7?a=1&a=2&b=x%20y {"n": 1}' });
  expect(answer.headers).toContainEqual(['x-seen', 'yes']);
});

it('says how much of a large body is not shown', async () => {
  const answer = await call('GET', `${origin}/dev/orders/large`);
  expect(answer).toMatchObject({ binaryBytes: undefined, cutBytes: 2 });
  expect(answer.body).toMatch(/^üx+$/);
});

it('says how large a body is that is not text', async () => {
  expect(await call('GET', `${origin}/dev/orders/latin`)).toMatchObject({ body: '', binaryBytes: 4 });
  expect(await call('GET', `${origin}/dev/orders/a.png`)).toMatchObject({ status: 200, body: '', binaryBytes: 6 });
});

it.each([
  ['GET', `${origin}/prod/orders/7`, 'is not an endpoint of this stack'],
  ['GET', `${origin}/dev/orders/../../admin`, 'is not an endpoint of this stack'],
  ['GET', 'http://127.0.0.1:1/dev/orders/7', 'is not an endpoint of this stack'],
  ['GET', 'orders', 'orders is not a URL'],
  ['GET /', `${origin}/dev/orders/7`, 'GET / is not an HTTP method'],
])('refuses %s %s', async (method, url, message) => {
  await expect(call(method, url)).rejects.toThrow(message);
});

it('names the reason when nothing answers', async () => {
  const url = 'http://127.0.0.1:1/x';
  const calling = callEndpoint(
    [{ resource: 'A', method: 'GET', url }],
    { method: 'GET', url, headers: {}, body: '' },
    {},
  );
  await expect(calling).rejects.toThrow(`GET ${url}: the connection was refused`);
});
