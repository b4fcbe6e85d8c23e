import type { Aws } from '../aws/aws.ts';
import { isAwsError } from '../aws/service-errors.ts';
import type { Reporter } from '../console/reporter.ts';
import { step } from '../console/reporter.ts';
import { UserError } from '../errors.ts';
import type { LocalImage } from '../model/built-stack.ts';
import type { ResourceIdentifier } from '../model/stack.ts';
import { findEngine } from '../support/engine/find-engine.ts';
import type { Engine } from '../support/engine/container-engine.ts';
import { readTextIfExists, writeFileAtomic } from '../support/files.ts';
import { createGate } from '../support/map-limit.ts';
import { fields, parseJson, recordOf, text } from '../support/shapes.ts';
import { imageTag, parseEcr, parseImageReference, registryOf } from '../model/image-reference.ts';
import { missingRepository, readDigest, sendToRegistry } from './push-image.ts';

/** An image and its place in a registry, before the push. */
export interface LocatedImage {
  id: ResourceIdentifier;
  image: LocalImage;
  repository: string;
  /** With tag, as in templates. */
  uri: string;
}

/** A pushed image. */
export interface PushedImage {
  /** `sha256:…` of its manifest, which Lambda compares. */
  digest: string;
  /** `repository@sha256:…`, for `UpdateFunctionCode`. */
  uri: string;
}

/** Names and pushes images, each only once however many functions use it. */
export interface ImageStore {
  /** Returns the place, which follows from the image: sends no request. */
  locate(id: ResourceIdentifier, image: LocalImage, repository: string): LocatedImage;
  /** Returns the digest of the image in the repository, if known without a push. */
  knownDigest(located: LocatedImage): Promise<string | undefined>;
  /** Returns whether ECR has it; false for other registries, which only a push can check. */
  has(located: LocatedImage): Promise<boolean>;
  /** Pushes what the registry lacks. */
  push(located: LocatedImage): Promise<PushedImage>;
}

/** What the store needs from its caller. */
export interface ImageStoreOptions {
  aws: Aws;
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal: AbortSignal;
}

/** A push already uploads its layers in parallel. */
const PUSHES_AT_ONCE = 2;

/** Creates the store. */
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
      const login = logins.get(host) ?? logIn(registry, repository);
      logins.set(host, login);
      return login;
    },
  };
  return {
    locate: (id, image, repository) => {
      // an image that the template names by ID has no other name
      const name = image.name.startsWith('sha256:') ? id : image.name;
      return { id, image, repository, uri: `${repository}:${imageTag({ ...image, name })}` };
    },
    knownDigest: async (located) => {
      const { pushed } = await readRecord(located.image);
      const digest = pushed[located.repository] ?? (await registry.find(located).catch(ignoreUserError));
      if (digest !== undefined) return digest;
      const engineNow = await registry.engine().catch(ignoreUserError);
      return engineNow && readDigest(engineNow, { imageId: located.image.imageId, repository: located.repository });
    },
    has: async (located) => (await registry.find(located).catch(ignoreUserError)) !== undefined,
    push: (located) => {
      const push = pushes.get(located.uri) ?? gate(() => pushImage(registry, located));
      pushes.set(located.uri, push);
      return push;
    },
  };
}

/** Ignores a missing repository, which may be created before the push, or engine: the push reports them. */
function ignoreUserError(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  return undefined;
}

interface Registry extends ImageStoreOptions {
  /** Returns the digest of the image if ECR has it. Asks only once. */
  find(located: LocatedImage): Promise<string | undefined>;
  engine(): Promise<Engine>;
  login(repository: string, again?: boolean): Promise<void>;
}

/** The part of an image's record that is ours; the build keeps the rest. */
interface ImageRecord {
  imageId: string;
  /** Repository → digest. */
  pushed: Record<string, string>;
}

async function readRecord({ recordFile, imageId }: LocalImage): Promise<ImageRecord> {
  // a damaged record counts as empty
  const record = fields(parseJson((await readTextIfExists(recordFile)) ?? ''));
  if (record?.['imageId'] !== imageId) return { imageId, pushed: {} };
  return { ...record, imageId, pushed: recordOf(text)(record['pushed']) ?? {} };
}

function pushImage(registry: Registry, located: LocatedImage): Promise<PushedImage> {
  const { id, image, repository, uri } = located;
  const start = { kind: 'upload', id: `push:${uri}`, label: `the image of ${id}` } as const;
  return step(registry.reporter, start, async () => {
    const existing = await registry.find(located);
    const digest = existing ?? (await sendImage(registry, located));
    const record = await readRecord(image);
    if (record.pushed[repository] !== digest)
      await writeFileAtomic(
        image.recordFile,
        JSON.stringify({ ...record, pushed: { ...record.pushed, [repository]: digest } }),
      );
    const outcome = existing === undefined ? 'done' : 'unchanged';
    return { value: { digest, uri: `${repository}@${digest}` }, outcome };
  });
}

/** Returns the digest of the image if ECR has its tag. Needs no engine. */
async function findInEcr(
  { aws }: Pick<ImageStoreOptions, 'aws'>,
  { repository, uri }: LocatedImage,
): Promise<string | undefined> {
  const answer = await lookUpImage(aws, repository, parseImageReference(uri).tag ?? '');
  // permission to push does not imply permission to describe
  return 'digest' in answer ? answer.digest : undefined;
}

/** What a registry says of a tag: the digest of its image, or why there is none. */
export type ImageAnswer = { digest: string } | { reason: string };

/** Asks Amazon ECR which image has a tag. Needs no engine. Throws if the repository does not exist. */
export async function lookUpImage(aws: Aws, repository: string, tag: string): Promise<ImageAnswer> {
  const ecr = parseEcr(repository);
  if (ecr === undefined) return { reason: `${repository} is not in Amazon ECR` };
  try {
    const { send, DescribeImagesCommand } = await aws.ecr();
    const { imageDetails } = await send(
      new DescribeImagesCommand({
        registryId: ecr.account,
        repositoryName: ecr.name,
        imageIds: [{ imageTag: tag }],
      }),
    );
    const digest = imageDetails?.[0]?.imageDigest;
    return digest === undefined ? { reason: `${repository} does not have it` } : { digest };
  } catch (error) {
    if (isAwsError(error, 'RepositoryNotFoundException')) throw missingRepository(repository, error);
    if (isAwsError(error, 'ImageNotFoundException')) return { reason: `${repository} does not have it` };
    if (isAwsError(error) && error.kind === 'access-denied')
      return { reason: `access to ${repository} is denied (ecr:DescribeImages)` };
    throw error;
  }
}

async function sendImage(registry: Registry, located: LocatedImage): Promise<string> {
  const { image, uri, repository } = located;
  return sendToRegistry(await registry.engine(), {
    imageId: image.imageId,
    uri,
    repository,
    login: (again) => registry.login(repository, again),
    findDigest: () => findInEcr(registry, located),
    onLine: (line) => registry.reporter.report({ type: 'tool-output', id: `push:${uri}`, line }),
  });
}

/** Logs in to ECR. Users log in to other registries themselves; a registry on this machine needs no login. */
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
    hint: 'Check whether a credential helper in its settings is missing or locked.',
  });
}
