/**
 * A company's way out, on this machine: a proxy that opens tunnels (CONNECT) and looks into them with certificates of its
 * own CA. Whatever AWS host is asked for, `target` (an emulator or a fault proxy) answers: so the command meets AWS's own
 * host names, TLS, buckets as host names and default checksums, with no endpoint configured.
 *
 * ```ts
 * const company = await startCompanyProxy(cloud.endpoint);
 * await runCli(args, { cwd, env: company.env });   // HTTPS_PROXY, AWS_CA_BUNDLE, credentials and Region
 * company.tunnels;                                 // ['cloudformation.us-east-1.amazonaws.com:443', …]
 * company.refuse({ status: 403 });                 // from now on, until refuse(undefined)
 * await company.stop();
 * ```
 */
import { generateKeyPairSync } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import forge from 'node-forge';

/** A proxy under way. */
export interface CompanyProxy {
  /** `http://127.0.0.1:PORT`, or `https://localhost:PORT`. */
  url: string;
  /** For a command that is to reach AWS through the proxy. */
  env: Record<string, string>;
  /** The CA's certificate, in PEM form. */
  caFile: string;
  /** `host:port` of each tunnel that was asked for. */
  readonly tunnels: readonly string[];
  /** First lines of requests that came without a tunnel. */
  readonly forwarded: readonly string[];
  /** `Proxy-Authorization` of each tunnel. */
  readonly logins: readonly (string | undefined)[];
  /** What tunnels are answered with; `silence`: nothing. */
  refuse(answer: { status: number } | 'silence' | undefined): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1; `secure`: clients reach the proxy itself with TLS. */
export async function startCompanyProxy(target: string, options: { secure?: boolean } = {}): Promise<CompanyProxy> {
  const authority = createAuthority();
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-company-'));
  const caFile = path.join(folder, 'ca.pem');
  await fs.writeFile(caFile, authority.certificate);
  const seen = { tunnels: [] as string[], forwarded: [] as string[], logins: [] as (string | undefined)[] };
  const sockets = new Set<Duplex>();
  let refusal: { status: number } | 'silence' | undefined;
  const inside = https.createServer({ SNICallback: authority.serve }, (request, response) =>
    answerAsAws(request, response, new URL(target)),
  );
  const proxyServer = options.secure
    ? https.createServer({ SNICallback: authority.serve, ...authority.issue('localhost') })
    : http.createServer();
  proxyServer.on('connection', (socket: Duplex) => sockets.add(socket.on('error', () => {})));
  proxyServer.on('connect', (request: http.IncomingMessage, socket: Duplex) => {
    seen.tunnels.push(request.url ?? '');
    seen.logins.push(request.headers['proxy-authorization']);
    if (refusal === 'silence') return;
    if (refusal !== undefined) {
      const { status } = refusal;
      socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\ncontent-length: 7\r\n\r\n<html/>`);
      return;
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    inside.emit('connection', socket);
  });
  proxyServer.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    seen.forwarded.push(`${request.method} ${request.url}`);
    if (refusal !== undefined && refusal !== 'silence') return void response.writeHead(refusal.status).end('<html/>');
    const { pathname, search } = new URL(request.url ?? '');
    request.url = pathname + search;
    answerAsAws(request, response, new URL(target));
  });
  await new Promise<void>((resolve) => proxyServer.listen(0, '127.0.0.1', resolve));
  const { port } = proxyServer.address() as AddressInfo;
  const url = options.secure ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  return {
    ...seen,
    url,
    caFile,
    env: {
      HTTPS_PROXY: url,
      AWS_CA_BUNDLE: caFile,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
    },
    refuse: (answer) => (refusal = answer),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxyServer.close(resolve));
      await fs.rm(folder, { recursive: true, force: true });
    },
  };
}

/** Passes a request on as an emulator expects it: buckets and APIs in the path, not in the host name. */
function answerAsAws(request: http.IncomingMessage, response: http.ServerResponse, target: URL): void {
  const bucket = /^(.+)\.s3[.-][a-z0-9.-]*amazonaws\.com/.exec(request.headers.host ?? '')?.[1];
  const api = /^([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com/.exec(request.headers.host ?? '')?.[1];
  const place = bucket === undefined ? (api === undefined ? '' : `/_aws/execute-api/${api}`) : `/${bucket}`;
  const outgoing = http.request(target, {
    method: request.method,
    path: place + request.url,
    // for the check of the signature (aws-contract/extension.py)
    headers: {
      ...request.headers,
      'test-signed-host': request.headers.host,
      'test-signed-path': request.url,
      host: target.host,
    },
  });
  outgoing.on('error', () => response.destroy());
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  request.pipe(outgoing);
}

interface Authority {
  certificate: string;
  issue(host: string): { key: string; cert: string };
  serve(host: string, done: (error: Error | null, context?: tls.SecureContext) => void): void;
}

/** A CA, and certificates by it for whichever host is asked for; all have one key, which is what takes time. */
/** Creates a CA. */
export function createAuthority(): Authority {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs1', format: 'pem' })
    .toString();
  const signingKey = forge.pki.privateKeyFromPem(key);
  const name = [{ name: 'commonName', value: 'Company CA' }];
  let serial = 0;
  const sign = (subject: typeof name, extensions: object[]): string => {
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = forge.pki.setRsaPublicKey(signingKey.n, signingKey.e);
    certificate.serialNumber = `0${++serial}`;
    certificate.validity.notBefore = new Date(Date.now() - 86_400_000);
    certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
    certificate.setSubject(subject);
    certificate.setIssuer(name);
    certificate.setExtensions(extensions);
    certificate.sign(signingKey, forge.md.sha256.create());
    return forge.pki.certificateToPem(certificate);
  };
  const contexts = new Map<string, tls.SecureContext>();
  const issue = (host: string): { key: string; cert: string } => ({
    key,
    cert: sign(
      [{ name: 'commonName', value: host }],
      [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
    ),
  });
  return {
    certificate: sign(name, [{ name: 'basicConstraints', cA: true, critical: true }]),
    issue,
    serve: (host, done) => {
      const context = contexts.get(host) ?? tls.createSecureContext(issue(host));
      contexts.set(host, context);
      done(null, context);
    },
  };
}
