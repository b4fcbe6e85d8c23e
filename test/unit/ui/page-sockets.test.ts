import { createServer } from 'node:http';
import type { Server } from 'node:http';
import * as net from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createAccess } from '../../../src/ui/server/access.ts';
import type { EventStream } from '../../../src/ui/server/event-stream.ts';
import { acceptPages } from '../../../src/ui/server/page-sockets.ts';
import { poll } from '../../support/cloud.ts';

type Connection = Parameters<EventStream['connect']>[0];

/** A server that accepts pages, and a client that asks for the events and does nothing else. */
async function connectTo(
  connect: (connection: Connection) => void,
  { hasCookie }: { hasCookie: boolean },
): Promise<{ server: Server; client: net.Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const access = createAccess(port);
  acceptPages(server, access, { connect, showLogs: () => {}, close: () => {} });
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [cookie = ''] = access.redeem(access.createToken()) ?? [];
  const headers = [
    'GET /api/events HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    `Origin: http://127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(hasCookie ? [`Cookie: ${cookie.replace(/;.*/, '')}`] : []),
  ];
  client.on('error', () => {});
  client.write(`${headers.join('\r\n')}\r\n\r\n`);
  return { server, client };
}

it('a page that reads nothing is disconnected before much waits for it', async () => {
  let connection: Connection | undefined;
  const { server, client } = await connectTo((one) => (connection = one), { hasCookie: true });
  await poll(async () => connection);
  const closed = new AbortController();
  connection?.onClose(() => closed.abort());
  let sent = 0;
  for (; !closed.signal.aborted && sent < 100; sent++) {
    connection?.send('x'.repeat(1024 * 1024));
    await nextTurn();
  }
  // the system's own buffers take some
  expect(sent).toBeLessThan(50);
  client.destroy();
  server.close();
});

it('a refused client that keeps its side open does not keep the server', async () => {
  const { server, client } = await connectTo(() => {}, { hasCookie: false });
  const [answer] = await new Promise<Buffer[]>((resolve) => client.once('data', (data) => resolve([data])));
  expect(String(answer)).toMatch(/^HTTP\/1\.1 403 /);
  expect(await new Promise((resolve) => server.close(resolve))).toBeUndefined();
  client.destroy();
});
