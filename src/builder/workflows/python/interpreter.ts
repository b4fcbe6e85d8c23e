import { UserError } from '../../../errors.ts';
import type { Tools } from '../../tools/tools.ts';

/** A Python interpreter on this machine, or in the build's container. */
export interface PythonInterpreter {
  program: string;
  /** E.g. `3.12`. */
  version: string;
  /** Whether it builds what Lambda runs: the same version, and Linux on the same processor. */
  sameVersion: boolean;
  samePlatform: boolean;
  /** Its folder (`sys.prefix`), where it may have settings; undefined if it prints none. */
  prefix: string | undefined;
}

const PROBE = [
  'import sys, platform',
  'print("%d.%d" % sys.version_info[:2], sys.platform, platform.machine())',
  'print(sys.prefix)',
].join('\n');

/** The requested Python. */
interface PythonRequest {
  version: string;
  machine: string;
  /** Whether it must have pip. */
  pip: boolean;
}

/** The pip of Python 3.8 is the oldest that accepts our `--platform` options. */
const OLDEST_MINOR = 8;
const NEWEST_MINOR = 15;

/**
 * Finds Python of the requested version on PATH, else another version, which can install wheels for the requested one too;
 * undefined if there is none. It runs every candidate: version managers leave commands on PATH that only print an error.
 */
export async function findPython(tools: Tools, request: PythonRequest): Promise<PythonInterpreter | undefined> {
  let other: PythonInterpreter | undefined;
  for (const name of [`python${request.version}`, 'python3', 'python']) {
    for (const program of await tools.find(name)) {
      const python = await probePython(tools, program, request);
      if (python?.sameVersion) return python;
      other ??= python;
    }
  }
  for (let minor = NEWEST_MINOR; !other && minor >= OLDEST_MINOR; minor--) {
    for (const program of await tools.find(`python3.${minor}`)) other ??= await probePython(tools, program, request);
  }
  return other;
}

async function probePython(
  tools: Tools,
  program: string,
  request: PythonRequest,
): Promise<PythonInterpreter | undefined> {
  const result = await tools.probe(program, ['-c', request.pip ? `${PROBE}\nimport pip` : PROBE]);
  const [about = '', prefix] = result?.stdout.trim().split(/\r?\n/) ?? [];
  const [version = '', system, machine] = about.split(' ');
  if (result?.code !== 0 || Number(version.split('.')[1]) < OLDEST_MINOR || !version.startsWith('3.')) return undefined;
  return {
    program,
    version,
    sameVersion: version === request.version,
    samePlatform: system === 'linux' && machine === request.machine,
    prefix,
  };
}

/** Returns the error for a user who has neither Python with pip nor uv. */
export function missingPython(version: string, ids: readonly string[]): UserError {
  return new UserError(
    `Python with pip is needed to install the packages of ${ids.join(', ')}, and there is none on PATH`,
    {
      hint: `Install Python ${version} (python.org, or your system's package manager) with pip, or uv (docs.astral.sh/uv), and see that it is on PATH.`,
    },
  );
}
