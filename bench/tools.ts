import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { SAM_CLI } from '../test/support/peer.ts';
import { ROOT } from './measure.ts';
import type { Command } from './measure.ts';

/** The two tools that are compared. */
export type Tool = 'ours' | 'peer';

/** Where a tool works: its copy of the application, and the variables that lead to the emulator. */
export interface Workplace {
  dir: string;
  env: Readonly<Record<string, string>>;
}

/** The command line of a tool's `sync`. */
export function syncCommand(tool: Tool, args: readonly string[], { dir, env }: Workplace): Command {
  const program = tool === 'ours' ? [process.execPath, path.join(ROOT, 'bin', 'sam.cjs')] : [SAM_CLI.sam];
  const yes = tool === 'ours' && !args.includes('--help') ? ['--yes'] : [];
  return { argv: [...program, 'sync', ...args, ...yes], cwd: dir, env: { ...baseEnv(), ...env } };
}

/** This environment without any account, and without what makes either tool behave in a special way. */
export function baseEnv(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(AWS_|SAM_|__SAM|CI$|NODE_OPTIONS$)/.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), SAM_CLI_TELEMETRY: '0', __SAM_CLI_APP_DIR: peerHome() };
}

/** Shared by all cases, so that SAM CLI's weekly look for a newer version is in none of the measured runs. */
function peerHome(): string {
  return path.join(ROOT, '.cache', 'bench', 'peer-home');
}

/** Says that SAM CLI has looked for a newer version just now. */
export async function calmPeer(): Promise<void> {
  const file = path.join(peerHome(), 'metadata.json');
  await fs.mkdir(peerHome(), { recursive: true });
  const text = await fs.readFile(file, 'utf8').catch(() => '{}');
  const known = JSON.parse(text) as object;
  await fs.writeFile(file, JSON.stringify({ ...known, lastVersionCheck: Date.now() / 1_000 }));
}
