import type { Engine, EngineName } from './container-engine.ts';

/** The address of an engine on another machine; undefined: it is on this one. */
export async function remoteEndpoint(engine: Engine): Promise<string | undefined> {
  const endpoint = await endpointOf(engine);
  return endpoint !== undefined && /^(?:tcp|ssh|https?):\/\//i.test(endpoint) ? endpoint : undefined;
}

/** Variables that choose an engine, or one of its addresses. */
const CHOICES: Readonly<Record<EngineName, readonly string[]>> = {
  docker: ['DOCKER_HOST', 'DOCKER_CONTEXT'],
  podman: ['CONTAINER_HOST', 'CONTAINER_CONNECTION'],
  finch: [],
};

/** Returns whether a variable of the environment chooses this engine. */
export function isNamed({ name, env }: Pick<Engine, 'name' | 'env'>): boolean {
  return CHOICES[name].some((variable) => (env[variable] ?? '') !== '');
}

/** Podman's and Finch's own virtual machines share folders; they count as this machine until they do not see a file. */
async function endpointOf({ name, env, run }: Engine): Promise<string | undefined> {
  if (name === 'finch') return undefined;
  const variable = name === 'docker' ? env['DOCKER_HOST'] : env['CONTAINER_HOST'];
  if (name === 'podman' || (variable ?? '') !== '') return variable;
  const { code, stdout } = await run(['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}']);
  return code === 0 ? stdout.trim() : undefined;
}

/** The number of processors of the engine's machine; undefined if the engine does not say. */
export async function engineProcessors({ name, run }: Engine): Promise<number | undefined> {
  const { stdout } = await run(['info', '--format', name === 'podman' ? '{{.Host.CPUs}}' : '{{.NCPU}}']);
  const count = Number(stdout.trim());
  return Number.isInteger(count) && count > 0 ? count : undefined;
}
