import type { FunctionConfiguration, UpdateFunctionCodeCommandInput } from '@aws-sdk/client-lambda';
import type { LocalImage } from '../../model/built-stack.ts';
import type { FunctionResource } from '../../model/stack.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import type { LocatedImage } from '../../package/image-store.ts';
import { hasIntrinsic } from '../../template/intrinsics.ts';
import type { CodeArtifact } from './code-artifacts.ts';
import type { ServiceContext } from '../service-context.ts';
import type { FunctionState } from './function-state.ts';
import { NeedsDeploymentError } from '../needs-deployment-error.ts';
import { fromAnswer } from '../planned-request.ts';
import type { ShownValue } from '../../cloud/recent-sends.ts';
import { placeOf } from '../../cloud/resource-attributes.ts';

/** The code that a function gets. */
export type FunctionCode =
  /** `key`: encrypts it (`SourceKMSKeyArn`); each update sets it again. */
  | { kind: 'zip'; artifact: CodeArtifact; key: string | undefined }
  /** `digest`: `sha256:…` of its manifest; undefined: unknown before the push. */
  | { kind: 'image'; located: LocatedImage; digest: string | undefined };

/** The parameters of UpdateFunctionCode, before an image is pushed. */
export interface CodeUpdate {
  FunctionName: string;
  code: FunctionCode;
  /** Lambda's answer, if it has been sent ahead (`code-ahead.ts`). */
  answer?: FunctionConfiguration | undefined;
}

/**
 * Throws if the deployed function has another package type, runtime or architecture: the code would not run on it. A runtime
 * that is among the `settings` of this sync is set first.
 */
export function refuseOtherKind(
  resource: FunctionResource,
  state: FunctionState,
  settings: readonly string[] = [],
): void {
  const { id, properties } = resource;
  const isKnown = isImage(resource) || resource.runtime !== undefined;
  const architecture = hasIntrinsic(properties['Architectures'] ?? null) ? undefined : resource.architecture;
  const differs: [name: string, here: string | undefined, there: string | undefined][] = [
    ['package type', resource.packageType, state.packageType],
    ['runtime', settings.includes('Runtime') ? undefined : resource.runtime, state.runtime],
    ['architecture', isKnown ? architecture : undefined, state.architecture],
  ];
  for (const [name, here, there] of differs) {
    if (here === undefined || there === undefined || here === there) continue;
    throw new NeedsDeploymentError(`${id} has the ${name} ${there} in the cloud, but ${here} in the template`, {
      hint: 'Sync without --code first: only a deployment changes it.',
    });
  }
}

/** Whether the function runs a container image. */
export function isImage({ packageType }: FunctionResource): boolean {
  return packageType === 'Image';
}

/** Finds the place of a function's image in a registry. Pushes nothing. */
export async function locateImage(
  { images, stackId }: ServiceContext,
  { resource, state }: { resource: FunctionResource; state: FunctionState },
  image: LocalImage,
): Promise<FunctionCode> {
  const located = images.locate(resource, image, { place: placeOf(stackId), currentUri: state.image?.uri });
  return { kind: 'image', located, digest: await images.knownDigest(located) };
}

/** Whether the function, or this version of it, has the code. Pure. */
export function hasCode({ codeSha256, image }: FunctionState, code: FunctionCode): boolean {
  if (code.kind === 'zip') return codeSha256 === code.artifact.sha256;
  if (image === undefined) return false;
  const { located, digest } = code;
  if (parseImageReference(image.uri).repository !== located.repository) return false;
  const there = parseImageReference(image.resolved).digest;
  // the tag is a hash of the image, so it can be compared where no digest is known
  return there === undefined || digest === undefined ? image.uri === located.uri : there === digest;
}

/** Whether the function has the code and runs it: after a failed update it still runs other code. */
export function isDone(state: FunctionState, code: FunctionCode): boolean {
  return hasCode(state, code) && state.lastUpdateStatus !== 'Failed';
}

/** The code that Lambda returns for a function, named as by `codeName`. */
export function shownCode({ name, codeSha256, image }: FunctionState): ShownValue {
  const value = image === undefined ? codeSha256 : (parseImageReference(image.resolved).digest ?? image.uri);
  return { resource: `${name} code`, value };
}

/** Names code that is ready to send: the hash of a zip or the digest of an image. */
export function codeName(code: FunctionCode): string {
  return code.kind === 'zip' ? code.artifact.sha256 : (code.digest ?? code.located.uri);
}

/** Whether the function has what was sent; an image index resolves to one of its images. */
export function hasSent(state: FunctionState, code: FunctionCode): boolean {
  return hasCode(state, code) || (code.kind === 'image' && state.image?.uri === imageUri(code));
}

function imageUri({ located, digest }: Extract<FunctionCode, { kind: 'image' }>): string {
  return `${located.repository}@${digest ?? fromAnswer('PutImage', 'imageDigest')}`;
}

/** Whether both have the same code. */
export function isSameCode(one: FunctionState, other: FunctionState): boolean {
  return one.codeSha256 === other.codeSha256 && one.image?.resolved === other.image?.resolved;
}

/** Makes the code ready to send: pushes an image, which gives its digest. */
export async function readyCode({ images }: ServiceContext, code: FunctionCode): Promise<FunctionCode> {
  return code.kind === 'zip' ? code : { ...code, digest: (await images.push(code.located)).digest };
}

/** Sends UpdateFunctionCode with code that is ready. */
export async function sendCode<T>(
  { artifacts }: Pick<ServiceContext, 'artifacts'>,
  { FunctionName, code }: CodeUpdate,
  request: (input: UpdateFunctionCodeCommandInput) => Promise<T>,
): Promise<T> {
  if (code.kind === 'image') return request({ FunctionName, ImageUri: imageUri(code) });
  return artifacts.send(code.artifact, (sent) => request({ FunctionName, SourceKMSKeyArn: code.key, ...sent }));
}

/** The parameters that `sendCode` sends, with the bytes by size and hash. */
export async function describeCodeUpdate(
  { artifacts }: Pick<ServiceContext, 'artifacts'>,
  { FunctionName, code }: CodeUpdate,
): Promise<object> {
  if (code.kind === 'image') return { FunctionName, ImageUri: imageUri(code) };
  return { FunctionName, SourceKMSKeyArn: code.key, ...(await artifacts.describe(code.artifact)) };
}
