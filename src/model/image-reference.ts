/** A parsed image name. */
export interface ImageReference {
  /** Registry, port and name, without tag and digest: `123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/orders`. */
  repository: string;
  tag: string | undefined;
  /** `sha256:…` */
  digest: string | undefined;
}

/** Parses `[host[:port]/]path[:tag][@digest]`. A colon before the last `/` belongs to the port. */
export function parseImageReference(text: string): ImageReference {
  const [named = '', digest] = text.split('@');
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  return {
    repository: colon < 0 ? named : named.slice(0, colon),
    tag: colon < 0 ? undefined : named.slice(colon + 1),
    digest,
  };
}

/** Returns the host (and port) of a repository's registry. */
export function registryOf(repository: string): string {
  return repository.split('/', 1)[0] ?? '';
}

/** A repository of Amazon ECR. */
export interface EcrRepository {
  account: string;
  region: string;
  name: string;
}

const ECR =
  /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.|on\.aws|c2s\.|sc2s\.|csp\.|cloud\.)[^/]*\/(.+)$/;

/**
 * Returns whether an `ImageUri` is in a registry, by SAM CLI's rule: in Amazon ECR or in a registry on this machine. Lambda
 * accepts no others, so any other name is an image in the container engine.
 */
export function isInRegistry(imageUri: string): boolean {
  const isEcr = parseEcr(imageUri) !== undefined || /^[A-Za-z0-9][\w-]*\.dkr\.ecr\./.test(imageUri);
  return isEcr || isOnThisMachine(imageUri);
}

/** Returns whether a repository is in a registry on this machine. */
export function isOnThisMachine(repository: string): boolean {
  return /^(?:localhost|127\.0\.0\.1)(?::\d{1,5})?\//.test(repository);
}

/** Parses a repository of Amazon ECR; undefined for another registry. */
export function parseEcr(repository: string): EcrRepository | undefined {
  const match = ECR.exec(repository);
  return match ? { account: match[1] ?? '', region: match[2] ?? '', name: match[3] ?? '' } : undefined;
}

/**
 * The tag under which an image is pushed, as SAM CLI does (docs/sam-cli-behaviour.md#image-tags): `<name>-<12 digits of the
 * image's id>-<tag>`. Equal images have equal tags, another one never overwrites it.
 */
export function imageTag({ imageId, name }: { imageId: string; name: string }): string {
  const { repository, tag = 'latest' } = parseImageReference(name);
  const id = imageId.replace(/^sha256:/, '').slice(0, 12);
  return `${repository.replaceAll('/', '-')}-${id}-${tag}`.slice(-128).replace(/^[.-]+/, '');
}
