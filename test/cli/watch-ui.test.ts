import * as fs from 'node:fs/promises';
import * as http from 'node:http';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createEventHistory } from '../../src/console/event-history.ts';
import type { EventHistory } from '../../src/console/event-history.ts';
import type { SyncEvent } from '../../src/console/reporter.ts';
import type { UiCommands } from '../../src/ui/commands.ts';
import type * as UiServerModule from '../../src/ui/server/ui-server.ts';
import { haveBrowser, openBrowser } from '../support/browser.ts';
import type { BrowserPage } from '../support/browser.ts';
import { traceLongestTasks } from '../support/browser-trace.ts';
import { atEnd } from '../support/at-end.ts';
import { poll, startTestCloud } from '../support/cloud.ts';
import { startCompanyProxy } from '../support/company-proxy.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { isResource, startWatch } from '../support/watch-cli.ts';
import type { WatchCli } from '../support/watch-cli.ts';

const DIST = path.resolve('dist');
const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      CodeUri: hello
      Handler: app.handler
      Events: {Get: {Type: HttpApi, Properties: {Path: '/hello/{name}', Method: get}}}
  Bundle:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild}
    Properties: {Runtime: nodejs22.x, CodeUri: bundle, Handler: app.handler}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Hello}}]
      DefinitionUri: flow.asl.json
      DefinitionSubstitutions: {HelloArn: !GetAtt Hello.Arn}
Outputs:
  HelloName: {Value: !Ref Hello}
`;
const FLOW = {
  StartAt: 'Prepare',
  States: {
    Prepare: { Type: 'Pass', Result: 'Ada', ResultPath: '$.name', Next: 'Greet' },
    Greet: { Type: 'Task', Resource: '${HelloArn}', Next: 'Decide' },
    Decide: {
      Type: 'Choice',
      Choices: [{ Variable: '$.bad', BooleanEquals: true, Next: 'Refuse' }],
      Default: 'Accept',
    },
    Refuse: { Type: 'Fail', Error: 'Refused', Cause: 'it was bad' },
    Accept: { Type: 'Succeed' },
  },
};
const python = (version: number): string => `def handler(event, context):
    print("said %s" % event.get("name"))
    if event.get("fail"):
        raise ValueError("asked to fail")
    return {"statusCode": 200, "body": "version ${version}", "bad": event.get("bad", False), "name": event.get("name")}
`;
const FILES = {
  'template.yaml': TEMPLATE,
  'flow.asl.json': JSON.stringify(FLOW),
  'hello/app.py': python(1),
  'bundle/app.ts': 'export const handler = async () => 1;\n',
};

/** A request as no browser of ours sends it; the status of the response, and the cookie that it sets. */
function ask(
  url: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number | undefined; cookie: string | undefined; headers: http.IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers }, (response) => {
      const cookie = response.headers['set-cookie']?.[0];
      resolve({ status: response.statusCode, cookie, headers: response.headers });
      response.destroy();
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode, cookie: undefined, headers: response.headers });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends what must be refused to the server of a used link; returns what was not. */
async function strangers(link: string): Promise<string[]> {
  const { origin, host } = new URL(link);
  const own = { 'content-type': 'application/json', origin };
  const socket = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const rows: Record<string, Parameters<typeof ask>> = {
    'the link again': [link],
    'a wrong token': [`${origin}/?token=${'x'.repeat(32)}`],
    'no token': [`${origin}/`],
    'events without the cookie': [`${origin}/api/events`, { headers: { ...socket, origin } }],
    'events of another origin': [`${origin}/api/events`, { headers: { ...socket, origin: 'https://evil.example' } }],
    'a file without the cookie': [`${origin}/page.js`],
    'a command without the cookie': [`${origin}/api/deploy`, { method: 'POST', headers: own, body: '{}' }],
    'a wrong cookie': [`${origin}/`, { headers: { cookie: `sam-sync-ui-${new URL(link).port}=abc` } }],
    'another host name (rebinding)': [link, { headers: { host: `evil.example:${new URL(link).port}` } }],
    'another origin': [`${origin}/api/deploy`, { method: 'POST', headers: { ...own, origin: 'https://evil.example' } }],
    'a form of another site': [`${origin}/api/deploy`, { method: 'POST', headers: { host } }],
    'a script of another site': [
      `${origin}/api/events`,
      { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' } },
    ],
  };
  const passed: string[] = [];
  for (const [name, request] of Object.entries(rows)) {
    const { status, cookie } = await ask(...request);
    if (status !== 403 || cookie !== undefined) passed.push(`${name}: ${status}`);
  }
  return passed;
}

/** A session of these resources that is in sync. */
function startOf(ids: readonly string[]): SyncEvent[] {
  return [
    { type: 'watch-resources', stackName: 'large', ids },
    ...ids.map((id) => ({ type: 'resource-state', id, state: 'in-sync', changed: false }) as const),
    { type: 'stack-state', state: 'in-sync', changed: true, ms: 30 },
    { type: 'watch-ready', resources: ids.length, folders: 1, ms: 50 },
  ];
}

/** What a save of each of them leads to; the last one fails. */
function burstOf(ids: readonly string[]): SyncEvent[] {
  const last = ids.at(-1);
  const file = (id: string): string => `${id}/app.py`;
  return [
    ...ids.flatMap((id): SyncEvent[] => [
      { type: 'watch-change', files: [file(id)], ids: [id], templates: false, options: false },
      { type: 'resource-state', id, state: 'waiting' },
    ]),
    ...ids.flatMap((id): SyncEvent[] => [
      { type: 'resource-state', id, state: 'building' },
      { type: 'step-started', kind: 'build', id: `build:${id}`, label: id, ids: [id] },
      { type: 'span', kind: 'hash', label: id, ids: [id], ms: 1 },
      { type: 'step-finished', id: `build:${id}`, outcome: 'done', ms: 3 },
      { type: 'resource-state', id, state: 'updating' },
      { type: 'api-call', service: 'Lambda', operation: 'UpdateFunctionCode', ms: 8, attempts: 1, target: id },
      id === last
        ? { type: 'resource-state', id, state: 'failed', ms: 20, failure: { message: 'no', file: file(id), line: 1 } }
        : { type: 'resource-state', id, state: 'in-sync', changed: true, detail: 'code', ms: 20 },
    ]),
  ];
}

/** Serves the page of a session of these functions, without an application; its command syncs make the first one fail. */
async function servePage(ids: readonly string[]): Promise<{ server: UiServerModule.UiServer; history: EventHistory }> {
  const [part] = (await fs.readdir(DIST)).filter((name) => name.startsWith('ui-server-'));
  const { openUiServer } = createRequire(import.meta.url)(path.join(DIST, part ?? '')) as typeof UiServerModule;
  const history = createEventHistory();
  const resources = ids.map((id) => ({ id, type: 'AWS::Serverless::Function', role: 'function', ahead: [] }) as const);
  const commands = {
    facts: async () => ({ stackName: 'large', region: 'us-east-1', local: false, resources }),
    sync: () => history.add({ type: 'resource-state', id: ids[0] ?? '', state: 'failed', failure: { message: 'no' } }),
  } as unknown as UiCommands;
  for (const event of startOf(ids)) history.add(event);
  const server = await openUiServer(history.follow, commands);
  atEnd(() => server.close());
  return { server, history };
}

const hasBrowser = haveBrowser();

// Debian's Chromium could not be found or installed: there is no page to look at
describe.skipIf(!hasBrowser)('the page of a watch', async () => {
  if (!hasBrowser) return;
  const cloud = await startTestCloud();
  atEnd(() => cloud.stop());
  // AWS's own host names, without a path of the emulator's own
  const company = await startCompanyProxy(cloud.endpoint);
  atEnd(() => company.stop());
  const browser = await openBrowser();
  const open = async (): Promise<{ watch: WatchCli; page: BrowserPage; url: string }> => {
    const folder = await tempFolder(FILES);
    const watch = await startWatch(folder, company.env, ['--ui', '--stack-name', 'shop']);
    const url = String((await watch.seen(({ event }) => event === 'ui'))['url']);
    const page = await browser.open();
    await page.goto(url);
    return { watch, page, url };
  };

  it('shows what is live and why not, calls, invokes and runs, and keeps its place over a reload', async () => {
    const { watch, page, url: link } = await open();
    await page.size(1200, 800);
    await page.shows(/Starting: the first sync|Everything you saved is live/);
    await watch.seen(({ event }) => event === 'ready', 0, 120_000);
    await page.shows(/Everything you saved is live/);
    await page.shows(/GET\s+\/hello\/\{name\}\s+Hello/);
    // the link was used up, and scripts of the page see neither it nor the cookie
    expect(await page.value('location.search + document.cookie')).toBe('');
    expect(await strangers(link)).toEqual([]);

    await watch.save('hello/app.py', python(2), 'Hello');
    await page.shows(/Hello\s+Function\s+ahead of stack\s+code · [\d.]+ m?s · just now/, '.list');
    await page.click('.row', 'Hello');
    await page.shows(/Ahead of the stack: code/, '.detail');
    await page.shows(/synced after hello\/app.py was saved[\s\S]*build[\s\S]*Lambda UpdateFunctionCode/, '.breakdown');

    // (the log of an invocation may arrive late in the emulator: see the log lines below)
    // its form: an event that is not JSON, one that succeeds and one that fails
    await page.click('[role=tab]', 'Invoke');
    await page.fill('.try textarea', '{"name": ');
    await page.shows(/JSON/, '.problem');
    await page.fill('.try textarea', '{"name": "Grace"}');
    await page.click('.try button', 'Invoke');
    await page.shows(/Succeeded[\s\S]*version 2/, '.answer');
    // JavaScript has no such number
    await page.fill('.try textarea', '{"fail": true, "id": 12345678901234567890}');
    await page.click('.try button', 'Invoke');
    await page.shows(/Failed \(Unhandled\)[\s\S]*asked to fail/, '.answer');
    expect(await page.value('document.activeElement.textContent')).toBe('Invoke');
    await page.click('[role=tab]', 'What it did');
    await page.click('[role=tab]', 'Invoke');
    await page.shows(/Failed \(Unhandled\)[\s\S]*asked to fail/, '.answer');

    // a reload shows the same place, with the events that were sent
    await page.reload();
    await page.shows(/Everything you saved is live/);
    await page.shows(/Earlier events[\s\S]*"Grace"/, '.detail');
    expect(await page.field('.try textarea')).toContain('"id": 12345678901234567890');

    // so does what was not sent
    await page.fill('.try textarea', '{"name": "draft"}');
    await page.reload();
    await page.shows(/Earlier events/, '.detail');
    expect(await page.field('.try textarea')).toBe('{"name": "draft"}');
    await page.fill('.try textarea', '{}');

    // keyboard only: Enter on the row opens its form; an address that is damaged opens the page
    await page.value('location.hash = "#resources&%"');
    await page.reload();
    await page.shows(/Stack shop/);
    await page.press('ArrowDown');
    await page.shows(/Hello/, '.row.selected');
    await page.press('Enter');
    await page.shows(/Event/, '.try');
    expect(await page.value('document.activeElement.localName')).toBe('textarea');

    await page.click('.row', 'GET');
    const url = await page.field('[aria-label=URL]');
    expect(url).toMatch(/^https:\/\/[a-z0-9]+\.execute-api\.us-east-1\.amazonaws\.com\/hello\/\{name\}$/);
    await page.fill('[aria-label=URL]', url.replace('{name}', 'Ada'));
    await page.click('.try button', 'Call');
    await page.shows(/200[\s\S]*version 2/, '.answer');
    await page.click('.try summary', 'Headers');
    await page.fill('[aria-label=Headers]', 'x-api-key: hidden\nx-kind: shown');
    // a look at something else leaves request and answer as they are; only the page itself has credentials
    await page.click('.row', 'Bundle');
    await page.shows(/^(?![\s\S]*version 2)/, '.detail');
    await page.click('.row', 'GET');
    await page.shows(/200[\s\S]*version 2/, '.answer');
    expect(await page.field('[aria-label=URL]')).toContain('/hello/Ada');
    expect(await page.field('[aria-label=Headers]')).toBe('x-api-key: hidden\nx-kind: shown');
    const stored = await page.value<string>('JSON.stringify(sessionStorage)');
    expect(stored).toContain('x-kind');
    expect(stored).not.toContain('hidden');
    await page.fill('[aria-label=Headers]', 'x-kind: shown');
    await page.fill('[aria-label=URL]', 'https://example.com/');
    await page.click('.try button', 'Call');
    await page.shows(/https:\/\/example.com\/ is not an endpoint of this stack/, '.detail');

    await page.click('.row', 'Flow');
    await page.click('[role=tab]', 'Run');
    await page.fill('.try textarea', '{}');
    await page.click('.try button', 'Run');
    await page.shows(
      /succeeded[\s\S]*Prepare[\s\S]*Greet[\s\S]*Decide[\s\S]*Accept[\s\S]*Output[\s\S]*"name": "Ada"/,
      '.answer',
    );
    await page.fill('.try textarea', '{"bad": true}');
    await page.click('.try button', 'Run');
    await page.shows(/failed[\s\S]*Refuse[\s\S]*it was bad/, '.detail');

    await watch.after(
      () => watch.write('bundle/app.ts', 'export const handler = (;\n'),
      isResource('Bundle', 'failed'),
    );
    await page.shows(/Bundle is not live\s+bundle\/app\.ts:1:25/, '.headline');
    expect(await page.value('document.title')).toBe('✗ shop');
    await page.click('.headline button');
    await page.shows(/Not live\s*bundle\/app\.ts:1:25/, '.detail');
    await watch.save('bundle/app.ts', 'export const handler = async () => 2;\n', 'Bundle');
    await page.shows(/Everything you saved is live/, '.headline');

    await page.press('3');
    await page.shows(/Hello\s+said Grace/, '.logs');
    await page.fill('input[type=search]', 'asked to fail');
    await page.shows(/^(?![\s\S]*Grace)[\s\S]*ValueError/, '.logs ol');
    await page.fill('input[type=search]', '');
    await page.press('Escape');

    await page.press('2');
    await page.shows(/bundle\/app\.ts/, '.syncs');
    await page.click('.syncs .row', 'hello/app.py');
    await page.shows(/Hello/, '.scroller');
    expect(await page.value('[...document.querySelectorAll(".span")].map((one) => one.ariaLabel)')).toContainEqual(
      expect.stringMatching(/^Lambda UpdateFunctionCode, \d/),
    );
    await page.click('[aria-label="Zoom in"]');
    expect(await page.value('document.querySelector(".content").style.width')).toBe('200%');

    // everything at once, after the stack is deployed
    await page.press('1');
    await watch.after(
      () => page.press('d'),
      ({ event, state }) => event === 'stack' && state === 'in-sync',
    );

    expect(await watch.stop()).toEqual({ code: 0 });
    await page.shows(/The command has ended/, '.headline');
    expect(page.errors).toEqual([]);
  });

  it('eight tabs show the session, also after the first one is closed; a tab whose connection breaks connects again', async () => {
    const { server, history } = await servePage(['A']);
    const link = server.link();
    // tabs in the background draw their title only
    const titled = async (page: BrowserPage, title: string): Promise<unknown> =>
      poll(async () => (await page.value('document.title')) === title || undefined, 30_000);
    const open = async (url: string): Promise<BrowserPage> => {
      const page = await browser.open();
      await page.send('Page.addScriptToEvaluateOnNewDocument', {
        source: `globalThis.WebSocket = class extends WebSocket {
          constructor(address) { super(address); globalThis.lastSocket = this; }
        }`,
      });
      await page.goto(url);
      await titled(page, '✓ large');
      return page;
    };
    const first = await open(link);
    const others = await Promise.all(Array.from({ length: 7 }, () => open(new URL(link).origin)));
    // a command of the eighth
    const request = `{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }`;
    expect(await others.at(-1)?.value(`fetch('/api/sync', ${request}).then(({ status }) => status)`)).toBe(200);
    for (const page of others) await titled(page, '✗ large');
    await first.close();
    history.add({ type: 'resource-state', id: 'A', state: 'in-sync', changed: true, detail: 'code', ms: 20 });
    for (const page of others) {
      await titled(page, '✓ large');
      expect(page.errors).toEqual([]);
    }
    const last = others.pop();
    await Promise.all(others.map((page) => page.close()));
    if (last === undefined) return;
    await last.value('lastSocket.close()');
    history.add({ type: 'resource-state', id: 'A', state: 'failed', failure: { message: 'again' } });
    await last.shows(/A is not live\s+again/, '.headline');
    server.close();
    await last.shows(/The command does not respond/, '.headline');
    expect(await last.value('document.querySelectorAll(".commands button:disabled").length')).toBe(2);
  });

  it('500 resources and a burst of 200 saves: the page ends with the state of each', async () => {
    const ids = Array.from({ length: 500 }, (_, index) => `Function${String(index).padStart(3, '0')}`);
    const { server, history } = await servePage(ids);
    const page = await browser.open();
    await page.size(1200, 800);
    // no frame adds more elements than are drawn in 50 ms: a guard that needs no quiet machine
    await page.send('Page.addScriptToEvaluateOnNewDocument', {
      source: `globalThis.mostAdded = 0; let added = 0;
        new MutationObserver((changes) => {
          for (const { addedNodes } of changes) for (const one of addedNodes) added += one.querySelectorAll?.('*').length ?? 0;
          globalThis.mostAdded = Math.max(globalThis.mostAdded, added);
          requestAnimationFrame(() => (added = 0));
        }).observe(document, { childList: true, subtree: true })`,
    });
    const work = async (): Promise<void> => {
      await page.goto(server.link());
      await page.shows(/Everything you saved is live/);
      await page.shows(/Function000\s+Function/);
      await page.press('2');
      await page.press('1');
      for (const step of burstOf(ids.slice(100, 300))) {
        history.add(step);
        await nextTurn();
      }
      await page.shows(/Function299 is not live/, '.headline');
      const count = (state: string): Promise<number> =>
        page.value(`document.querySelectorAll(".row[data-state=${state}]").length`);
      await poll(async () => (await count('in-sync')) === 499 || undefined, 30_000);
      expect(await count('failed')).toBe(1);
      // the timeline has a span for each call
      await page.press('2');
      await page.shows(/Stack/, '.scroller');
      await page.value('void document.querySelector(".scroller").scrollTo(0, 1e6)');
      await page.shows(/Function\d/, '.scroller');
    };
    // `PAGE_FRAMES=1 npx vitest run test/cli/watch-ui.test.ts -t 500` measures the frames themselves
    if (process.env['PAGE_FRAMES']) {
      const longest = await traceLongestTasks(page, work);
      console.log(`longest tasks (ms of processor time): ${longest.map((ms) => ms.toFixed(1)).join(', ')}`);
      expect(longest.filter((ms) => ms > 50)).toEqual([]);
    } else await work();
    expect(await page.value('globalThis.mostAdded')).toBeLessThan(1_000);
  });
});
