import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Commands of a page: a block that is fenced with `sh`. */
export interface ShellBlock {
  page: string;
  text: string;
}

/** All shell blocks of the pages for users and engineers, in their order. */
export function readShellBlocks(): ShellBlock[] {
  const docs = readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const pages = ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)];
  return pages.flatMap((page) =>
    [...readFileSync(path.join(ROOT, page), 'utf8').matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].map(([, text = '']) => ({
      page,
      text,
    })),
  );
}

/** Runs a block as a person does who pastes it, and gives what it printed. A watch ends with Ctrl-C as soon as it is ready. */
export async function runBlock(
  text: string,
  options: { cwd: string; env: Readonly<Record<string, string>> },
): Promise<string> {
  const { cwd, env } = options;
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:CI|AWS_|SAM_)/.test(name));
  const child = spawn('bash', ['-e', '-c', text], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid = 0 } = child;
  atEnd(() => kill(pid, 'SIGKILL'));
  let printed = '';
  let interrupted = false;
  const receive = (chunk: string): void => {
    printed += chunk;
    if (interrupted || !/\bWatching \d+ resource/.test(printed)) return;
    interrupted = true;
    kill(pid, 'SIGINT');
  };
  // the answer to whether it is a development stack
  child.stdin.on('error', () => {});
  child.stdin.end('y\n');
  child.stdout.setEncoding('utf8').on('data', receive);
  child.stderr.setEncoding('utf8').on('data', receive);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status));
  });
  if (code === 0 || (interrupted && (code === null || code === 130))) return printed;
  throw new Error(`exit code ${code} of\n${text}\n${printed}`);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  // 0: it never started, and this would end the tests themselves
  if (pid === 0) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // it has ended
  }
}
