import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import { writeFileAtomic } from '../../support/files.ts';

/** Variables for a container: options for the engine's command, and variables for the command's own environment. */
export interface PassedVariables {
  options: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** The engine's command uses these itself. */
const RESERVED =
  /^(?:PATH|HOME|USERPROFILE|TMPDIR|SSH_.*|XDG_.*|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|CONTAINERS?_.*|(?:HTTPS?|NO|ALL)_PROXY)$/i;

/**
 * Passes variables by name where possible: their values may be secrets, and other users can read command lines. `option`:
 * `--env` or `--build-arg`.
 */
export function passVariables(variables: Readonly<Record<string, string>>, option = '--env'): PassedVariables {
  const entries = Object.entries(variables);
  const hidden = entries.filter(([name]) => !RESERVED.test(name));
  return {
    options: entries.map(([name, value]) => `${option}=${RESERVED.test(name) ? `${name}=${value}` : name}`),
    env: Object.fromEntries(hidden),
  };
}

/** URLs of proxies may hold logins, and the engine's own program uses these variables itself. */
const PROXY = /^(?:HTTPS?|ALL)_PROXY$/i;

/** Passes variables to a container: those of proxies by way of a file below the folder, which the user alone can read. */
export async function passToContainer(
  variables: Readonly<Record<string, string>>,
  folder: string,
): Promise<PassedVariables> {
  const entries = Object.entries(variables);
  const proxies = entries.filter(([name]) => PROXY.test(name));
  const passed = passVariables(Object.fromEntries(entries.filter(([name]) => !PROXY.test(name))));
  if (proxies.length === 0) return passed;
  const file = path.join(folder, `variables-${randomBytes(4).toString('hex')}`);
  // a line is a variable
  const lines = proxies.map(([name, value]) => `${name}=${value.replaceAll(/[\r\n]/g, '')}\n`);
  await writeFileAtomic(file, lines.join(''), { mode: 0o600 });
  return { ...passed, options: [`--env-file=${file}`, ...passed.options] };
}
