import { isUtf8 } from 'node:buffer';
import { HttpRequest } from '@smithy/core/protocols';
import { networkReason } from '../../aws/network-reason.ts';
import { createRequestHandler } from '../../aws/request-handler.ts';
import type { Endpoint } from '../../console/reporter.ts';
import { UserError } from '../../errors.ts';
import type { CallAnswer, CallRequest } from '../../ui/commands.ts';

/** The largest body to show (bytes). */
const LARGEST_SHOWN = 1024 * 1024;

/** Sends a request to an endpoint of the application, and to nothing else. */
export async function callEndpoint(
  endpoints: readonly Endpoint[],
  { method, url, headers, body }: CallRequest,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CallAnswer> {
  const target = parseUrl(url);
  if (!endpoints.some((endpoint) => isOf(target, endpoint)))
    throw new UserError(`${url} is not an endpoint of this stack`, {
      hint: 'Change the path, not the host; a new route needs a deployment first.',
    });
  if (!/^[A-Z]+$/.test(method)) throw new UserError(`${method} is not an HTTP method`);
  const handler = await createRequestHandler(env, env['AWS_CA_BUNDLE'] || undefined);
  const started = performance.now();
  try {
    const { response } = await handler.handle(requestOf(target, { method, url, headers, body }));
    const content = await readAll(response.body as AsyncIterable<Buffer>);
    const type = response.headers['content-type'] ?? '';
    const isText = isUtf8(content) && !content.includes(0) && !/^(?:image|audio|video|font)\//.test(type);
    const isCut = isText && content.length > LARGEST_SHOWN;
    return {
      status: response.statusCode,
      statusText: response.reason ?? '',
      headers: Object.entries(response.headers),
      body: isText ? content.subarray(0, LARGEST_SHOWN).toString() : '',
      binaryBytes: isText ? undefined : content.length,
      cutBytes: isCut ? content.length - LARGEST_SHOWN : undefined,
      ms: performance.now() - started,
    };
  } catch (error) {
    throw new UserError(`${method} ${url}: ${networkReason(error as Error)}`, { cause: error });
  } finally {
    handler.destroy();
  }
}

function requestOf(target: URL, { method, headers, body }: CallRequest): HttpRequest {
  const hasBody = body !== '' && method !== 'GET' && method !== 'HEAD';
  const { protocol, hostname, port, pathname, searchParams, host } = target;
  const query: Record<string, string[]> = {};
  for (const [name, value] of searchParams) query[name] = [...(query[name] ?? []), value];
  return new HttpRequest({
    method,
    protocol,
    hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    path: pathname,
    query,
    headers: {
      ...headers,
      host,
      ...(hasBody ? { 'content-length': String(Buffer.byteLength(body)) } : {}),
    },
    ...(hasBody ? { body } : {}),
  });
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch (error) {
    throw new UserError(`${url} is not a URL`, { cause: error });
  }
}

/** Whether the URL is below the part of the endpoint's address that has no parameters: `https://HOST/STAGE/orders/{id}`. */
function isOf(target: URL, { url }: Endpoint): boolean {
  const fixed = url.replace(/[{$].*$/, '');
  const known = new URL(fixed);
  return target.origin === known.origin && `${target.pathname}/`.startsWith(known.pathname);
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}
