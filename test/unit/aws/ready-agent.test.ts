import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ReadyAgent } from '../../../src/aws/ready-agent.ts';
import { createRequestHandler } from '../../../src/aws/request-handler.ts';
import { poll } from '../../support/cloud.ts';
import { createAuthority } from '../../support/company-proxy.ts';

const authority = createAuthority();
const opened = new Set<TLSSocket>();
let connections = 0;
let server: https.Server;
let port: number;

beforeAll(async () => {
  server = https.createServer(authority.issue('localhost'), (_request, response) => void response.end('there'));
  server.on('secureConnection', (socket: TLSSocket) => {
    connections++;
    opened.add(socket);
    socket.on('close', () => opened.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  ({ port } = server.address() as AddressInfo);
});
beforeEach(() => {
  connections = 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const createAgent = (): ReadyAgent => new ReadyAgent({ keepAlive: true, ca: authority.certificate });
const isTrue = (holds: () => boolean): Promise<true> => poll(async () => (holds() ? true : undefined));

async function ask(agent: https.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.get({ host: 'localhost', port, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}

it('a request uses the connection that was opened for it, and so does the next one', async () => {
  const agent = createAgent();
  agent.prepare('localhost', port);
  agent.prepare('localhost', port);
  await isTrue(() => connections === 1);
  expect([await ask(agent), await ask(agent)]).toEqual(['there', 'there']);
  // it is idle now
  agent.prepare('localhost', port);
  expect(await ask(agent)).toBe('there');
  expect(connections).toBe(1);
  agent.destroy();
  await isTrue(() => opened.size === 0);
});

it('a request uses a connection that is still being opened; others at the same time open theirs', async () => {
  const agent = createAgent();
  agent.prepare('localhost', port);
  expect(await Promise.all([ask(agent), ask(agent)])).toEqual(['there', 'there']);
  expect(connections).toBe(2);
  agent.destroy();
});

it('a connection that the server has closed meanwhile is opened again', async () => {
  const agent = createAgent();
  agent.prepare('localhost', port);
  await isTrue(() => opened.size === 1);
  for (const socket of opened) socket.destroy();
  await isTrue(() => opened.size === 0);
  agent.prepare('localhost', port);
  expect(await ask(agent)).toBe('there');
  agent.destroy();
});

it('a connection that cannot be opened is reported by the request only', async () => {
  const agent = new ReadyAgent({ keepAlive: true });
  agent.prepare('localhost', port);
  agent.prepare('localhost', 1);
  await expect(ask(agent)).rejects.toThrow(/certificate/);
  agent.destroy();
});

it('an unused connection ends with the agent', async () => {
  const agent = createAgent();
  agent.prepare('localhost', port);
  await isTrue(() => opened.size === 1);
  agent.destroy();
  await isTrue(() => opened.size === 0);
});

it('connections are not opened ahead without TLS, nor to hosts behind a proxy', async () => {
  const handler = await createRequestHandler({ HTTPS_PROXY: 'http://127.0.0.1:1' }, undefined);
  handler.prepare(new URL(`https://localhost:${port}`));
  handler.prepare(new URL(`http://localhost:${port}`));
  const agent = createAgent();
  expect(await ask(agent)).toBe('there');
  expect(connections).toBe(1);
  handler.destroy();
  agent.destroy();
});
