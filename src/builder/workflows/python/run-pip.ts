import * as path from 'node:path';
import { ToolError } from '../../tools/tools.ts';
import type { PythonInterpreter } from './interpreter.ts';
import { machineOf } from './wheel.ts';
import type { PythonTarget } from './wheel.ts';
import type { BuildContext } from '../workflow.ts';

/** A run of pip. */
export interface PipRun {
  context: BuildContext;
  python: PythonInterpreter;
  target: PythonTarget;
  /** pip resolves relative paths against its working folder. */
  cwd: string;
  /** An empty folder for temporary files. */
  scratch: string;
}

/**
 * Starts pip and evaluates markers (`; python_version < "3.12"`, `; sys_platform == "win32"`) for Lambda. pip has options for the
 * platform of wheels, but evaluates markers for the Python that runs it (pypa/pip issue 11664). If pip's internals have other
 * names, it prints so and goes on.
 */
const START_PIP = `
import json, runpy, sys
values = json.loads(sys.argv[1])
sys.argv = ["pip"] + sys.argv[2:]
try:
    from pip._vendor.packaging import markers
    running = markers.default_environment
    def environment():
        return {**running(), **values}
    markers.default_environment = environment
except Exception:
    print("sam-sync: markers are evaluated for this Python")
runpy.run_module("pip", run_name="__main__", alter_sys=True)
`;
const NOT_PATCHED = 'sam-sync: markers are evaluated for this Python';

/** Runs pip. `forTarget`: it evaluated markers for the function's Python. */
export async function runPip(
  run: PipRun,
  args: readonly string[],
  task: string,
  how: { env?: Record<string, string>; hint?: string | undefined; native?: boolean } = {},
): Promise<{ forTarget: boolean }> {
  const { python, target } = run;
  const { tools, stepId } = run.context;
  // a build must see the Python that runs it
  const plain = how.native === true || (python.sameVersion && python.samePlatform);
  const start = plain ? ['-m', 'pip'] : ['-c', START_PIP, JSON.stringify(markerValues(target))];
  try {
    const result = await tools.run(python.program, [...start, ...args], {
      cwd: run.cwd,
      // pip installs nothing into an environment, so none needs to be active
      env: { PYTHONDONTWRITEBYTECODE: '1', PIP_REQUIRE_VIRTUALENV: 'false', ...how.env },
      stepId,
      task,
      displayed: `${path.basename(python.program)} -m pip ${args.join(' ')}`,
      hint: how.hint,
    });
    return { forTarget: !result.stdout.includes(NOT_PATCHED) };
  } catch (error) {
    throw error instanceof ToolError ? withReason(error, task, target) : error;
  }
}

/** Adds pip's last error, the result of the others, to the message. */
function withReason(error: ToolError, task: string, target: PythonTarget): ToolError {
  const reasons = [...error.output.matchAll(/^\s*(?:ERROR|error): (.+)$/gm)].map(([, text]) => text ?? '');
  const reason = reasons.at(-1);
  if (reason === undefined) return error;
  const missing = reason.startsWith('No matching distribution found for ');
  const where = missing ? ` (Python ${target.version} on Linux ${target.architecture})` : '';
  const hint = missing ? 'Check the name and the version, and that the index has a file for this Python.' : error.hint;
  return new ToolError(`${task} failed: ${reason.replace(/\.$/, '')}${where}`, error.output, hint, error.place);
}

/** Returns the values of markers on Lambda. The patch level is unknown; ranges expect `.0`. */
function markerValues(target: PythonTarget): Record<string, string> {
  return {
    python_version: target.version,
    python_full_version: `${target.version}.0`,
    implementation_name: 'cpython',
    implementation_version: `${target.version}.0`,
    platform_python_implementation: 'CPython',
    os_name: 'posix',
    sys_platform: 'linux',
    platform_system: 'Linux',
    platform_machine: machineOf(target.architecture),
  };
}
