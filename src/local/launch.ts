import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Installation } from './installation.ts';
import { makeFolder } from '../support/files.ts';

/** Files of a local cloud's process. All absolute. */
export interface CloudFiles {
  log: string;
  /** `{pid, port}` of the process with the port. */
  state: string;
  /** Its own folder, emptied at the start. */
  temporary: string;
}

/** How to start the process. */
export interface LaunchOptions {
  installation: Installation;
  /** 0: any free one; the state file has the number. */
  port: number;
  env: Readonly<Record<string, string | undefined>>;
  files: CloudFiles;
  /** It outlives this process; otherwise it ends with this process, even a killed one. */
  detached: boolean;
  /** Settings of the plugin (`start.py` lists them) and of MiniStack. */
  settings?: Readonly<Record<string, string>> | undefined;
}

/** A started process, which may not respond yet. */
export interface LaunchedCloud {
  pid: number | undefined;
  /** undefined while it runs. */
  exitCode(): number | undefined;
  kill(): void;
  /** Lets this process end without waiting for it. */
  release(): void;
}

/**
 * Variables that the cloud and its functions inherit. No others: a function must not depend on a variable of this shell,
 * and must never see an account's credentials. The delays are the plugin's settings, which it keeps from functions.
 */
const PASSED_ON =
  /^(PATH|PATHEXT|HOME|USER|LOGNAME|USERNAME|SHELL|LANG|LC_\w+|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES.*|DOCKER_(HOST|CONTEXT|CERT_PATH|TLS_VERIFY)|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|(PYENV|NVM|FNM|VOLTA|ASDF|MISE|NODENV)_\w+|SAM_SYNC_CLOUD_(STATE|DEPLOY)_DELAY)$/i;

/** Exit code if another process has the port (`start.py`). */
export const PORT_TAKEN_EXIT_CODE = 98;

/** How the process starts. */
interface LaunchCommand {
  program: string;
  args: string[];
  cwd: string;
  env: Record<string, string | undefined>;
}

/** Starts the local cloud, which empties its log and temporary files once it has the port. */
export async function launch(options: LaunchOptions): Promise<LaunchedCloud> {
  const { files, detached } = options;
  await makeFolders(files);
  const log = await fs.open(files.log, 'a', 0o600);
  try {
    const { program, args, cwd, env } = launchCommand(options);
    const stdio = [detached ? 'ignore' : 'pipe', log.fd, log.fd] as const;
    const child = spawn(program, args, { cwd, env, stdio: [...stdio], detached, windowsHide: true });
    let ended: number | undefined;
    child.on('error', () => (ended ??= 127));
    child.on('exit', (code, signal) => (ended ??= code ?? (signal ? 128 : 1)));
    return {
      pid: child.pid,
      exitCode: () => ended,
      kill: () => void child.kill('SIGKILL'),
      release: () => child.unref(),
    };
  } finally {
    await log.close();
  }
}

/** Makes the folders of the files. */
export async function makeFolders(files: CloudFiles): Promise<void> {
  // the log and the code of functions are the user's alone
  await makeFolder(path.dirname(files.log));
  await fs.chmod(path.dirname(files.log), 0o700);
  await makeFolder(files.temporary, { mode: 0o700 });
}

/** Returns the command that `launch` runs. */
export function launchCommand(options: LaunchOptions): LaunchCommand {
  const { installation, port, files, detached } = options;
  const temporary = files.temporary;
  return {
    program: installation.python,
    // the second argument only identifies the process (`isCloudProcess`)
    args: [path.join(installation.pluginDir, 'start.py'), files.state],
    cwd: temporary,
    env: {
      ...Object.fromEntries(Object.entries(options.env).filter(([name]) => PASSED_ON.test(name))),
      TMPDIR: temporary,
      TEMP: temporary,
      TMP: temporary,
      // hide the user's accounts from the cloud and its functions
      AWS_CONFIG_FILE: os.devNull,
      AWS_SHARED_CREDENTIALS_FILE: os.devNull,
      AWS_EC2_METADATA_DISABLED: 'true',
      PYTHONUNBUFFERED: '1',
      PYTHONUTF8: '1',
      GATEWAY_PORT: String(port),
      // not reachable from other machines
      BIND_HOST: '127.0.0.1',
      // listeners of services that SAM applications cannot use
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      SAM_SYNC_CLOUD_VERSION: installation.version,
      SAM_SYNC_CLOUD_LOG: files.log,
      SAM_SYNC_CLOUD_STATE: files.state,
      ...(detached ? {} : { SAM_SYNC_CLOUD_END_WITH_STDIN: '1' }),
      ...options.settings,
    },
  };
}
