/** Variables for a container: options of the engine's program, and what that program must find in its own environment. */
export interface PassedVariables {
  options: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** The engine's own program needs these as they are. */
const RESERVED =
  /^(?:PATH|HOME|USERPROFILE|TMPDIR|SSH_.*|XDG_.*|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|CONTAINERS?_.*|(?:HTTPS?|NO|ALL)_PROXY)$/i;

/**
 * Passes variables by name where that is possible: their values may be secrets, and command lines can be seen. `option`:
 * `--env`, or `--build-arg`.
 */
export function passVariables(variables: Readonly<Record<string, string>>, option = '--env'): PassedVariables {
  const entries = Object.entries(variables);
  const hidden = entries.filter(([name]) => !RESERVED.test(name));
  return {
    options: entries.flatMap(([name, value]) => [option, RESERVED.test(name) ? `${name}=${value}` : name]),
    env: Object.fromEntries(hidden),
  };
}
