import type { LocatedArtifact } from '../package/artifact-store.ts';
import type { LocatedImage } from '../package/image-store.ts';
import type { PackagedStack } from '../package/package-templates.ts';
import type { Template } from '../template/template.ts';

/**
 * What has to be in the bucket before the packaged template can be deployed. What the deployed root template names was
 * sent for that deployment, and so was everything below a nested template that it names: keys come from contents.
 */
export function missingUploads(packaged: PackagedStack, deployed: Template | undefined): LocatedArtifact[] {
  const own = packaged.artifacts.filter((artifact) => !refersTo(deployed, artifact));
  const missingTexts = new Set(own.flatMap(({ item }) => (item.kind === 'template' ? [item.text] : [])));
  const below = packaged.children
    .filter((child) => missingTexts.has(child.text))
    // the deployed nested template is not known here: the store asks S3 for each
    .flatMap((child) => missingUploads(child, undefined));
  return [...new Map([...own, ...below].map((artifact) => [artifact.key, artifact])).values()];
}

/** Images that the registry may lack: all but those that the deployed root template names. */
export function missingImages(packaged: PackagedStack, deployed: Template | undefined): LocatedImage[] {
  const own = (packaged.images ?? []).filter(({ uri }) => deployed === undefined || !textOf(deployed).includes(uri));
  const missingTexts = new Set(
    packaged.artifacts
      .filter((artifact) => !refersTo(deployed, artifact))
      .flatMap(({ item }) => (item.kind === 'template' ? [item.text] : [])),
  );
  const below = packaged.children.filter((child) => missingTexts.has(child.text));
  return [...own, ...below.flatMap((child) => missingImages(child, undefined))];
}

const TEXTS = new WeakMap<Template, string>();

/** Whether the template names the artifact's place in S3, in whatever form. */
function refersTo(template: Template | undefined, { bucket, key }: LocatedArtifact): boolean {
  if (template === undefined) return false;
  const text = textOf(template);
  return text.includes(key) && text.includes(bucket);
}

function textOf(template: Template): string {
  let text = TEXTS.get(template);
  if (text === undefined) {
    text = JSON.stringify(template);
    TEXTS.set(template, text);
  }
  return text;
}
