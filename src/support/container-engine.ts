import { UserError } from '../errors.ts';
import { ProgramNotFoundError, spawn } from './spawn.ts';
import type { SpawnOptions, SpawnResult } from './spawn.ts';

/** A program that runs containers and builds images. All take Docker's command line. */
export type EngineName = 'docker' | 'podman' | 'finch';

/** An engine that answers. Its own settings (`DOCKER_HOST`, contexts, logins) are the user's. */
export interface Engine {
  name: EngineName;
  env: NodeJS.ProcessEnv;
  /** Options of `run` and `build`: an engine without a bridge gives containers the machine's network. */
  network: readonly string[];
  /** Runs a command to its end, whatever the exit code. */
  run(args: readonly string[], options?: EngineCallOptions): Promise<SpawnResult>;
}

/** How a command of the engine is run; `env` is added to the engine's. */
type EngineCallOptions = Pick<SpawnOptions, 'cwd' | 'endsWithUs' | 'input' | 'onLine' | 'signal'> & {
  env?: Readonly<Record<string, string | undefined>>;
};

const ENGINES: readonly EngineName[] = ['docker', 'podman', 'finch'];
const INSTALL = 'Install Docker (https://docs.docker.com/get-docker), Podman or Finch, and start it.';

/** The first engine on PATH that answers. `what` begins the sentence if there is none: `--use-container`. */
export async function findEngine(
  what: string,
  { env, signal }: { env: Readonly<Record<string, string | undefined>>; signal: AbortSignal },
): Promise<Engine> {
  let failure: UserError | undefined;
  for (const name of ENGINES) {
    const engine = createEngine(name, { ...env }, signal);
    const answer = await engine.run(['network', 'ls', '--format', '{{.Name}}']).catch((error: unknown) => {
      if (error instanceof ProgramNotFoundError) return undefined;
      throw error;
    });
    if (answer?.code === 0) return withNetwork(engine, answer.stdout.split(/\s+/));
    if (answer) failure ??= engineError(name, answer.output) ?? unknownFailure(name, answer.output);
  }
  throw (
    failure ?? new UserError(`${what} needs Docker, Podman or Finch, and none of them is on PATH`, { hint: INSTALL })
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

/** What went wrong, from what an engine printed; undefined: nothing that is known. `image`: the one that was asked for. */
export function engineError(name: EngineName, output: string, image = 'the image'): UserError | undefined {
  const found = KNOWN.find(({ pattern }) => pattern.test(output));
  return found && new UserError(found.message(label(name), image), { hint: found.hint(name, image) });
}

/** What an engine printed last, where nothing better is known. */
export function unknownFailure(name: EngineName, output: string): UserError {
  const lines = output.split('\n').map((line) => line.trim());
  const told = lines.filter((line) => line !== '' && !/^(?:Run|See) '/.test(line));
  const last = told.at(-1)?.replace(/^\w+: (?=Error)/, '') ?? 'it says nothing';
  return new UserError(`${label(name)} failed: ${last}`);
}

function label(name: EngineName): string {
  return name[0]?.toUpperCase() + name.slice(1);
}

interface KnownFailure {
  pattern: RegExp;
  message(engine: string, image: string): string;
  hint(name: EngineName, image: string): string;
}

/** What Docker, Podman and Finch (nerdctl) say; the first that fits counts. */
const KNOWN: readonly KnownFailure[] = [
  {
    pattern: /permission denied.*(?:socket|docker API)|(?:socket|connect).*permission denied/i,
    message: (engine) => `${engine} is running, but you may not use it`,
    hint: (name) => `Add yourself to the group ${name} (sudo usermod -aG ${name} "$USER") and log in again.`,
  },
  {
    pattern:
      /cannot connect to|is the docker daemon running|failed to connect to the docker API|error during connect|connection refused|no such host|unable to connect to Podman|virtual machine.*(?:not running|stopped)|instance \\?"finch\\?" does not exist/i,
    message: (engine) => `${engine} is not running, or cannot be reached`,
    hint: (name) =>
      name === 'docker'
        ? 'Start Docker Desktop, or the service: sudo systemctl start docker. DOCKER_HOST and docker context say where it is looked for.'
        : `Start it: ${name === 'podman' ? 'podman machine start' : 'finch vm start'}.`,
  },
  {
    pattern: /exec format error|exec user process caused/i,
    message: (engine, image) => `${engine} cannot run ${image}: it is made for another processor`,
    hint: () => 'Emulation is needed for that: docker run --privileged --rm tonistiigi/binfmt --install all.',
  },
  {
    pattern:
      /no matching manifest|does not match the (?:specified|expected|detected) .*platform|no image found in (?:image index|manifest list)/i,
    message: (_engine, image) => `${image} does not exist for this architecture`,
    hint: () => 'Choose another image, or another architecture for the function.',
  },
  {
    pattern:
      /no basic auth credentials|authorization token has expired|unauthorized|authentication required|denied: .*(?:token|authoriz)/i,
    message: (engine, image) => `${engine} is not logged in to the registry of ${image}, or the login has expired`,
    hint: (name) =>
      `Log in: ${name} login REGISTRY; for Amazon ECR: aws ecr get-login-password | ${name} login --username AWS --password-stdin REGISTRY.`,
  },
  {
    pattern: /name unknown|repository .*does not exist in the registry/i,
    message: (_engine, image) => `There is no repository for ${image}`,
    hint: () => 'Make it (aws ecr create-repository --repository-name NAME), or let --resolve-image-repos do so.',
  },
  {
    pattern:
      /manifest (?:for .* )?(?:not found|unknown)|pull access denied|repository does not exist|no such image|failed to resolve reference|image not known|not found: manifest/i,
    message: (_engine, image) => `There is no image ${image}`,
    hint: () =>
      'Check its name; public.ecr.aws needs no login, but an expired one gets in the way: docker logout public.ecr.aws.',
  },
  {
    pattern: /dial tcp|i\/o timeout|TLS handshake timeout|temporary failure in name resolution|network is unreachable/i,
    message: (engine, image) => `${engine} could not reach the registry of ${image}`,
    hint: () => 'Check the network, and proxies in the settings of the engine.',
  },
];
