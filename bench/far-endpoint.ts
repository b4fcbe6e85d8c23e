import * as fs from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { createAuthority } from '../test/support/company-proxy.ts';

/** An endpoint with TLS that is far away. */
export interface FarEndpoint {
  /** Leads tools there and lets them trust its certificate. */
  env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * Puts TLS and a distance in front of `target`: half a round trip (ms) in each direction of each connection. Handshakes count: a new
 * connection costs one round trip for TCP and one for TLS 1.3 before the first request.
 */
export async function startFarEndpoint(target: string, roundTrip: number): Promise<FarEndpoint> {
  const authority = createAuthority();
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-far-'));
  const caFile = path.join(folder, 'ca.pem');
  await fs.writeFile(caFile, authority.certificate);
  const agent = new http.Agent({ keepAlive: true });
  const secure = https.createServer(
    { ...authority.issue('localhost'), keepAliveTimeout: 60_000 },
    (request, response) => forward(request, response, { target, agent }),
  );
  const securePort = await listen(secure);
  const sockets = new Set<net.Socket>();
  const far = net.createServer((client) => {
    const server = net.connect(securePort, '127.0.0.1');
    // the kernel has accepted the connection at once; from afar its handshake takes a round trip
    carry(client, server, { delay: roundTrip / 2, notBefore: performance.now() + roundTrip * 1.5 });
    carry(server, client, { delay: roundTrip / 2, notBefore: 0 });
    for (const socket of [client, server]) sockets.add(socket.setNoDelay(true));
  });
  const port = await listen(far);
  return {
    env: { AWS_ENDPOINT_URL: `https://localhost:${port}`, AWS_CA_BUNDLE: caFile, NODE_EXTRA_CA_CERTS: caFile },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      for (const server of [far, secure]) server.close();
      agent.destroy();
      await fs.rm(folder, { recursive: true });
    },
  };
}

/** Carries what one side sends to the other, in order and late. */
function carry(from: net.Socket, to: net.Socket, { delay, notBefore }: { delay: number; notBefore: number }): void {
  const later = (work: () => void): void => {
    setTimeout(work, Math.max(delay, notBefore - performance.now()));
  };
  from.on('data', (bytes) => later(() => to.write(bytes)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
}

function forward(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { target, agent }: { target: string; agent: http.Agent },
): void {
  const { method, url = '/', headers } = request;
  const onward = http.request(new URL(url, target), { method, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}
