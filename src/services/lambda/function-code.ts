import type { UpdateFunctionCodeCommandInput } from '@aws-sdk/client-lambda';
import type { LocalImage } from '../../model/built-stack.ts';
import type { FunctionResource } from '../../model/stack.ts';
import { UserError } from '../../errors.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import type { LocatedImage } from '../../package/image-store.ts';
import { hasIntrinsic } from '../../template/intrinsics.ts';
import type { CodeArtifact } from './code-artifacts.ts';
import type { ServiceContext } from '../service-context.ts';
import type { FunctionState } from './function-state.ts';
import { fromAnswer } from '../planned-request.ts';
import type { ShownValue } from '../../cloud/recent-sends.ts';
import { placeOf } from '../../cloud/resource-attributes.ts';

/** What a function is to run. */
export type FunctionCode =
  /** `key`: what encrypts it (`SourceKMSKeyArn`); with each update Lambda takes the one that it is told. */
  | { kind: 'zip'; artifact: CodeArtifact; key: string | undefined }
  /** `digest`: `sha256:…` of its manifest; undefined: not known before it is pushed. */
  | { kind: 'image'; located: LocatedImage; digest: string | undefined };

/** UpdateFunctionCode, before an image is pushed. */
export interface CodeUpdate {
  FunctionName: string;
  code: FunctionCode;
}

/** Code built for one runtime or architecture does not run on another: the template's change has to come first. */
export function refuseOtherKind(resource: FunctionResource, state: FunctionState): void {
  const { id, properties } = resource;
  const isKnown = isImage(resource) || resource.runtime !== undefined;
  const architecture = hasIntrinsic(properties['Architectures'] ?? null) ? undefined : resource.architecture;
  const differs: [name: string, here: string | undefined, there: string | undefined][] = [
    ['package type', resource.packageType, state.packageType],
    ['runtime', resource.runtime, state.runtime],
    ['architecture', isKnown ? architecture : undefined, state.architecture],
  ];
  for (const [name, here, there] of differs) {
    if (here === undefined || there === undefined || here === there) continue;
    throw new UserError(`${id} has the ${name} ${there} in the cloud, but ${here} in the template`, {
      hint: 'Sync without --code first: only a deployment changes it.',
    });
  }
}

/** Whether the function runs a container image. */
export function isImage({ packageType }: FunctionResource): boolean {
  return packageType === 'Image';
}

/** An image that was built for the function, and its place in a registry. Nothing is sent. */
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
  // the tag is made of the image: where no digest is known it tells as much
  return there === undefined || digest === undefined ? image.uri === located.uri : there === digest;
}

/** Whether the function has the code and runs it: an update that failed left code there that is not what runs. */
export function isDone(state: FunctionState, code: FunctionCode): boolean {
  return hasCode(state, code) && state.lastUpdateStatus !== 'Failed';
}

/** What Lambda shows of a function's code, in the words of `codeName`. */
export function shownCode({ name, codeSha256, image }: FunctionState): ShownValue {
  const value = image === undefined ? codeSha256 : (parseImageReference(image.resolved).digest ?? image.uri);
  return { resource: `${name} code`, value };
}

/** Names code that is ready to be sent: the hash of a zip or the digest of an image. */
export function codeName(code: FunctionCode): string {
  return code.kind === 'zip' ? code.artifact.sha256 : (code.digest ?? code.located.uri);
}

/** Whether the function shows what was sent, however it is called there: an index of images resolves to one of them. */
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

/** The code as it can be handed to Lambda: an image is in its registry, and its digest is known. */
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
