import * as path from 'node:path';
import { UserError } from '../../errors.ts';
import { isBelow } from '../../support/places.ts';
import { hasLocalImage } from '../../model/image-path.ts';
import { flattenStacks } from '../../model/stack.ts';
import type { FunctionResource, ResourceIdentifier, Stack } from '../../model/stack.ts';
import { isMap, scalarText } from '../../template/template.ts';
import type { TemplateMap } from '../../template/template.ts';
import type { BuildInput } from '../build-result.ts';
import { keyOf } from '../build-key.ts';

/** One image to build or load, and the functions that share it. */
export interface ImageDefinition {
  /** Equal for equal images, in every run. */
  key: string;
  ids: readonly ResourceIdentifier[];
  source: DockerfileSource | { kind: 'archive'; path: string } | { kind: 'local'; name: string };
  architecture: 'x86_64' | 'arm64';
  /** The image's name on this machine for each function: `hellofunction:latest`. */
  names: ReadonlyMap<ResourceIdentifier, string>;
}

/** The settings of an image build, from Metadata. */
export interface DockerfileSource {
  kind: 'dockerfile';
  /** `DockerContext`. Absolute. */
  context: string;
  /** Relative to the context. */
  dockerfile: string;
  target: string | undefined;
  args: Readonly<Record<string, string>>;
  /** `DockerBuildExtraParams`: options for `docker build`, passed on unchanged. */
  extra: readonly string[];
}

/** Plans the images of the application, or of the functions in `only`: each different image once. Pure. */
export function planImages(
  root: Stack,
  env: Readonly<Record<string, string | undefined>>,
  only?: ReadonlySet<ResourceIdentifier>,
): ImageDefinition[] {
  const images = new Map<string, ImageDefinition>();
  for (const resource of flattenStacks(root).flatMap((stack) => stack.functions)) {
    if (only !== undefined && !only.has(resource.id)) continue;
    const image = defineImage(resource, env['SAM_BUILD_MODE']);
    if (image === undefined) continue;
    const same = images.get(image.key);
    const names = new Map([...(same?.names ?? []), ...image.names]);
    images.set(image.key, { ...image, names, ids: [...(same?.ids ?? []), ...image.ids] });
  }
  return [...images.values()];
}

function defineImage(resource: FunctionResource, mode: string | undefined): ImageDefinition | undefined {
  const { id, code, metadata, architecture } = resource;
  if (!hasLocalImage(resource)) return undefined;
  const names = new Map([[id, imageName(resource, mode)]]);
  if (code.kind === 'local-image') {
    const source = { kind: 'local', name: code.name } as const;
    return { key: keyOf(source), ids: [id], source, architecture, names: new Map([[id, code.name]]) };
  }
  if (code.kind === 'image-archive') {
    const source = { kind: 'archive', path: code.path } as const;
    return { key: keyOf(source), ids: [id], source, architecture, names };
  }
  if (code.kind !== 'image') return undefined;
  const source: DockerfileSource = {
    kind: 'dockerfile',
    context: code.context,
    dockerfile: scalarText(metadata['Dockerfile']) ?? 'Dockerfile',
    target: scalarText(metadata['DockerBuildTarget']),
    args: { ...buildArguments(id, metadata), ...(mode === undefined ? {} : { SAM_BUILD_MODE: mode }) },
    extra: extraOptions(id, metadata),
  };
  const { target, args, extra, ...rest } = source;
  return { key: keyOf(rest, target, { ...args }, extra, architecture), ids: [id], source, architecture, names };
}

/** Names the image as SAM CLI does, so that `sam local invoke` finds it. Slashes of nested ids become hyphens. */
function imageName({ id, metadata }: FunctionResource, mode: string | undefined): string {
  const name = scalarText(metadata['DockerImage']) ?? id.replaceAll('/', '-');
  const tag = scalarText(metadata['DockerTag']) ?? 'latest';
  return `${name.toLowerCase()}:${mode === undefined ? tag : `${tag}-${mode}`}`;
}

function buildArguments(id: string, metadata: TemplateMap): Record<string, string> {
  const given = metadata['DockerBuildArgs'] ?? {};
  if (!isMap(given)) throw new UserError(`${id}: Metadata DockerBuildArgs must be a mapping of names to values`);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const text = value === null ? '' : scalarText(value);
      if (text !== undefined) return [name, text];
      throw new UserError(`${id}: only CloudFormation knows the value of ${name} in DockerBuildArgs`, {
        hint: 'Write a literal value, or use a template parameter.',
      });
    }),
  );
}

function extraOptions(id: string, metadata: TemplateMap): string[] {
  const given = metadata['DockerBuildExtraParams'] ?? [];
  if (Array.isArray(given) && given.every((item) => typeof item === 'string')) return given;
  throw new UserError(`${id}: Metadata DockerBuildExtraParams must be a list of strings`, {
    hint: 'For example: ["--ssh", "default"].',
  });
}

/** Returns the files and folders that decide an image. */
export function imageInputs(source: ImageDefinition['source']): BuildInput[] {
  if (source.kind === 'local') return [];
  if (source.kind === 'archive') return [{ path: source.path, excludes: [] }];
  const dockerfile = path.resolve(source.context, source.dockerfile);
  const inside = isBelow(dockerfile, source.context);
  const context = { path: source.context, excludes: ['/.aws-sam', '/.git'] };
  return inside ? [context] : [context, { path: dockerfile, excludes: [] }];
}
