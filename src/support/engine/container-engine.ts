import { UserError } from '../../errors.ts';
import type { SpawnOptions, SpawnResult } from '../process/spawn.ts';
import { sshFailure } from './ssh-failure.ts';

/** A program that runs containers and builds images. All have Docker's command line. */
export type EngineName = 'docker' | 'podman' | 'finch';

/** A running engine, with the user's settings (`DOCKER_HOST`, contexts, logins). */
export interface Engine {
  name: EngineName;
  env: NodeJS.ProcessEnv;
  /** Options of `run` and `build`: without a bridge network containers use the machine's network. */
  network: readonly string[];
  /** Runs a command. Does not throw for an exit code. */
  run(args: readonly string[], options?: EngineCallOptions): Promise<SpawnResult>;
}

/** Options of an engine's command; `env` is added to the engine's. */
type EngineCallOptions = Pick<SpawnOptions, 'cwd' | 'input' | 'onLine' | 'signal'> & {
  env?: Readonly<Record<string, string | undefined>>;
};

/** Returns the IDs of those images that the engine has. */
export async function imageIds(engine: Engine, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const { stdout } = await engine.run(['image', 'inspect', '--format', '{{.Id}}', '--', ...names]);
  return stdout.split(/\s+/).filter((id) => id !== '');
}

/** Explains an engine's output; undefined for an unknown failure. `image`: the requested one; `endpoint`: the address of the engine. */
export function engineError(
  name: EngineName,
  output: string,
  { image = 'the image', endpoint }: { image?: string | undefined; endpoint?: string | undefined } = {},
): UserError | undefined {
  const overSsh = name === 'docker' ? sshFailure(output) : undefined;
  if (overSsh) return overSsh;
  const failure = KNOWN.find(({ pattern }) => pattern.test(output));
  const label = endpoint === undefined ? engineLabel(name) : `${engineLabel(name)} at ${endpoint}`;
  return failure && new UserError(failure.message(label, image), { hint: failure.hint(name, image) });
}

/** Creates the error for an unknown failure, from the last line of an engine's output. */
export function unknownFailure(name: EngineName, output: string): UserError {
  const lines = output.split('\n').map((line) => line.trim());
  const messages = lines.filter((line) => line !== '' && !/^(?:Run|See) '/.test(line));
  const last = messages.at(-1)?.replace(/^\w+: (?=Error)/, '') ?? 'no reason given';
  return new UserError(`${engineLabel(name)} failed: ${last}`);
}

/** The name of an engine in messages. */
export function engineLabel(name: EngineName): string {
  return name[0]?.toUpperCase() + name.slice(1);
}

interface KnownFailure {
  pattern: RegExp;
  message(engine: string, image: string): string;
  hint(name: EngineName, image: string): string;
}

/** Messages of Docker, Podman and Finch (nerdctl), in order of precedence. */
const UNREACHABLE_REGISTRY: Pick<KnownFailure, 'message' | 'hint'> = {
  message: (engine, image) => `${engine} could not reach the registry of ${image}`,
  hint: () => 'Check the network, and the proxy settings of the engine.',
};

const KNOWN: readonly KnownFailure[] = [
  // the engine's own call to a registry, not ours to the engine
  { pattern: /"?https?:\/\/[^/\s]+\/v2\/\S*: .*(?:connection refused|no such host)/i, ...UNREACHABLE_REGISTRY },
  {
    pattern: /permission denied.*(?:socket|docker API)|(?:socket|connect).*permission denied/i,
    message: (engine) => `${engine} is running, but you have no permission to use it`,
    hint: (name) => `Add yourself to the group ${name} (sudo usermod -aG ${name} "$USER") and log in again.`,
  },
  {
    pattern: /Client sent an HTTP request to an HTTPS server/i,
    message: (engine) => `${engine} expects TLS`,
    hint: () => 'Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem.',
  },
  {
    pattern:
      /error during connect.*(?:x509:|\btls: |server gave HTTP response to HTTPS client)|TLS client certification settings/i,
    message: (engine) => `${engine} is unreachable over TLS`,
    hint: () =>
      'Check DOCKER_CERT_PATH: ca.pem there must have signed the engine’s certificate, and the engine must accept cert.pem. Without TLS unset DOCKER_TLS_VERIFY.',
  },
  {
    pattern:
      /cannot connect to|is the docker daemon running|failed to connect to the docker API|error during connect|connection refused|no such host|unable to connect to Podman|virtual machine.*(?:not running|stopped)|instance \\?"finch\\?" does not exist/i,
    message: (engine) => `${engine} is unreachable`,
    hint: (name) =>
      name === 'docker'
        ? 'Start Docker Desktop, or the service: sudo systemctl start docker. Check DOCKER_HOST and docker context.'
        : `Start it: ${name === 'podman' ? 'podman machine start' : 'finch vm start'}.`,
  },
  {
    pattern: /no space left on device/i,
    message: (engine) => `${engine} has no disk space left`,
    hint: (name) => `Free some on its machine: ${name} system prune removes what no container uses.`,
  },
  {
    pattern: /requires BuildKit|unknown flag: --(?:secret|ssh)\b|buildx component is missing/i,
    message: (engine) => `The build needs BuildKit, which ${engine} does not have here`,
    hint: () => 'Install buildx (docker-buildx or docker-buildx-plugin), or with Docker 20.10 set DOCKER_BUILDKIT=1.',
  },
  {
    pattern: /exec format error|exec user process caused/i,
    message: (engine, image) => `${engine} cannot run ${image}: it is for another processor architecture`,
    hint: () => 'Install emulation: docker run --privileged --rm tonistiigi/binfmt --install all.',
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
    message: (_engine, image) => `The repository of ${image} does not exist`,
    hint: () => 'Create it (aws ecr create-repository --repository-name NAME), or use --resolve-image-repos.',
  },
  {
    pattern:
      /manifest (?:for .* )?(?:not found|unknown)|pull access denied|repository does not exist|no such image|failed to resolve reference|image not known|not found: manifest/i,
    message: (_engine, image) => `Image ${image} does not exist`,
    hint: () =>
      'Check its name. public.ecr.aws needs no login; remove an expired one with docker logout public.ecr.aws.',
  },
  {
    pattern: /dial tcp|i\/o timeout|TLS handshake timeout|temporary failure in name resolution|network is unreachable/i,
    ...UNREACHABLE_REGISTRY,
  },
];
