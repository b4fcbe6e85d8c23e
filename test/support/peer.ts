import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { pythonProgram, pythonTool } from './python-tool.ts';
import type { CliResult } from './run-cli.ts';

/** The version that docs/sam-cli-behaviour.md describes. */
const VERSION = '1.170.0';

const NAME = `aws-sam-cli-${VERSION}`;

/** The programs `sam` and `python` of AWS SAM CLI, once `installSamCli` is over. */
export const SAM_CLI = {
  sam: pythonProgram(NAME, 'sam'),
  python: pythonProgram(NAME, 'python'),
};

/** Installs AWS SAM CLI from PyPI into `.cache/`, once per checkout. */
export async function installSamCli(): Promise<void> {
  await pythonTool(NAME, [`aws-sam-cli==${VERSION}`]);
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
  await installSamCli();
  const child = spawn(SAM_CLI.sam, [...args], { cwd: options.cwd, env });
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
