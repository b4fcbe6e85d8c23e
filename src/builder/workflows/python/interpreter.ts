import { UserError } from '../../../errors.ts';
import type { Tools } from '../../tools/tools.ts';

/** A Python on this machine, or in the build's container. */
export interface PythonInterpreter {
  program: string;
  /** E.g. `3.12`. */
  version: string;
  /** Whether it builds what Lambda runs: the same version, on Linux with the same processor. */
  sameVersion: boolean;
  samePlatform: boolean;
}

const PROBE = ['import sys, platform', 'print("%d.%d" % sys.version_info[:2], sys.platform, platform.machine())'].join(
  '\n',
);

/** The Python that is request. */
interface PythonRequest {
  version: string;
  machine: string;
  /** Whether it must have pip. */
  pip: boolean;
}

/** pip takes `--platform` and friends in the form that we give them since the one that comes with 3.8. */
const OLDEST_MINOR = 8;
const NEWEST_MINOR = 15;

/**
 * A Python: of the version asked for if there is one on PATH, else another one, which can install wheels for that version
 * all the same. undefined if there is none. Every candidate is run: version managers leave commands on
 * PATH that only print that nothing is installed.
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
  const [version = '', system, machine] = result?.stdout.trim().split(' ') ?? [];
  if (result?.code !== 0 || Number(version.split('.')[1]) < OLDEST_MINOR || !version.startsWith('3.')) return undefined;
  return {
    program,
    version,
    sameVersion: version === request.version,
    samePlatform: system === 'linux' && machine === request.machine,
  };
}

/** What to tell a user who has neither Python with pip nor uv. */
export function missingPython(version: string, ids: readonly string[]): UserError {
  return new UserError(
    `Python with pip is needed to install the packages of ${ids.join(', ')}, and there is none on PATH`,
    {
      hint: `Install Python ${version} (python.org, or your system's package manager) with pip, or uv (docs.astral.sh/uv), and see that it is on PATH.`,
    },
  );
}
