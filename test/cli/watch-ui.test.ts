import * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser } from '../support/browser.ts';
import type { BrowserPage } from '../support/browser.ts';
import { atEnd } from '../support/at-end.ts';
import { startTestCloud } from '../support/cloud.ts';
import { startCompanyProxy } from '../support/company-proxy.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { isResource, startWatch } from '../support/watch-cli.ts';
import type { WatchCli } from '../support/watch-cli.ts';

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
});
