import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { ROOT } from './measure.ts';
import type { Row } from './rows.ts';

/** What is kept of a case, so that the next one to fail does not take it along. */
export interface CaseResult {
  rows: Row[];
  /** How long the case took with its set-up. */
  seconds: number;
  /** ISO 8601. */
  date: string;
  machine: string;
  /** Of the program and of what it was compared on. */
  versions: Readonly<Record<string, string>>;
}

const fileOf = (name: string): string => path.join(ROOT, '.cache', 'bench', 'results', `${name}.json`);

/** What was measured last; undefined: nothing yet. */
export async function readResult(name: string): Promise<CaseResult | undefined> {
  const text = await fs.readFile(fileOf(name), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as CaseResult);
}

export async function writeResult(name: string, rows: Row[], seconds: number): Promise<void> {
  const date = new Date().toISOString();
  const result: CaseResult = { rows, seconds, date, machine: machine(), versions: versions() };
  await fs.mkdir(path.dirname(fileOf(name)), { recursive: true });
  await fs.writeFile(fileOf(name), `${JSON.stringify(result, null, 2)}\n`);
}

function machine(): string {
  const cpus = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return `${cpus.length} × ${cpus[0]?.model.trim() ?? 'CPU'}, ${memory} GiB, ${os.type()} ${os.release()} ${os.arch()}`;
}

function versions(): Record<string, string> {
  return {
    'sam-sync': ask('git', 'describe', '--always', '--dirty'),
    'AWS SAM CLI': '1.170.0',
    Node: process.version.slice(1),
    Python: ask('python3', '--version').replace('Python ', ''),
    npm: ask('npm', '--version'),
  };
}

function ask(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
