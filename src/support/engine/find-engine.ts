import { UserError } from '../../errors.ts';
import { engineError, unknownFailure } from './container-engine.ts';
import type { Engine, EngineName } from './container-engine.ts';
import { isNamed, remoteEndpoint } from './engine-place.ts';
import { ProgramNotFoundError, spawn } from '../process/spawn.ts';

const ENGINES: readonly EngineName[] = ['docker', 'podman', 'finch'];
const INSTALL = 'Install Docker (https://docs.docker.com/get-docker), Podman or Finch, and start it.';

/**
 * Finds the engine that the environment or Docker's context chooses, else the first running one on PATH. `what`: subject of the
 * error message, e.g. `--use-container`.
 */
export async function findEngine(
  what: string,
  { env, signal }: { env: Readonly<Record<string, string | undefined>>; signal: AbortSignal },
): Promise<Engine> {
  let failure: UserError | undefined;
  const engines = ENGINES.map((name) => createEngine(name, { ...env }, signal));
  for (const engine of engines.sort((a, b) => Number(isNamed(b)) - Number(isNamed(a)))) {
    const { name } = engine;
    const answer = await engine.run(['network', 'ls', '--format', '{{.Name}}']).catch((error: unknown) => {
      if (error instanceof ProgramNotFoundError) return undefined;
      throw error;
    });
    if (answer?.code === 0) return withNetwork(engine, answer.stdout.split(/\s+/));
    if (!answer) continue;
    const endpoint = await remoteEndpoint(engine);
    failure ??= engineError(name, answer.output, { endpoint }) ?? unknownFailure(name, answer.output);
    // builds must not go to another engine than the one the user chose
    if (endpoint !== undefined || isNamed(engine)) throw failure;
  }
  throw (
    failure ?? new UserError(`${what} needs Docker, Podman or Finch, but none of them is on PATH`, { hint: INSTALL })
  );
}

function createEngine(name: EngineName, env: NodeJS.ProcessEnv, signal: AbortSignal): Engine {
  return {
    name,
    env,
    network: [],
    run: (args, options = {}) => spawn(name, args, { signal, ...options, env: { ...env, ...options.env } }),
  };
}

function withNetwork(engine: Engine, networks: readonly string[]): Engine {
  const hostOnly = engine.name === 'docker' && !networks.includes('bridge') && networks.includes('host');
  return hostOnly ? { ...engine, network: ['--network', 'host'] } : engine;
}
