import * as https from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

/** An unused connection is closed after this time (ms): services close idle ones after 20 s or more. */
const UNUSED_FOR = 10_000;

type Connected = (error: Error | null, stream: Duplex) => void;

/** An HTTPS agent that can connect before there is a request: a new connection takes two or three round trips. */
export class ReadyAgent extends https.Agent {
  /** Connections without a request yet, by `host:port`. */
  readonly #ready = new Map<string, { socket: TLSSocket; timer: NodeJS.Timeout }>();

  /** Starts to connect, unless a connection is idle or being opened. Reports nothing: the first request meets the same failure. */
  prepare(host: string, port: number): void {
    const place = `${host}:${port}`;
    if (this.#ready.has(place) || this.#isIdle(place)) return;
    const servername = isIP(host) === 0 ? host : '';
    const socket = super.createConnection({ ...this.options, host, port, servername }) as TLSSocket;
    const timer = setTimeout(() => socket.destroy(), UNUSED_FOR).unref();
    // an error closes it, too
    socket.on('error', () => {}).once('close', () => this.#take(place, socket));
    // it does not keep the process alive
    socket.unref();
    this.#ready.set(place, { socket, timer });
  }

  override createConnection(options: https.RequestOptions, done?: Connected): Duplex | null | undefined {
    const place = `${options.host}:${options.port}`;
    const socket = this.#take(place);
    if (socket === undefined || socket.destroyed || socket.readableEnded) return super.createConnection(options, done);
    return socket.ref();
  }

  override destroy(): void {
    for (const { socket } of this.#ready.values()) socket.destroy();
    super.destroy();
  }

  #take(place: string, only?: TLSSocket): TLSSocket | undefined {
    const { socket, timer } = this.#ready.get(place) ?? {};
    if (only !== undefined && socket !== only) return undefined;
    clearTimeout(timer);
    this.#ready.delete(place);
    return socket;
  }

  #isIdle(place: string): boolean {
    return Object.entries(this.freeSockets).some(
      ([name, sockets]) => name.startsWith(`${place}:`) && (sockets?.length ?? 0) > 0,
    );
  }
}
