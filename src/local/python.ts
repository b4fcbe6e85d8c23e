import { UserError } from '../errors.ts';
import { ProgramNotFoundError, spawn } from '../support/process/spawn.ts';

/** A Python that can run the local cloud: at least 3.10, with `venv` and `ensurepip`. */
export interface Python {
  /** The interpreter itself, not a shim or link, which may lead to another version later. Absolute. */
  executable: string;
  /** `3.12` */
  version: string;
}

/** MiniStack requires the first; the packages have wheels up to the second. */
const OLDEST_MINOR = 10;
const NEWEST_MINOR = 14;

const CANDIDATES: readonly (readonly [program: string, ...args: string[]])[] = [
  ['python3'],
  ['python'],
  ['py', '-3'],
  ['python3.13'],
  ['python3.12'],
  ['python3.11'],
  ['python3.10'],
  ['python3.14'],
];

/** Prints the version, whether `venv` is installed (a separate package on Debian), and the interpreter's path. */
const PROBE = `import os, sys
try:
    import venv, ensurepip
    complete = "yes"
except ImportError:
    complete = "no"
program = getattr(sys, "_base_executable", None) or sys.executable
print("%d.%d" % sys.version_info[:2], complete, program if os.name == "nt" else os.path.realpath(program))`;

/** Finds the first suitable Python on PATH. Runs each candidate, since shims (pyenv, the Windows store) may exist and fail. */
export async function findPython(
  env: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<Python> {
  const tooOld: string[] = [];
  let incomplete: string | undefined;
  let tooNew: Python | undefined;
  for (const command of CANDIDATES) {
    const answer = await probePython(command, env, signal);
    if (!answer) continue;
    const { version, executable } = answer;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major !== 3 || minor < OLDEST_MINOR) tooOld.push(`${command.join(' ')} is ${version}`);
    else if (!answer.complete) incomplete ??= version;
    else if (minor <= NEWEST_MINOR) return { executable, version };
    else tooNew ??= { executable, version };
  }
  if (tooNew) return tooNew;
  if (incomplete !== undefined) {
    throw new UserError(`The local cloud needs Python's venv module, but Python ${incomplete} on PATH has none`, {
      hint: `Install it (Debian, Ubuntu: apt install python${incomplete}-venv), then try again.`,
    });
  }
  const versions = tooOld.length === 0 ? 'none is on PATH' : tooOld.join(', ');
  throw new UserError(`The local cloud needs Python 3.${OLDEST_MINOR} or newer: ${versions}`, {
    hint: 'Install Python from https://www.python.org/downloads/ or with your package manager (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python; Windows: winget install Python.Python.3.13), then try again.',
  });
}

async function probePython(
  [program, ...args]: (typeof CANDIDATES)[number],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal | undefined,
): Promise<(Python & { complete: boolean }) | undefined> {
  try {
    const result = await spawn(program, [...args, '-c', PROBE], { env, signal });
    const answer = /^(\d+\.\d+) (yes|no) (.+?)\s*$/.exec(result.stdout);
    if (result.code !== 0 || !answer) return undefined;
    const [, version = '', complete, executable = ''] = answer;
    return { version, executable, complete: complete === 'yes' };
  } catch (error) {
    if (error instanceof ProgramNotFoundError) return undefined;
    throw error;
  }
}
