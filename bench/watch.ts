import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { poll } from '../test/support/cloud.ts';
import type { FaultProxy } from '../test/support/fault-proxy.ts';
import type { Subject } from './bench-case.ts';
import { editCopy } from './commands.ts';
import type { Copy } from './commands.ts';
import { syncCommand } from './tools.ts';

/** How each tool says that the initial sync is over and that it watches. */
const READY = { ours: /"event":"ready"/, peer: /Infra sync completed|Skipped infra sync/ };
/** SAM CLI begins to watch after it has said that it is done (ms). */
const SETTLES = 4_000;
/** With the initial sync of 4,000 functions on a busy machine (ms). */
const STARTS_WITHIN = 600_000;
/** How much of the output a failure shows: an event names 4,000 functions. */
const SHOWN = 2_000;
/** SAM CLI loses what is saved while it is busy (ms). */
const LOST_AFTER = 20_000;

/** A watch of one of the tools under way. */
export interface Watch {
  /** From the start of the process to the line that says it is ready (ms). */
  readyMs: number;
  output(): string;
  /** Resident memory of its processes now (bytes). */
  resident(): number;
  stop(): Promise<void>;
}

/** Starts `--watch` on a copy and waits until it watches. */
export async function startWatch(copy: Copy): Promise<Watch> {
  const json = copy.tool === 'ours' ? ['--output', 'json'] : [];
  const args = ['--watch', '--stack-name', copy.stackName, ...json];
  const { dir, way, tool } = copy;
  const { argv, cwd, env } = syncCommand(tool, args, { dir, env: way.env });
  const [program = '', ...rest] = argv;
  const started = performance.now();
  const child = spawn(program, rest, { cwd, env });
  let output = '';
  let readyMs = 0;
  const onText = (text: string): void => {
    output += text;
    if (readyMs === 0 && READY[copy.tool].test(output)) readyMs = performance.now() - started;
  };
  child.stdout.setEncoding('utf8').on('data', onText);
  child.stderr.setEncoding('utf8').on('data', onText);
  child.stdin.write('y\n'.repeat(5));
  const ended = new Promise((resolve) => child.on('close', resolve));
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  };
  process.once('exit', () => child.kill('SIGKILL'));
  const isReady = async (): Promise<true | undefined> => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    return readyMs > 0 ? true : undefined;
  };
  try {
    await poll(isReady, STARTS_WITHIN);
  } catch (error) {
    await stop();
    throw new Error(`the watch did not begin: ${output.slice(-SHOWN)}`, { cause: error });
  }
  if (copy.tool === 'peer') await delay(SETTLES);
  return { readyMs, output: () => output, resident: () => residentBytes(child.pid ?? 0), stop };
}

/** A tool that watches; each round is a save, and ends when Lambda holds the new code. */
export function saveAgain(watch: Watch, copy: Copy, rounds: number): Subject {
  const { proxy } = copy.way;
  return {
    name: copy.tool,
    rounds,
    proxy,
    round: async (round) => {
      const { calls, ms } = await save(copy, proxy, `save ${round}`);
      // the next save is another one, also for SAM CLI, which waits a while after each; ours ends esbuild's process after 1 s without
      // work, so that the memory is that of a watch at rest, and the next save starts it again
      await delay(copy.tool === 'peer' ? SETTLES : 1_500);
      const sent = calls();
      return { ms, residentBytes: watch.resident(), calls: sent.calls, sentBytes: sent.bytes };
    },
  };
}

async function save(copy: Copy, proxy: FaultProxy, mark: string) {
  for (let tries = 0; ; tries++) {
    const from = proxy.calls.length;
    const started = performance.now();
    await editCopy(copy, `${mark} ${tries} ${started}`);
    const arrived = async (): Promise<number | undefined> =>
      proxy.calls.slice(from).find(({ operation, status }) => operation === 'UpdateFunctionCode' && status === 200)
        ?.answeredAt;
    try {
      const answeredAt = await poll(arrived, LOST_AFTER);
      const calls = () => {
        const made = proxy.calls.slice(from);
        return {
          calls: made.map(({ operation }) => operation),
          bytes: made.reduce((sum, { body }) => sum + body.length, 0),
        };
      };
      return { ms: answeredAt - started, calls };
    } catch (error) {
      if (tries === 2) throw error;
    }
  }
}

/** Resident memory of a process and of those that it started (bytes). */
function residentBytes(root: number): number {
  const processes = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = fs.readFileSync(`/proc/${name}/status`, 'utf8');
        const field = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
        return [{ pid: Number(name), parent: field('PPid'), bytes: field('VmRSS') * 1024 }];
      } catch {
        // it has ended meanwhile
        return [];
      }
    });
  const family = new Set([root]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  return processes.filter(({ pid }) => family.has(pid)).reduce((sum, { bytes }) => sum + bytes, 0);
}
