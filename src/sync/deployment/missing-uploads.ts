import type { ArtifactStore, LocatedArtifact } from '../../package/artifact-store.ts';
import type { ImageStore, LocatedImage } from '../../package/image-store.ts';
import type { PackagedStack } from '../../package/package-templates.ts';
import type { Template } from '../../template/template.ts';

/** What a deployment reads from the bucket and from image registries. */
export interface DeploymentInputs {
  artifacts: readonly DeploymentInput<LocatedArtifact>[];
  images: readonly DeploymentInput<LocatedImage>[];
}

/** An artifact or image that a deployment reads. */
interface DeploymentInput<T> {
  located: T;
  /**
   * The deployed templates name it, so it was uploaded once and is probably there. A lifecycle rule or a person may have deleted
   * it since. CloudFormation reads nested templates and includes with every update, and code whenever it creates or replaces
   * a resource.
   */
  isNamed: boolean;
}

/** Lists what a deployment of the packaged templates may read. `deployed`: the deployed root template. Pure. */
export function deploymentInputs(packaged: PackagedStack, deployed: Template | undefined): DeploymentInputs {
  const all = inputsOf(
    packaged,
    (text) => deployed !== undefined && text.every((part) => textOf(deployed).includes(part)),
  );
  const byKey = new Map(all.artifacts.map((input) => [`${input.located.bucket}/${input.located.key}`, input] as const));
  return { artifacts: [...byKey.values()], images: all.images };
}

function inputsOf(packaged: PackagedStack, isNamed: (text: readonly string[]) => boolean): DeploymentInputs {
  const artifacts = packaged.artifacts.map((located) => ({ located, isNamed: isNamed([located.key, located.bucket]) }));
  const images = (packaged.images ?? []).map((located) => ({ located, isNamed: isNamed([located.uri]) }));
  const namedTexts = new Set(
    artifacts.flatMap(({ located: { item }, isNamed: named }) =>
      named && item.kind === 'template' ? [item.text] : [],
    ),
  );
  // keys are hashes of contents: a nested template that was uploaded names only what was uploaded before it
  const below = packaged.children.map((child) => inputsOf(child, () => namedTexts.has(child.text)));
  return {
    artifacts: [...artifacts, ...below.flatMap((inputs) => inputs.artifacts)],
    images: [...images, ...below.flatMap((inputs) => inputs.images)],
  };
}

/** The stores of the inputs. */
export interface InputStores {
  store: Pick<ArtifactStore, 'has'>;
  images: Pick<ImageStore, 'has'>;
}

/** Calls `act` for each input that is missing; the cloud is asked only about those that are probably there. */
export async function forEachMissing(
  { artifacts, images }: DeploymentInputs,
  stores: InputStores,
  act: { artifact(located: LocatedArtifact): Promise<void>; image(located: LocatedImage): Promise<void> },
): Promise<void> {
  await Promise.all([
    ...artifacts.map(async ({ located, isNamed }) => {
      if (!isNamed || !(await stores.store.has(located))) await act.artifact(located);
    }),
    ...images.map(async ({ located, isNamed }) => {
      if (!isNamed || !(await stores.images.has(located))) await act.image(located);
    }),
  ]);
}

const TEXTS = new WeakMap<Template, string>();

function textOf(template: Template): string {
  let text = TEXTS.get(template);
  if (text === undefined) {
    text = JSON.stringify(template);
    TEXTS.set(template, text);
  }
  return text;
}
