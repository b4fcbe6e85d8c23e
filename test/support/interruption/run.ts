import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../at-end.ts';
import { poll } from '../cloud.ts';
import type { FaultProxy } from '../fault-proxy.ts';
import { labelOfCall, labelOfLine, numbered } from './points.ts';
import type { Point } from './points.ts';

const BIN = fileURLToPath(new URL('../../../bin/sam-sync.cjs', import.meta.url));
const FILE_POINTS = fileURLToPath(new URL('file-points.cjs', import.meta.url));

/** Where a command runs: a folder of its own for everything that it may write. */
export interface Place {
  /** The application. */
  app: string;
  home: string;
  temporary: string;
  /** Stands before the real tools on PATH. */
  tools: string;
  /** What the loaded file-points.cjs has to do. */
  control: string;
}

/** A command under way. */
export interface StartedRun {
  child: ChildProcess;
  /** Identifies its processes: a variable of their environment. */
  mark: string;
  /** Lines of both streams so far. */
  readonly lines: readonly string[];
  /** Called with each line from now on. */
  onLine: (line: string) => void;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Longer than a run takes (ms). */
const HOLDING = 120_000;

let runs = 0;

/** Starts the built command. */
export function startRun(place: Place, args: readonly string[], env: Readonly<Record<string, string>>): StartedRun {
  const mark = `sam-sync-run-${process.pid}-${++runs}`;
  const roots = { project: path.join(place.app, '.aws-sam'), home: place.home, temporary: place.temporary };
  const child = spawn(process.execPath, ['--require', FILE_POINTS, BIN, ...args], {
    cwd: place.app,
    env: {
      ...process.env,
      CI: undefined,
      ...env,
      HOME: place.home,
      TMPDIR: place.temporary,
      PATH: `${place.tools}${path.delimiter}${process.env['PATH'] ?? ''}`,
      SAM_CLI_POLL_DELAY: '0.05',
      SAM_SYNC_TEST_RUN: mark,
      SAM_SYNC_TEST_FILE_POINTS: JSON.stringify({ control: place.control, roots }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const run: StartedRun = {
    child,
    mark,
    lines,
    onLine: () => {},
    ended: new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal }))),
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      run.onLine(line);
    });
  }
  atEnd(() => child.kill('SIGKILL'));
  return run;
}

/** What the wrapped tools do: `make` as it is, but it notes each start, and waits where a signal is to come. */
export async function writeTools(folder: string): Promise<void> {
  await fs.mkdir(folder, { recursive: true });
  const script = `#!/bin/sh
here=\${0%/*}
echo "\${0##*/}" >> "$here/calls"
if [ "$(wc -l < "$here/calls" | tr -d ' ')" = "$(cat "$here/hold" 2>/dev/null)" ]; then
  echo > "$here/held"
  sleep 300 & sleep 300
fi
PATH=\${PATH#"$here":}
export PATH
exec "\${0##*/}" "$@"
`;
  await fs.writeFile(path.join(folder, 'make'), script, { mode: 0o755 });
}

/** Notes everything that a run does from now on. */
export async function recordPoints(place: Place, proxy: FaultProxy, run: StartedRun) {
  const record = path.join(place.control, '..', 'recorded');
  await fs.rm(record, { force: true });
  await fs.rm(path.join(place.tools, 'calls'), { force: true });
  proxy.clear();
  const from = run.lines.length;
  await fs.writeFile(place.control, JSON.stringify({ record }));
  return {
    points: async (): Promise<Point[]> => {
      await fs.rm(place.control, { force: true });
      const calls = numbered(proxy.calls.map(labelOfCall));
      const files = (await textOf(record)).split('\n').filter(Boolean);
      const tools = (await textOf(path.join(place.tools, 'calls'))).split('\n').filter(Boolean);
      return [
        ...calls.map((call) => ({ kind: 'call', ...call, when: 'before' }) as const),
        ...calls.map((call) => ({ kind: 'call', ...call, when: 'after-answer' }) as const),
        ...tools.map((label, nth) => ({ kind: 'tool', label, nth }) as const),
        ...numbered(run.lines.slice(from).map(labelOfLine)).map((line) => ({ kind: 'line', ...line }) as const),
        ...files.map((line) => ({ kind: 'file', ...(JSON.parse(line) as { label: string; nth: number }) }) as const),
      ];
    },
  };
}

/** A signal that is going to reach a run. */
export interface Trap {
  /** Whether the run has come to the point. */
  wasHit(): Promise<boolean>;
  /** Lets go of what was held. */
  clear(): Promise<void>;
}

/** Sends the signal as soon as the run comes to the point. Begins to count now. */
export async function setTrap(
  { place, proxy, run }: { place: Place; proxy: FaultProxy; run: StartedRun },
  point: Point,
  signal: NodeJS.Signals,
): Promise<Trap> {
  let hit = false;
  const strike = (): void => {
    hit = true;
    run.child.kill(signal);
  };
  switch (point.kind) {
    case 'call': {
      let count = 0;
      const isIt = (call: Parameters<typeof labelOfCall>[0]): boolean =>
        labelOfCall(call) === point.label && count++ === point.nth;
      const held = proxy.hold({ when: isIt }, point.when);
      void held.arrived.then(strike);
      return { wasHit: async () => hit, clear: async () => held.release() };
    }
    case 'line': {
      let count = 0;
      run.onLine = (line) => {
        if (labelOfLine(line) === point.label && count++ === point.nth) strike();
      };
      return { wasHit: async () => hit, clear: async () => {} };
    }
    case 'tool': {
      const [calls, hold, held] = ['calls', 'hold', 'held'].map((name) => path.join(place.tools, name)) as [
        string,
        string,
        string,
      ];
      for (const file of [calls, hold, held]) await fs.rm(file, { force: true });
      await fs.writeFile(hold, String(point.nth + 1));
      let over = false;
      const isHeld = async (): Promise<true | undefined> => ((await textOf(held)) !== '' || over ? true : undefined);
      void poll(isHeld, HOLDING).then(
        () => over || strike(),
        () => {},
      );
      return {
        wasHit: async () => hit,
        clear: async () => {
          over = true;
          await fs.rm(hold, { force: true });
        },
      };
    }
    case 'file': {
      const hitFile = path.join(place.control, '..', 'hit');
      await fs.rm(hitFile, { force: true });
      await fs.writeFile(place.control, JSON.stringify({ ...point, signal, hit: hitFile }));
      return {
        wasHit: async () => (await textOf(hitFile)) !== '',
        clear: () => fs.rm(place.control, { force: true }),
      };
    }
  }
}

async function textOf(file: string): Promise<string> {
  return fs.readFile(file, 'utf8').catch(() => '');
}
