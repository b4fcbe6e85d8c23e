import { ToolError } from '../../tools/tools.ts';
import { noWheelMessage, noWheelHint } from './wheel.ts';
import type { PythonTarget } from './wheel.ts';

const PLAIN_NAME = '`?([\\w.-]+)`?';

/** Messages of uv about a package without a file that runs on Lambda, with its name and version. */
const NO_WHEEL: readonly RegExp[] = [
  // a source archive was built on this machine
  /The built wheel `([^-`]+)-([^-`]+)-[^`]*` is not compatible/,
  new RegExp(`${PLAIN_NAME}==([\\w.+!-]+) has no wheels with a matching`),
  new RegExp(`Package ${PLAIN_NAME} can't be installed because it doesn't have[\\s\\S]*?\\(v([^)]+)\\)`),
  new RegExp(`Package ${PLAIN_NAME} can't be installed because it doesn't have`),
];

/** Returns uv's failure with the reason in its message. */
export function explainUvFailure(error: ToolError, task: string, target: PythonTarget): ToolError {
  const { output } = error;
  for (const pattern of NO_WHEEL) {
    const [, name, version] = pattern.exec(output) ?? [];
    if (name !== undefined) return new ToolError(noWheelMessage(name, version, target), output, noWheelHint());
  }
  if (/invalid value 'pylock\.toml'|unrecognized subcommand|unexpected argument/.test(output)) {
    const hint =
      'Update it: uv self update, or as you installed it. The oldest version with pylock.toml (PEP 751) is 0.7.';
    return new ToolError(`${task} failed: this uv is too old`, output, hint);
  }
  const reason = reasonOf(output);
  const hint = /hash mismatch/i.test(output)
    ? 'Check whether the package changed, or comes from another index, before you accept its new hash (uv lock).'
    : error.hint;
  return reason === undefined ? error : new ToolError(`${task} failed: ${reason}`, output, hint);
}

/** Returns the first causes in uv's chain on one line. */
function reasonOf(output: string): string | undefined {
  const causes = output
    .split('\n')
    .map((line) => /^\s*(?:error|cause|Caused by)\s*:\s*(\S.*)$/.exec(line)?.[1])
    .filter((text) => text !== undefined);
  return causes.length === 0 ? undefined : causes.slice(0, 3).join(': ');
}
