import type { Server } from 'node:http';
import { WebSocketServer } from 'ws';
import type { Access } from './access.ts';
import type { EventStream } from './event-stream.ts';

/** How long (ms) a page may take to read what was sent to it last. */
const CLOSE_WITHIN = 300;
/** Pages send nothing but the end of the connection. */
const LARGEST_MESSAGE = 1_024;
/** The most bytes that may wait for a page to read them: several sessions. A page that reads again also connects again. */
const MOST_UNREAD = 16 * 1024 * 1024;

/**
 * Connects pages to the stream by WebSockets. Browsers open six connections to a server for requests, of all tabs together: with a
 * response that does not end, a seventh tab would not open.
 */
export function acceptPages(server: Server, access: Access, stream: EventStream): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_MESSAGE });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const isAllowed = access.refusal(request) === undefined && access.isKnown(request) && request.url === '/api/events';
    if (!isAllowed) {
      // a client that does not end its side would keep the connection, and the command
      socket.once('finish', () => socket.destroy());
      return void socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    }
    sockets.handleUpgrade(request, socket, head, (page) => {
      // a page that breaks off is gone, and close follows
      page.on('error', () => {});
      stream.connect({
        send: (text) => {
          if (page.bufferedAmount > MOST_UNREAD) page.terminate();
          else page.send(text);
        },
        close: () => {
          page.close();
          setTimeout(() => page.terminate(), CLOSE_WITHIN).unref();
        },
        onClose: (listener) => void page.on('close', listener),
      });
    });
  });
}
