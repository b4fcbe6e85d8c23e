import * as fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createEventHistory } from '../../src/console/event-history.ts';
import type { EventHistory } from '../../src/console/event-history.ts';
import type { SyncEvent } from '../../src/console/reporter.ts';
import type { Execution, InvokeAnswer, ResourceRole, UiCommands } from '../../src/ui/commands.ts';
import type * as UiServerModule from '../../src/ui/server/ui-server.ts';
import { atEnd } from '../support/at-end.ts';
import { haveBrowser, openBrowser } from '../support/browser.ts';
import type { BrowserPage } from '../support/browser.ts';
import { traceLongestTasks } from '../support/browser-trace.ts';
import { poll } from '../support/cloud.ts';

const DIST = path.resolve('dist');

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
async function servePage(
  ids: readonly string[],
  others: Partial<UiCommands> = {},
): Promise<{ server: UiServerModule.UiServer; history: EventHistory }> {
  const [part] = (await fs.readdir(DIST)).filter((name) => name.startsWith('ui-server-'));
  const { openUiServer } = createRequire(import.meta.url)(path.join(DIST, part ?? '')) as typeof UiServerModule;
  const history = createEventHistory();
  const resources = ids.map((id) => ({ id, type: 'AWS::Serverless::Function', role: 'function', ahead: [] }) as const);
  const commands = {
    facts: async () => ({ stackName: 'large', region: 'us-east-1', local: false, resources }),
    sync: () => history.add({ type: 'resource-state', id: ids[0] ?? '', state: 'failed', failure: { message: 'no' } }),
    remembered: async () => ({}),
    remember: async () => {},
    followLogs: async () => {},
    ...others,
  } as unknown as UiCommands;
  for (const event of startOf(ids)) history.add(event);
  const server = await openUiServer(history.follow, commands);
  atEnd(() => server.close());
  return { server, history };
}
const hasBrowser = haveBrowser();

// Debian's Chromium could not be found or installed: there is no page to look at
describe.skipIf(!hasBrowser)('the page of a session without an application', async () => {
  if (!hasBrowser) return;
  const browser = await openBrowser();

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

  it('a state machine that runs can be run again, a large answer is shown in part, a part that fails ends alone; a hidden tab has its title', async () => {
    const executionOf = (input: string): Execution => ({
      arn: input,
      status: 'RUNNING',
      input,
      output: JSON.stringify([input, 'x'.repeat(300_000)]),
      ms: 1,
      steps: [],
    });
    const flow = {
      id: 'Flow',
      type: 'AWS::Serverless::StateMachine',
      role: 'state-machine' as ResourceRole,
      ahead: [],
    };
    let deployments = 0;
    const { server, history } = await servePage(['Flow'], {
      run: async ({ input }) => executionOf(input),
      execution: async ({ arn }) => executionOf(arn),
      invoke: async () => ({}) as InvokeAnswer,
      deploy: () => void deployments++,
      facts: async () => ({ stackName: 'large', region: 'us-east-1', local: false, resources: [flow] }),
    });
    const page = await browser.open();
    await page.goto(server.link());
    await page.click('.row', 'Flow');
    await page.click('[role=tab]', 'Run');
    for (const text of ['first', 'second']) {
      await page.fill('.try textarea', JSON.stringify(text));
      await page.click('.try button', 'Run');
      await page.shows(new RegExp(`running[\\s\\S]*${text}`), '.answer');
    }
    await page.click('.answer button', 'Show all');
    await poll(
      async () => (await page.value('document.querySelector(".answer pre").textContent.length > 3e5')) || undefined,
    );
    // a function takes its name
    flow.role = 'function';
    history.add({ type: 'watch-ready', resources: 1, folders: 1, ms: 1 });
    await page.shows(/^Event\s+Invoke/, '.try');
    // an error while the answer is drawn ends its part of the page only
    await page.click('.try button', 'Invoke');
    await page.shows(/This part of the page failed/, '.detail');
    await page.press('3');
    await page.shows(/No log lines/);
    // keys do nothing below the help
    await page.press('?');
    await page.shows(/Keys/, 'dialog');
    await page.press('d');
    await page.press('Escape');
    await poll(async () => (await page.value('document.querySelector("dialog") === null')) || undefined);
    // a hidden tab is given no frames
    await page.value(`globalThis.requestAnimationFrame = () => (globalThis.isAsked = true)`);
    history.add({ type: 'resource-state', id: 'Flow', state: 'failed', failure: { message: 'no' } });
    await poll(async () => (await page.value('globalThis.isAsked')) || undefined);
    await page.value(
      `Object.defineProperty(document, 'hidden', { value: true }); void document.dispatchEvent(new Event('visibilitychange'))`,
    );
    await poll(async () => (await page.value('document.title')) === '✗ large' || undefined);
    expect(deployments).toBe(0);
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
    // `PAGE_FRAMES=1 npx vitest run test/cli/watch-ui-load.test.ts` measures the frames themselves
    if (process.env['PAGE_FRAMES']) {
      const longest = await traceLongestTasks(page, work);
      console.log(`longest tasks (ms of processor time): ${longest.map((ms) => ms.toFixed(1)).join(', ')}`);
      expect(longest.filter((ms) => ms > 50)).toEqual([]);
    } else await work();
    expect(await page.value('globalThis.mostAdded')).toBeLessThan(1_000);
  });
});
