import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Ends the process groups that this process has started and not released, if this process is killed: SIGKILL leaves it no
 * time to end them itself. One shell per run waits for the end of its standard input, which this process holds open.
 * On Windows the system ends child processes with their parent (libuv's job object).
 */
export interface Watchdog {
  /** Guards a process group, by the ID of its leader. */
  guard(group: number): void;
  /** The group has ended. Does nothing for one that is not guarded. */
  release(group: number): void;
}

/** Reads `+ GROUP` and `- GROUP`, line by line. Programs get a second to clean up. */
const SCRIPT = `groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
send() { for group in $groups; do kill "-$1" "-$group"; done; }
any() { for group in $groups; do kill -0 "-$group" && return; done; false; }
send TERM
any && sleep 1
send KILL`;

/** Creates the watchdog of this process. Its shell starts with the first group. */
export function createWatchdog(): Watchdog {
  let shell: ChildProcess | undefined;
  const guarded = new Set<number>();
  const write = (line: string): void => void shell?.stdin?.write(`${line}\n`);
  return {
    guard: (group) => {
      shell ??= startShell(() => (shell = undefined));
      guarded.add(group);
      write(`+ ${group}`);
    },
    release: (group) => {
      if (guarded.delete(group)) write(`- ${group}`);
    },
  };
}

function startShell(whenEnded: () => void): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    // a separate process group: what ends ours must not end it
    detached: true,
  });
  // without a shell the programs are not guarded
  shell.on('error', whenEnded);
  shell.on('exit', whenEnded);
  shell.stdin?.on('error', whenEnded);
  // it ends with this process, and must not keep it running
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return shell;
}
