import * as os from 'node:os';
import * as path from 'node:path';
import { UserError } from '../errors.ts';
import { isOnThisMachine, parseEcr } from '../model/image-reference.ts';
import type { Engine } from '../support/engine/container-engine.ts';
import { engineFailure, lostConnection } from '../support/engine/engine-failure.ts';
import { remoteEndpoint } from '../support/engine/engine-place.ts';
import { readTextIfExists } from '../support/files.ts';
import type { SpawnResult } from '../support/process/spawn.ts';
import { withTemporaryFolder } from '../support/temporary.ts';

/** An image of the engine and where it goes. */
interface ImagePush {
  imageId: string;
  /** With tag. */
  uri: string;
  repository: string;
  /** `again`: the last login has expired. */
  login(again?: boolean): Promise<void>;
  /** Asks the registry, where a service answers that. */
  findDigest(): Promise<string | undefined>;
  onLine(line: string): void;
}

/** Tags and pushes an image. Returns the digest of its manifest in the registry. */
export async function sendToRegistry(engine: Engine, image: ImagePush): Promise<string> {
  const { imageId, uri } = image;
  const tagged = await engine.run(['tag', '--', imageId, uri]);
  if (tagged.code !== 0) throw await engineFailure(engine, tagged.output, { image: uri, during: pushOf(engine, uri) });
  await image.login();
  return engine.name === 'podman' ? pushByPodman(engine, image) : pushByDocker(engine, image);
}

/** Docker and Finch print the digest, or remember it. */
async function pushByDocker(engine: Engine, image: ImagePush): Promise<string> {
  const { output } = await push(engine, image, []);
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(output)?.[1];
  if (digest !== undefined) return digest;
  // Docker prints the digest last, and reports success for a connection that was cut before it
  const endpoint = engine.name === 'docker' ? await remoteEndpoint(engine) : undefined;
  if (endpoint !== undefined) throw lostConnection(engine, endpoint, pushOf(engine, image.uri));
  return requireDigest(engine, image, await readDigest(engine, image));
}

/**
 * Podman compresses layers while it pushes, so the digest that it remembers is not that of the registry. It writes the right one to a
 * file, unless it is an older one that talks to another machine.
 */
async function pushByPodman(engine: Engine, image: ImagePush): Promise<string> {
  // Docker and Finch speak HTTP to these by themselves
  const insecure = isOnThisMachine(image.repository) ? ['--tls-verify=false'] : [];
  return withTemporaryFolder(os.tmpdir(), 'sam-sync-push', async (folder) => {
    const file = path.join(folder, 'digest');
    const { isUnknown } = await push(engine, image, [...insecure, `--digestfile=${file}`]);
    if (isUnknown) await push(engine, image, insecure);
    const digest = isUnknown ? await image.findDigest() : (await readTextIfExists(file))?.trim();
    return requireDigest(engine, image, digest);
  });
}

const LOGGED_OUT = /no basic auth credentials|authorization token has expired|unauthorized|authentication required/i;

/** `isUnknown`: the engine does not know an option, and has done nothing. */
async function push(
  engine: Engine,
  { uri, repository, login, onLine }: ImagePush,
  options: readonly string[],
): Promise<SpawnResult & { isUnknown: boolean }> {
  const send = (): Promise<SpawnResult> => engine.run(['push', ...options, '--', uri], { onLine });
  let result = await send();
  if (result.code !== 0 && LOGGED_OUT.test(result.output) && parseEcr(repository)) {
    await login(true);
    result = await send();
  }
  const isUnknown = result.code !== 0 && /unknown flag: --digestfile/.test(result.output);
  if (result.code === 0 || isUnknown) return { ...result, isUnknown };
  if (/\bname unknown\b|repository with name '[^']*' does not exist in the registry/i.test(result.output))
    throw missingRepository(repository);
  throw await engineFailure(engine, result.output, { image: uri, during: pushOf(engine, uri) });
}

/** Returns the digest of the last push or pull, as the engine remembers it. */
export async function readDigest(
  engine: Engine,
  { imageId, repository }: Pick<ImagePush, 'imageId' | 'repository'>,
): Promise<string | undefined> {
  if (engine.name === 'podman') return undefined;
  const format = '{{range .RepoDigests}}{{.}} {{end}}';
  const { stdout } = await engine.run(['image', 'inspect', '--format', format, imageId]);
  const own = stdout.split(/\s+/).find((name) => name.startsWith(`${repository}@`));
  return own?.split('@')[1];
}

function requireDigest({ name }: Engine, { uri }: ImagePush, digest: string | undefined): string {
  if (digest !== undefined) return digest;
  throw new UserError(`${name} reports no digest for ${uri}`, {
    hint:
      name === 'podman'
        ? 'On another machine this needs Podman 4.6 or later, or a repository in Amazon ECR.'
        : undefined,
  });
}

function pushOf({ name }: Engine, uri: string): string {
  return `${name} push ${uri}`;
}

/** The error for a repository that the registry does not have. */
export function missingRepository(repository: string, cause?: unknown): UserError {
  const ecr = parseEcr(repository);
  const create =
    ecr === undefined
      ? 'Create it'
      : `Create it with \`aws ecr create-repository --region ${ecr.region} --repository-name ${ecr.name}\``;
  return new UserError(`Repository ${repository} does not exist`, {
    cause,
    hint: `${create}, or let --resolve-image-repos create repositories.`,
  });
}
