import type { Readable } from 'node:stream';
import type { ProgramName } from './cli/help.ts';
import type { Interruptible } from './cli/interrupt.ts';
import type { StrayErrorSource } from './cli/stray-errors.ts';

/** Environment of the program; tests pass their own. */
export interface MainIo {
  /** Name by which the program was started. */
  program: ProgramName;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Folder of this package, absolute, links resolved. */
  packageDir: string;
  /** Opened only to read an answer: other programs may read the same input. */
  stdin: () => Readable;
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
  process: Interruptible & StrayErrorSource & { pid: number; kill(pid: number, signal: NodeJS.Signals): unknown };
}

/** Returns the environment of the real process. */
export function processIo(program: ProgramName, packageDir: string): MainIo {
  const { env, stdout, stderr } = process;
  let cwd: string | undefined;
  return {
    program,
    env,
    // read late: a removed folder is an error only for commands that need it
    get cwd() {
      return (cwd ??= process.cwd());
    },
    packageDir,
    stdin: () => process.stdin,
    stdout,
    stderr,
    process,
  };
}
