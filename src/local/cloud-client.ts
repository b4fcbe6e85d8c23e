import * as http from 'node:http';

/** The health response of our plugin. */
export interface CloudHealth {
  pid: number;
  version: string;
  /** The log file, which identifies the cloud's user and cache folder. */
  log: string;
}

/** The program on a port of this machine. */
export type PortOccupant =
  | { kind: 'nothing' }
  | { kind: 'cloud'; health: CloudHealth }
  /** It accepts connections but does not respond. */
  | { kind: 'silent' }
  | { kind: 'other' };

/** The local cloud handles one request at a time, so a busy one responds late. */
const HEALTH_TIMEOUT_MS = 10_000;

/** Finds out which program has the port. */
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

/** Sends a request to a port of this machine. */
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
      request.destroy(Object.assign(new Error(`No response within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
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
