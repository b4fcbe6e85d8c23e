import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Ends the process groups that this process has started and not released, if this process is killed: SIGKILL leaves it no
 * time to end them itself. A shell waits for the end of its standard input, which this process holds open. It ends when it has had
 * nothing to guard for a while.
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

/** The shell ends after this time without a group (ms). */
const IDLE_FOR = 1_000;

/** Creates the watchdog of this process. Its shell starts with the first group. */
export function createWatchdog(): Watchdog {
  let shell: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  const guarded = new Set<number>();
  const write = (line: string): void => void shell?.stdin?.write(`${line}\n`);
  const endShell = (): void => {
    shell?.stdin?.end();
    shell = undefined;
  };
  return {
    guard: (group) => {
      clearTimeout(idle);
      shell ??= startShell((ended) => {
        if (shell === ended) shell = undefined;
      });
      guarded.add(group);
      write(`+ ${group}`);
    },
    release: (group) => {
      if (!guarded.delete(group)) return;
      write(`- ${group}`);
      if (guarded.size === 0) idle = setTimeout(endShell, IDLE_FOR).unref();
    },
  };
}

function startShell(whenEnded: (shell: ChildProcess) => void): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    // a separate process group: what ends ours must not end it
    detached: true,
  });
  // without a shell the programs are not guarded
  const ended = (): void => whenEnded(shell);
  shell.on('error', ended);
  shell.on('exit', ended);
  shell.stdin?.on('error', ended);
  // it ends with this process, and must not keep it running
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return shell;
}
