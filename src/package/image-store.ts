import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import type { Reporter } from '../console/reporter.ts';
import { step } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import type { LocalImage } from '../model/built-stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import { engineError, findEngine, unknownFailure } from '../support/container-engine.ts';
import type { Engine } from '../support/container-engine.ts';
import { readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { createGate } from '../support/map-limit.ts';
import { fields, parseJson, recordOf, text } from '../support/shapes.ts';
import type { SpawnResult } from '../support/spawn.ts';
import { imageTag, parseEcr, parseImageReference, registryOf } from '../model/image-reference.ts';

/** An image and the place in a registry that it has, or is to have. */
export interface LocatedImage {
  id: ResourceIdentifier;
  image: LocalImage;
  repository: string;
  /** With its tag: what templates name. */
  uri: string;
}

/** An image that the registry has. */
export interface PushedImage {
  /** `sha256:…` of its manifest: what Lambda compares. */
  digest: string;
  /** `repository@sha256:…`: what `UpdateFunctionCode` takes. */
  uri: string;
}

/** Names and pushes images; each once however many functions use it. */
export interface ImageStore {
  /** The place, from the image alone: nothing is sent, nothing is asked. */
  locate(id: ResourceIdentifier, image: LocalImage, repository: string): LocatedImage;
  /** The digest that the image has in the repository, if it is known without sending anything. */
  knownDigest(located: LocatedImage): Promise<string | undefined>;
  /** Whether ECR has it. False also for other registries, which only a push can ask. */
  has(located: LocatedImage): Promise<boolean>;
  /** Sends what the registry lacks. */
  push(located: LocatedImage): Promise<PushedImage>;
}

export interface ImageStoreOptions {
  aws: Aws;
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal: AbortSignal;
}

/** A push sends its layers side by side already. */
const PUSHES_AT_ONCE = 2;

export function createImageStore(options: ImageStoreOptions): ImageStore {
  const { env, signal } = options;
  const pushes = new Map<string, Promise<PushedImage>>();
  const gate = createGate(PUSHES_AT_ONCE);
  const logins = new Map<string, Promise<void>>();
  const inEcr = new Map<string, string | undefined>();
  let engine: Promise<Engine> | undefined;
  const registry: Registry = {
    ...options,
    find: async (located) => {
      if (!inEcr.has(located.uri)) inEcr.set(located.uri, await findInEcr(options, located));
      return inEcr.get(located.uri);
    },
    engine: () => (engine ??= findEngine('Pushing an image', { env, signal })),
    login: (repository, again) => {
      const host = registryOf(repository);
      if (again) logins.delete(host);
      const known = logins.get(host) ?? logIn(registry, repository);
      logins.set(host, known);
      return known;
    },
  };
  return {
    locate: (id, image, repository) => {
      // an image that the template names by its id has no other name
      const name = image.name.startsWith('sha256:') ? id : image.name;
      return { id, image, repository, uri: `${repository}:${imageTag({ ...image, name })}` };
    },
    knownDigest: async (located) => {
      const { pushed } = await readRecord(located.image);
      const known = pushed[located.repository] ?? (await registry.find(located).catch(notThereYet));
      if (known !== undefined) return known;
      const opened = await registry.engine().catch(notThereYet);
      return opened && readDigest(opened, located);
    },
    has: async (located) => (await registry.find(located).catch(notThereYet)) !== undefined,
    push: (located) => {
      const known = pushes.get(located.uri) ?? gate(() => pushImage(registry, located));
      pushes.set(located.uri, known);
      return known;
    },
  };
}

/** A repository that is missing may be made before the push, which tells if it was not, or if there is no engine. */
function notThereYet(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  return undefined;
}

interface Registry extends ImageStoreOptions {
  /** The digest of the image if ECR has it: asked once. */
  find(located: LocatedImage): Promise<string | undefined>;
  engine(): Promise<Engine>;
  login(repository: string, again?: boolean): Promise<void>;
}

interface ImageRecord {
  imageId: string;
  /** Repository → digest. */
  pushed: Record<string, string>;
}

async function readRecord({ recordFile, imageId }: LocalImage): Promise<ImageRecord> {
  // a damaged one says nothing: it is asked again
  const record = fields(parseJson((await readTextIfExists(recordFile)) ?? ''));
  const pushed = record?.['imageId'] === imageId ? recordOf(text)(record['pushed']) : undefined;
  return { imageId, pushed: pushed ?? {} };
}

function pushImage(registry: Registry, located: LocatedImage): Promise<PushedImage> {
  const { id, image, repository, uri } = located;
  const about = { kind: 'upload', id: `push:${uri}`, label: `the image of ${id}` } as const;
  return step(registry.reporter, about, async () => {
    const there = await registry.find(located);
    const digest = there ?? (await sendImage(registry, located));
    const record = await readRecord(image);
    if (record.pushed[repository] !== digest)
      await writeFileAtomic(
        image.recordFile,
        JSON.stringify({ ...record, pushed: { ...record.pushed, [repository]: digest } }),
      );
    const outcome = there === undefined ? 'done' : 'unchanged';
    return { value: { digest, uri: `${repository}@${digest}` }, outcome };
  });
}

/** The digest of the image if ECR has its tag: then no engine is needed. */
async function findInEcr(
  { aws }: Pick<ImageStoreOptions, 'aws'>,
  { repository, uri }: LocatedImage,
): Promise<string | undefined> {
  const ecr = parseEcr(repository);
  if (ecr === undefined) return undefined;
  try {
    const { send, DescribeImagesCommand } = await aws.ecr();
    const { imageDetails } = await send(
      new DescribeImagesCommand({
        registryId: ecr.account,
        repositoryName: ecr.name,
        imageIds: [{ imageTag: parseImageReference(uri).tag }],
      }),
    );
    return imageDetails?.[0]?.imageDigest;
  } catch (error) {
    if (isAwsError(error, 'RepositoryNotFoundException')) throw missingRepository(repository, error);
    // whoever may push may lack the right to look
    if (isAwsError(error, 'ImageNotFoundException') || (isAwsError(error) && error.kind === 'access-denied'))
      return undefined;
    throw error;
  }
}

async function sendImage(registry: Registry, located: LocatedImage): Promise<string> {
  const { image, uri, repository } = located;
  const engine = await registry.engine();
  const tagged = await engine.run(['tag', image.imageId, uri]);
  if (tagged.code !== 0)
    throw engineError(engine.name, tagged.output, uri) ?? unknownFailure(engine.name, tagged.output);
  await registry.login(repository);
  const push = (): Promise<SpawnResult> =>
    engine.run(['push', uri], {
      endsWithUs: true,
      onLine: (line) => registry.reporter.report({ type: 'tool-output', id: `push:${uri}`, line }),
    });
  let result = await push();
  if (result.code !== 0 && LOGGED_OUT.test(result.output) && parseEcr(repository)) {
    await registry.login(repository, true);
    result = await push();
  }
  if (result.code !== 0) throw pushFailure(engine, result.output, located);
  return /digest: (sha256:[0-9a-f]{64})/.exec(result.output)?.[1] ?? (await requireDigest(engine, located));
}

const LOGGED_OUT = /no basic auth credentials|authorization token has expired|unauthorized|authentication required/i;

/** The digest that the image had in the repository when it was pushed or pulled last: engines remember it. */
async function readDigest(engine: Engine, { image, repository }: LocatedImage): Promise<string | undefined> {
  const format = '{{range .RepoDigests}}{{.}} {{end}}';
  const { stdout } = await engine.run(['image', 'inspect', '--format', format, image.imageId]);
  const own = stdout.split(/\s+/).find((name) => name.startsWith(`${repository}@`));
  return own?.split('@')[1];
}

/** Not all engines print it. */
async function requireDigest(engine: Engine, located: LocatedImage): Promise<string> {
  const digest = await readDigest(engine, located);
  if (digest !== undefined) return digest;
  throw new UserError(`${engine.name} does not say which digest ${located.uri} has`);
}

/** Only ECR's logins are known here; to another registry the user logs in. A registry on this machine needs none. */
async function logIn({ aws, engine: open }: Registry, repository: string): Promise<void> {
  if (parseEcr(repository) === undefined) return;
  const { send, GetAuthorizationTokenCommand } = await aws.ecr();
  const { authorizationData } = await send(new GetAuthorizationTokenCommand({}));
  const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString();
  const colon = token.indexOf(':');
  const engine = await open();
  const host = registryOf(repository);
  const args = ['login', '--username', token.slice(0, colon) || 'AWS', '--password-stdin', host];
  const { code, output } = await engine.run(args, { input: token.slice(colon + 1) });
  if (code === 0) return;
  throw new UserError(`${engine.name} could not log in to ${host}: ${output.trim().split('\n').at(-1)}`, {
    hint: 'A credential helper in its settings may be missing or locked.',
  });
}

function pushFailure(engine: Engine, output: string, { uri, repository }: LocatedImage): UserError {
  if (/\bname unknown\b|repository with name '[^']*' does not exist in the registry/i.test(output))
    return missingRepository(repository);
  return engineError(engine.name, output, uri) ?? unknownFailure(engine.name, output);
}

function missingRepository(repository: string, cause?: unknown): UserError {
  const ecr = parseEcr(repository);
  const make =
    ecr === undefined
      ? 'Make it'
      : `Make it: aws ecr create-repository --region ${ecr.region} --repository-name ${ecr.name}`;
  return new UserError(`There is no repository ${repository}`, {
    cause,
    hint: `${make}, or let --resolve-image-repos make one for each function.`,
  });
}
