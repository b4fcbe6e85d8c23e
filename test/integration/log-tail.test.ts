import * as http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAws } from '../../src/aws/aws.ts';
import type { Aws } from '../../src/aws/aws.ts';
import { followLogs } from '../../src/watch/logs/follow-logs.ts';
import type { LogLine, LogSource } from '../../src/watch/logs/follow-logs.ts';
import { poll, silent } from '../support/cloud.ts';

interface FakeEvent {
  logStreamName: string;
  message: string;
  /** The local cloud has none. */
  eventId?: string;
  /** Default: now. */
  timestamp?: number;
}

/** Events of a group; the second page is asked for with the token 1. */
type Pages = Record<string, (page: number) => { events: FakeEvent[]; isLast: boolean } | undefined>;

/** CloudWatch Logs as far as FilterLogEvents goes. */
async function startLogs(pages: Pages): Promise<{ endpoint: string; close(): void }> {
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      const { logGroupName, nextToken } = JSON.parse(text) as { logGroupName: string; nextToken?: string };
      const page = Number(nextToken ?? 0);
      const { events = [], isLast = true } = pages[logGroupName]?.(page) ?? {};
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      const timestamp = Date.now();
      response.end(
        JSON.stringify({
          events: events.map((event) => ({ timestamp, ingestionTime: timestamp, ...event })),
          ...(isLast ? {} : { nextToken: String(page + 1) }),
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { endpoint: `http://127.0.0.1:${port}`, close };
}

const events = (count: number, stream: string, from = 0): FakeEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    logStreamName: stream,
    message: `${from + n}\n`,
    eventId: `${stream}${from + n}`,
  }));

describe('log lines', () => {
  let abort: AbortController;
  let aws: Aws | undefined;
  let logs: Awaited<ReturnType<typeof startLogs>> | undefined;
  beforeEach(() => {
    abort = new AbortController();
  });
  afterEach(() => {
    abort.abort();
    void aws?.close();
    logs?.close();
  });

  /** Follows these logs; gives what was reported so far, and how it ended. */
  const follow = async (pages: Pages, sources: readonly LogSource[]) => {
    logs = await startLogs(pages);
    const env = {
      AWS_ENDPOINT_URL: logs.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    };
    aws = createAws({ env, reporter: silent, signal: abort.signal });
    const lines: LogLine[] = [];
    let failure: unknown;
    followLogs({
      aws,
      sources: async () => sources,
      onLine: (line) => void lines.push(line),
      signal: abort.signal,
    }).catch((error: unknown) => {
      if (!abort.signal.aborted) failure = error;
    });
    return { lines, failure: () => failure };
  };

  it('of a log group that several functions share have the name of the one that wrote them', async () => {
    const day = '2026/11/26';
    const { lines } = await follow(
      {
        shared: () => ({
          events: [
            ...events(1, `${day}/app-One-1[$LATEST]aa`),
            ...events(1, `${day}/app-Two-2[$LATEST]bb`),
            ...events(1, `${day}/app-Two-22[$LATEST]cc`),
            ...events(1, `${day}/elsewhere[3]dd`),
            ...events(1, 'agent'),
          ],
          isLast: true,
        }),
        '/aws/lambda/app-Own-3': () => ({
          events: [...events(1, `${day}/[$LATEST]ee`), ...events(1, `${day}/app-One-1[$LATEST]ff`)],
          isLast: true,
        }),
      },
      [
        { id: 'One', functionName: 'app-One-1', group: 'shared' },
        { id: 'Two', functionName: 'app-Two-2', group: 'shared' },
        { id: 'Own', functionName: 'app-Own-3', group: '/aws/lambda/app-Own-3' },
      ],
    );
    await poll(async () => (lines.length >= 3 ? true : undefined));
    expect(lines.map(({ id }) => id)).toEqual(['One', 'Two', 'Own']);
  });

  it('that are equal are each reported, also without IDs', async () => {
    const line = { logStreamName: '2026/11/26/[$LATEST]aa', message: 'same\n', timestamp: Date.now() + 60_000 };
    let reads = 0;
    const pages = (page: number): { events: FakeEvent[]; isLast: boolean } => {
      if (page === 0) return { events: [line, line], isLast: false };
      reads++;
      return { events: reads < 3 ? [line] : [line, line, { ...line, message: 'end' }], isLast: true };
    };
    const { lines } = await follow({ '/aws/lambda/app': pages }, [
      { id: 'App', functionName: 'app', group: '/aws/lambda/app' },
    ]);
    await poll(async () => lines.some(({ text }) => text === 'end') || undefined);
    expect(lines.map(({ text }) => text)).toEqual(['same', 'same', 'same', 'same', 'end']);
  });

  it('are reported each once, however many there are, and hide no other function', async () => {
    const perPage = 30_000;
    const pagesOfMany = 5;
    const { lines, failure } = await follow(
      {
        '/aws/lambda/many': (page) => ({
          events: events(perPage, '2026/11/26/[$LATEST]aa', page * perPage),
          isLast: page === pagesOfMany - 1,
        }),
        '/aws/lambda/few': () => ({ events: events(1, '2026/11/26/[$LATEST]bb'), isLast: true }),
      },
      [
        { id: 'Many', functionName: 'many', group: '/aws/lambda/many' },
        { id: 'Few', functionName: 'few', group: '/aws/lambda/few' },
      ],
    );
    const all = pagesOfMany * perPage + 1;
    await poll(async () => (lines.length >= all || failure() !== undefined ? true : undefined));
    expect(failure()).toBeUndefined();
    expect(lines.findIndex(({ id }) => id === 'Few')).toBeLessThan(2 * perPage);
    expect(lines).toHaveLength(all);
  });
});
