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
