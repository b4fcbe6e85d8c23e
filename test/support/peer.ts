import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CliResult } from './run-cli.ts';

/** The version that docs/sam-cli-behaviour.md describes. */
const VERSION = '1.170.0';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The `sam` of AWS SAM CLI, installed from PyPI into `.cache/` once per checkout. Synchronous, so files take turns. */
export function peerCommand(): string {
  const folder = path.join(ROOT, '.cache', `aws-sam-cli-${VERSION}`);
  const bin = process.platform === 'win32' ? path.join('Scripts', 'sam.exe') : path.join('bin', 'sam');
  // a virtual environment holds its own path, so it cannot be made elsewhere and renamed; the marker tells it is whole
  const marker = path.join(folder, 'complete');
  if (fs.existsSync(marker)) return path.join(folder, bin);
  fs.rmSync(folder, { recursive: true, force: true });
  must('python3', ['-m', 'venv', folder]);
  must(path.join(folder, path.dirname(bin), 'python'), ['-m', 'pip', 'install', '--quiet', `aws-sam-cli==${VERSION}`]);
  fs.writeFileSync(marker, '');
  return path.join(folder, bin);
}

/** Runs a command of the peer; questions are answered with yes. */
export async function runPeer(
  args: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string>> },
): Promise<CliResult> {
  const env = {
    ...process.env,
    SAM_CLI_TELEMETRY: '0',
    SAM_CLI_POLL_DELAY: '0.1',
    // answers are remembered in the home folder otherwise
    __SAM_CLI_APP_DIR: path.join(options.cwd, '.peer-home'),
    ...options.env,
  };
  const child = spawn(peerCommand(), [...args], { cwd: options.cwd, env });
  const result: CliResult = { code: null, signal: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (result.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (result.stderr += text));
  child.stdin.on('error', () => {});
  child.stdin.end('y\n'.repeat(5));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...result, code, signal }));
  });
}

function must(program: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(program, [...args], { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
