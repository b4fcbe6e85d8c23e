import type { ResourceIdentifier } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';

/** What `--use-container` and its options say. */
export interface ContainerOptions {
  /** `--build-image` for all. */
  image: string | undefined;
  /** `--build-image Id=URI`. */
  images: Readonly<Record<string, string>>;
  /** Variables for all containers. */
  env: Readonly<Record<string, string>>;
  /** And of single functions and layers, which count more. */
  envById: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The container that something is built in. */
export interface ContainerSettings {
  image: string;
  env: Readonly<Record<string, string>>;
}

/** Who is built: by its id, or by its logical id alone. */
interface Built {
  id: ResourceIdentifier;
  logicalId: string;
  /** A runtime or a build method. */
  method: string | undefined;
  architecture: 'x86_64' | 'arm64';
}

/** The image and variables for a function or layer; undefined: it is built on this machine. */
export function containerSettings(built: Built, options: ContainerOptions | undefined): ContainerSettings | undefined {
  if (options === undefined) return undefined;
  const { id, logicalId, method, architecture } = built;
  const own = ownValue(options.images, id) ?? ownValue(options.images, logicalId);
  const image = own ?? options.image ?? `public.ecr.aws/sam/build-${method ?? 'provided'}:latest-${architecture}`;
  const env = { ...options.env, ...ownValue(options.envById, logicalId), ...ownValue(options.envById, id) };
  return { image, env };
}
