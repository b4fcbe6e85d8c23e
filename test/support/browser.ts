import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import * as fs from 'node:fs/promises';
import { atEnd } from './at-end.ts';
import { poll } from './cloud.ts';
import { tempFolder } from './temp-folder.ts';
import { haveTools } from './toolchains.ts';

/** Whether Debian's Chromium is there, after it was installed if we may. */
export function haveBrowser(): boolean {
  return haveTools(['chromium'], ['chromium']);
}

/** A tab of a browser. */
export interface BrowserPage {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** The value of an expression in the page. */
  value<T>(expression: string): Promise<T>;
  /** Waits until the visible text of the page (or of what the selector finds) matches. */
  shows(pattern: RegExp, selector?: string): Promise<string>;
  /** Clicks the first element that the selector finds and, if given, whose text matches, as a user does. */
  click(selector: string, text?: string): Promise<void>;
  /** Replaces the text of a field. */
  fill(selector: string, text: string): Promise<void>;
  /** The text of a field, once it is there. */
  field(selector: string): Promise<string>;
  /** Presses a key, e.g. `Escape`. */
  press(key: string): Promise<void>;
  size(width: number, height: number, how?: { dark?: boolean; mobile?: boolean }): Promise<void>;
  screenshot(file: string): Promise<void>;
  /** A command of the DevTools protocol. */
  send<T = unknown>(method: string, params?: object): Promise<T>;
  /** Passes on each event of the DevTools protocol with this name. */
  on(method: string, listener: (params: Record<string, unknown>) => void): void;
  /** What the page wrote to its console, and errors that it did not catch. */
  errors: readonly string[];
  close(): Promise<void>;
}

/** A browser without a window. It ends with the test file. */
export interface Browser {
  open(): Promise<BrowserPage>;
}

interface Message {
  id?: number;
  method?: string;
  sessionId?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { message: string };
}

/** Starts Chromium; the DevTools protocol goes through pipes, so that no port is open. */
export async function openBrowser(): Promise<Browser> {
  const profile = await tempFolder();
  const child = spawn(
    'chromium',
    [
      '--headless=new',
      '--remote-debugging-pipe',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--no-proxy-server',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  atEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  const listeners = new Map<string, (message: Message) => void>();
  let count = 0;
  let text = '';
  const input = child.stdio[3] as Writable;
  // the browser is killed while it may have unread commands
  for (const pipe of [child.stdio[3], child.stdio[4]]) pipe?.on('error', () => {});
  child.stdio[4]?.on('data', (data: Buffer) => {
    text += data.toString();
    const parts = text.split('\0');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const message = JSON.parse(part) as Message;
      const call = waiting.get(message.id ?? -1);
      waiting.delete(message.id ?? -1);
      if (message.error) call?.reject(new Error(message.error.message));
      else call?.resolve(message.result as never);
      if (message.method) listeners.get(message.sessionId ?? '')?.(message);
    }
  });
  const send = <T>(method: string, params: object = {}, sessionId?: string): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  return {
    open: async () => {
      const { targetId } = await send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
      const { sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
      const onMessage = (listener: (message: Message) => void): void => void listeners.set(sessionId, listener);
      return openPage({
        send: (method, params) => send(method, params, sessionId),
        onMessage,
        close: () => send('Target.closeTarget', { targetId }),
      });
    },
  };
}

interface Connection {
  send<T>(method: string, params?: object): Promise<T>;
  onMessage(listener: (message: Message) => void): void;
  close(): Promise<unknown>;
}

async function openPage({ send, onMessage, close }: Connection): Promise<BrowserPage> {
  const errors: string[] = [];
  const listeners = new Map<string, (params: Record<string, unknown>) => void>();
  onMessage(({ method = '', params = {} }) => listeners.get(method)?.(params));
  for (const method of ['Runtime.exceptionThrown', 'Log.entryAdded'])
    listeners.set(method, (params) => errors.push(JSON.stringify(params)));
  for (const domain of ['Page', 'Runtime', 'Log']) await send(`${domain}.enable`);
  const value = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send<{
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  };
  const find = (selector: string, text: string | undefined): string =>
    `[...document.querySelectorAll(${JSON.stringify(selector)})].find((one) => one.checkVisibility() && one.textContent.includes(${JSON.stringify(text ?? '')}))`;
  const page: BrowserPage = {
    send,
    on: (method, listener) => void listeners.set(method, listener),
    value,
    errors,
    goto: async (url) => {
      const { errorText } = await send<{ errorText?: string }>('Page.navigate', { url });
      if (errorText) throw new Error(`${url}: ${errorText}`);
    },
    reload: async () => void (await send('Page.reload')),
    shows: async (pattern, selector = 'body') => {
      let now = '';
      try {
        return await poll(async () => {
          now = await value<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`).catch(
            () => '',
          );
          return pattern.test(now) ? now : undefined;
        }, 30_000);
      } catch (error) {
        throw new Error(`the page does not show ${String(pattern)} in ${selector} but\n${now}\n${errors.join('\n')}`, {
          cause: error,
        });
      }
    },
    click: async (selector, text) => {
      const box = await poll(
        async () =>
          (await value<{ x: number; y: number } | null>(
            `(() => { const one = ${find(selector, text)}; if (!one) return null; one.scrollIntoView({ block: 'center' });
              const { left, top, width, height } = one.getBoundingClientRect(); return { x: left + width / 2, y: top + height / 2 }; })()`,
          )) ?? undefined,
        30_000,
      );
      for (const type of ['mousePressed', 'mouseReleased'])
        await send('Input.dispatchMouseEvent', { type, ...box, button: 'left', clickCount: 1 });
    },
    fill: async (selector, text) => {
      await poll(async () => (await value<boolean>(`Boolean(${find(selector, undefined)})`)) || undefined, 30_000);
      await value(`(() => { const one = ${find(selector, undefined)}; one.focus(); one.select(); })()`);
      await send('Input.insertText', { text });
    },
    field: (selector) =>
      poll(
        async () => (await value<string | null>(`(${find(selector, undefined)})?.value ?? null`)) ?? undefined,
        30_000,
      ),
    press: async (key) => {
      const printed = key.length === 1 ? { text: key } : {};
      await send('Input.dispatchKeyEvent', { type: 'keyDown', key, ...printed });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key });
    },
    size: async (width, height, { dark = false, mobile = false } = {}) => {
      await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: mobile ? 2 : 1, mobile });
      const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }];
      await send('Emulation.setEmulatedMedia', { features });
    },
    screenshot: async (file) => {
      const { data } = await send<{ data: string }>('Page.captureScreenshot', { format: 'png' });
      await fs.writeFile(file, Buffer.from(data, 'base64'));
    },
    close: async () => void (await close()),
  };
  return page;
}
