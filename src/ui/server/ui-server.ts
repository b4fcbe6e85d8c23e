import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventHistory } from '../../console/event-history.ts';
import type { UiCommands } from '../commands.ts';
import { createAccess } from './access.ts';
import type { Access } from './access.ts';
import { answerCommand } from './api.ts';
import { readAsset } from './assets.ts';
import { createEventStream } from './event-stream.ts';
import type { EventStream } from './event-stream.ts';
import { acceptPages } from './page-sockets.ts';

/** The page of a session. */
export interface UiServer {
  /** A new link to the page, which works once. */
  link(): string;
  /** Ends the server and the connections of its pages. */
  close(): void;
}

/** The page loads nothing from elsewhere, and no other page shows it. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** How long (ms) a response may take that is being sent. */
const CLOSE_WITHIN = 300;

interface Context {
  access: Access;
  stream: EventStream;
  commands: UiCommands;
}

/** Serves the page of a session on the loopback address, on a free port. */
export async function openUiServer(follow: EventHistory['follow'], commands: UiCommands): Promise<UiServer> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const stream = createEventStream(follow, commands);
  const access = createAccess(port);
  const context: Context = { access, stream, commands };
  acceptPages(server, access, stream);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response, context).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  return {
    link: () => `http://127.0.0.1:${port}/?token=${access.createToken()}`,
    close: () => {
      stream.close();
      server.close();
      // kept open by browsers for more requests
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN).unref();
    },
  };
}

async function handle(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { access, stream, commands } = context;
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  const refusal = access.refusal(request);
  if (refusal !== undefined) return refuse(response, refusal);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const isPage = request.method === 'GET' && pathname === '/';
  if (!access.isKnown(request)) {
    const cookies = isPage ? access.redeem(searchParams.get('token') ?? '', request.headers) : undefined;
    if (cookies === undefined)
      return refuse(
        response,
        'This link was used before, or is not of this session. Press u in the terminal for a new one.',
      );
    response.setHeader('set-cookie', cookies);
  }
  const [, first = '', name = ''] = pathname.split('/');
  if (first === 'api' && request.method === 'POST') {
    const showLogs: EventStream['showLogs'] = (...how) => stream.showLogs(...how);
    const { status, body } = await answerCommand(name, request, { ...commands, showLogs });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    return;
  }
  if (request.method !== 'GET') return notFound(response);
  const asset = await readAsset(isPage ? 'index.html' : first);
  if (asset === undefined) return notFound(response);
  response.writeHead(200, { 'content-type': asset.type }).end(asset.content);
}

function refuse(response: ServerResponse, reason: string): void {
  response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(`${reason}\n`);
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
}
