import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout; the bundle lies two folders below it. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What one run of a command took. */
export interface Measurement {
  /** From start to end. */
  ms: number;
  /** Processor time of the command and of what it started. */
  cpuMs: number;
  /** Resident memory of the largest of its processes. */
  peakBytes: number;
  code: number | null;
  output: string;
}

/** A command line, where and with what it runs. */
export interface Command {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
}

/** Runs a command to its end. Questions are answered with yes. */
export async function measure({ argv, cwd, env }: Command): Promise<Measurement> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'sam-sync-measure-'));
  const result = path.join(folder, 'result.json');
  try {
    const wrapper = path.join(ROOT, 'bench', 'measured.py');
    const child = spawn('python3', [wrapper, result, ...argv], { cwd, env });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stdin.on('error', () => {});
    child.stdin.end('y\n'.repeat(5));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    const taken = JSON.parse(await fs.readFile(result, 'utf8')) as Pick<Measurement, 'ms' | 'cpuMs' | 'peakBytes'>;
    return { ...taken, code, output };
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}

/** The middle of some numbers, the mean of the two middle ones if there are two. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const [low = Number.NaN, high = low] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return (low + high) / 2;
}
