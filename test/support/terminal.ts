import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { poll } from './cloud.ts';
import { tempFolder } from './temp-folder.ts';

const run = promisify(execFile);

/** A program in a terminal of its own: tmux is the terminal. */
export interface Terminal {
  /** What is on the screen, and what was scrolled out of it above. */
  screen(): Promise<string>;
  /** Waits until the screen, with what was scrolled out, is as wanted, and gives it. */
  shows(wanted: RegExp | ((screen: string) => boolean), timeoutMs?: number): Promise<string>;
  /** What is on the screen now and nothing else. */
  visible(): Promise<string>;
  /** Presses keys by tmux's names: `q`, `C-c`, `Enter`. */
  press(...keys: string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Closes the terminal, as somebody who closes its window. */
  close(): Promise<void>;
}

/** Where and with what the program runs. */
export interface TerminalOptions {
  cwd: string;
  env: Readonly<Record<string, string>>;
  columns?: number;
  rows?: number;
}

/** Runs a command line in a terminal; its exit code is shown as `exit code N` at the end. It ends with the test. */
export async function openTerminal(command: string, options: TerminalOptions): Promise<Terminal> {
  const { cwd, env, columns = 100, rows = 30 } = options;
  const socket = path.join(await tempFolder({}), 'tmux');
  const tmux = async (...args: string[]): Promise<string> =>
    (await run('tmux', ['-S', socket, '-f', '/dev/null', ...args])).stdout;
  const variables = Object.entries({ ...env, CI: '' }).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  // the shell stays, also after Ctrl-C and Ctrl-\, so that what was shown can still be read
  const script = `trap : INT QUIT; ${command}; echo "exit code $?"; exec sleep 600`;
  const size = ['-x', String(columns), '-y', String(rows)];
  await tmux('new-session', '-d', ...size, '-c', cwd, ...variables, 'sh', '-c', script);
  const close = async (): Promise<void> => void (await tmux('kill-server').catch(() => {}));
  onTestFinished(close);
  const screen = (): Promise<string> => tmux('capture-pane', '-p', '-S', '-');
  return {
    screen,
    visible: () => tmux('capture-pane', '-p'),
    shows: async (wanted, timeoutMs = 30_000) => {
      let now = '';
      const fits = typeof wanted === 'function' ? wanted : (text: string) => wanted.test(text);
      try {
        return await poll(async () => (fits((now = await screen())) ? now : undefined), timeoutMs);
      } catch (error) {
        throw new Error(`the terminal does not show ${String(wanted)} but\n${now}`, { cause: error });
      }
    },
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    close,
    resize: async (width, height) => void (await tmux('resize-window', '-x', String(width), '-y', String(height))),
  };
}
