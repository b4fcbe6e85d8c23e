import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Installation } from './installation.ts';
import { makeFolder } from '../support/files.ts';

/** What the process of a local cloud writes. All absolute. */
export interface CloudFiles {
  log: string;
  /** `{pid, port}` of the process that has the port. */
  state: string;
  /** A folder of its own; emptied at the start. */
  temporary: string;
}

/** How to start the local cloud's process. */
export interface LaunchOptions {
  installation: Installation;
  /** 0: any free one; the state file tells which. */
  port: number;
  env: Readonly<Record<string, string | undefined>>;
  files: CloudFiles;
  /** Whether it outlives us; otherwise it ends with us, however we end. */
  detached: boolean;
  /** Settings of the plugin (`start.py` lists them) and of MiniStack. */
  settings?: Readonly<Record<string, string>> | undefined;
}

/** A process that was started and may not answer yet. */
export interface LaunchedCloud {
  pid: number | undefined;
  /** undefined while it runs. */
  exitCode(): number | undefined;
  kill(): void;
  /** We end without it, or it with us: either way nothing waits for it any more. */
  release(): void;
}

/**
 * Variables of ours that the cloud and the functions in it may see. Not more: a function must not work here because of
 * a variable that only this shell has, and must never see the credentials of an account.
 */
const PASSED_ON =
  /^(PATH|PATHEXT|HOME|USER|LOGNAME|USERNAME|SHELL|LANG|LC_\w+|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES.*|DOCKER_(HOST|CONTEXT|CERT_PATH|TLS_VERIFY)|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|(PYENV|NVM|FNM|VOLTA|ASDF|MISE|NODENV)_\w+)$/i;

/** Ends with this code if another process has the port (`start.py`). */
export const PORT_TAKEN_EXIT_CODE = 98;

/** Starts the local cloud. The process itself empties the log and the temporary files, once it has the port. */
export async function launch(options: LaunchOptions): Promise<LaunchedCloud> {
  const { installation, port, files, detached } = options;
  const temporary = files.temporary;
  await makeFolder(path.dirname(files.log));
  await makeFolder(temporary);
  const log = await fs.open(files.log, 'a');
  try {
    // the second word is not read: it identifies the process later (`isCloudProcess`)
    const child = spawn(installation.python, [path.join(installation.pluginDir, 'start.py'), files.state], {
      cwd: temporary,
      env: {
        ...Object.fromEntries(Object.entries(options.env).filter(([name]) => PASSED_ON.test(name))),
        TMPDIR: temporary,
        TEMP: temporary,
        TMP: temporary,
        // nothing in there may find the user's accounts, the functions neither
        AWS_CONFIG_FILE: os.devNull,
        AWS_SHARED_CREDENTIALS_FILE: os.devNull,
        AWS_EC2_METADATA_DISABLED: 'true',
        PYTHONUNBUFFERED: '1',
        PYTHONUTF8: '1',
        GATEWAY_PORT: String(port),
        // never reachable from other machines
        BIND_HOST: '127.0.0.1',
        // listeners of services that a SAM application cannot have
        IOT_MTLS_ENABLED: '0',
        SFTP_ENABLED: '0',
        SAM_SYNC_CLOUD_VERSION: installation.version,
        SAM_SYNC_CLOUD_LOG: files.log,
        SAM_SYNC_CLOUD_STATE: files.state,
        ...(detached ? {} : { SAM_SYNC_CLOUD_END_WITH_STDIN: '1' }),
        ...options.settings,
      },
      stdio: [detached ? 'ignore' : 'pipe', log.fd, log.fd],
      detached,
      windowsHide: true,
    });
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
