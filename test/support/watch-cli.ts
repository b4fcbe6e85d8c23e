import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.ts';
import { poll } from './cloud.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A line of `--watch --output json` (docs/watch-events.md). */
export interface WatchLine {
  event: string;
  resource?: string;
  state?: string;
  changed?: boolean;
  error?: { message: string; hint?: string; output?: string };
  [field: string]: unknown;
}

/** The built command in watch, as an editor would run it. */
export interface WatchCli {
  pid: number;
  lines: readonly WatchLine[];
  stderr(): string;
  /** The first line that fits, of those after `from` (an index); waits for it. */
  seen(fits: (line: WatchLine) => boolean, from?: number, timeoutMs?: number): Promise<WatchLine>;
  /** Does something, then waits for a line that fits. */
  after(act: () => Promise<unknown>, fits: (line: WatchLine) => boolean, timeoutMs?: number): Promise<WatchLine>;
  /** Writes a file, and waits until the resource is in sync again. */
  save(file: string, change: string | ((text: string) => string), id: string): Promise<WatchLine>;
  /** Writes a file and waits for nothing. */
  write(file: string, change: string | ((text: string) => string)): Promise<void>;
  /** Does something while its process stands still: to the watch, all of it happens at once. */
  atOnce(act: () => unknown): Promise<void>;
  /** Waits until nothing has been told for a while. */
  quiet(ms?: number): Promise<void>;
  /** Reads this stream no more, as a reader that has ended. */
  closeOutput(stream: 'stdout' | 'stderr'): void;
  /** Its exit code, when it has ended. */
  ended: Promise<number | null>;
  /** Ctrl-C; gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null }>;
}

/** Starts `sam-sync --watch --output json` in `dir`. It ends with the test. */
export async function startWatch(
  dir: string,
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[] = [],
): Promise<WatchCli> {
  const bin = path.join(ROOT, 'bin', 'sam-sync.cjs');
  const child = spawn(process.execPath, [bin, '--watch', '--output', 'json', '--yes', ...args], {
    cwd: dir,
    env: { ...process.env, CI: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: WatchLine[] = [];
  const texts: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (process.env['SAM_SYNC_TEST_TRACE']) console.error(line.slice(0, 300));
    lines.push(JSON.parse(line) as WatchLine);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => texts.push(text));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  atEnd(() => {
    child.kill('SIGKILL');
    return ended;
  });
  const stderr = (): string => texts.join('');
  const read = (file: string): Promise<string> => fs.readFile(path.join(dir, file), 'utf8');
  const cli: WatchCli = {
    pid: child.pid ?? 0,
    lines,
    stderr,
    seen: async (fits, from = 0, timeoutMs = 30_000) => {
      try {
        return await poll(async () => {
          if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
          return lines.slice(from).find(fits);
        }, timeoutMs);
      } catch (error) {
        const told = lines.slice(-12).map((line) => JSON.stringify(line).slice(0, 300));
        throw new Error(`${String(error)}: ${fits.toString()}\n${told.join('\n')}\n${stderr().slice(-3000)}`, {
          cause: error,
        });
      }
    },
    after: async (act, fits, timeoutMs) => {
      const from = lines.length;
      await act();
      return cli.seen(fits, from, timeoutMs);
    },
    save: (file, change, id) =>
      cli.after(
        () => cli.write(file, change),
        ({ resource, state }) => resource === id && (state === 'in-sync' || state === 'failed'),
      ),
    write: async (file, change) => {
      const text = typeof change === 'string' ? change : change(await read(file));
      await fs.mkdir(path.dirname(path.join(dir, file)), { recursive: true });
      // in one go: an empty file that waits for its text on a busy machine would be a save of its own
      writeFileSync(path.join(dir, file), text);
    },
    atOnce: async (act) => {
      child.kill('SIGSTOP');
      try {
        await act();
      } finally {
        child.kill('SIGCONT');
      }
    },
    quiet: async (ms = 400) => {
      let count = -1;
      let since = 0;
      await poll(async () => {
        if (lines.length !== count) [count, since] = [lines.length, performance.now()];
        return performance.now() - since > ms ? true : undefined;
      });
    },
    closeOutput: (stream) => void child[stream].destroy(),
    ended,
    stop: async (signal = 'SIGINT') => {
      child.kill(signal);
      return { code: await ended };
    },
  };
  return cli;
}

/** Waits until the watch has begun and its initial sync is over. */
export async function startReadyWatch(...how: Parameters<typeof startWatch>): Promise<WatchCli> {
  const cli = await startWatch(...how);
  await cli.seen(({ event }) => event === 'ready', 0, 120_000);
  return cli;
}

export const isResource =
  (id: string, state: string) =>
  (line: WatchLine): boolean =>
    line.event === 'resource' && line.resource === id && line.state === state;

export const isStack =
  (state: string) =>
  (line: WatchLine): boolean =>
    line.event === 'stack' && line.state === state;
