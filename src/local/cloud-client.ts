import * as http from 'node:http';

/** What our plugin tells about the process that answers. */
export interface CloudHealth {
  pid: number;
  version: string;
  /** The log file, which tells the clouds of several users or cache folders apart. */
  log: string;
}

/** What is on a port of this machine. */
export type PortOccupant =
  | { kind: 'nothing' }
  | { kind: 'cloud'; health: CloudHealth }
  /** It takes connections but gives no answer. */
  | { kind: 'silent' }
  | { kind: 'other' };

/** The local cloud works on one thing at a time: the health of a busy one may take a while. */
const HEALTH_TIMEOUT_MS = 10_000;

/** Asks who is on the port. */
export async function probePort(port: number, signal?: AbortSignal): Promise<PortOccupant> {
  try {
    const answer = await askCloud(port, 'GET', '/_sam-sync/health', { signal });
    const health = parseHealth(answer.body);
    return health ? { kind: 'cloud', health } : { kind: 'other' };
  } catch (error) {
    signal?.throwIfAborted();
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ECONNREFUSED') return { kind: 'nothing' };
    return { kind: code === 'ETIMEDOUT' || code === 'ECONNRESET' ? 'silent' : 'other' };
  }
}

/** One request to the port of this machine. */
export async function askCloud(
  port: number,
  method: 'GET' | 'POST',
  path: string,
  options: { signal?: AbortSignal | undefined; timeoutMs?: number } = {},
): Promise<{ status: number; body: string }> {
  const { signal, timeoutMs = HEALTH_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path, agent: false, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    request.setTimeout(timeoutMs, () => {
      request.destroy(Object.assign(new Error(`No answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
    });
    request.on('error', reject);
    request.end();
  });
}

function parseHealth(body: string): CloudHealth | undefined {
  try {
    const health = JSON.parse(body) as Partial<CloudHealth> & { name?: unknown };
    return health.name === 'sam-sync-cloud' && typeof health.pid === 'number'
      ? { pid: health.pid, version: String(health.version), log: String(health.log) }
      : undefined;
  } catch {
    return undefined;
  }
}
