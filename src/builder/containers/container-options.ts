import type { ResourceIdentifier } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';

/** The options that go with `--use-container`. */
export interface ContainerOptions {
  /** `--build-image` for all. */
  image: string | undefined;
  /** `--build-image Id=URI`. */
  images: Readonly<Record<string, string>>;
  /** Variables for all containers. */
  env: Readonly<Record<string, string>>;
  /** Variables for single functions and layers; they override those for all. */
  envById: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The container of a build. */
export interface ContainerSettings {
  image: string;
  env: Readonly<Record<string, string>>;
}

/** A function or layer to build; options name it by its id or its logical id. */
interface ContainerTarget {
  id: ResourceIdentifier;
  logicalId: string;
  /** A runtime or a build method. */
  method: string | undefined;
  architecture: 'x86_64' | 'arm64';
}

/** Returns the image and variables for a function or layer; undefined: it is built on this machine. */
export function containerSettings(
  target: ContainerTarget,
  options: ContainerOptions | undefined,
): ContainerSettings | undefined {
  if (options === undefined) return undefined;
  const { id, logicalId, method, architecture } = target;
  const own = ownValue(options.images, id) ?? ownValue(options.images, logicalId);
  const image = own ?? options.image ?? `public.ecr.aws/sam/build-${method ?? 'provided'}:latest-${architecture}`;
  const env = { ...options.env, ...ownValue(options.envById, logicalId), ...ownValue(options.envById, id) };
  return { image, env };
}
