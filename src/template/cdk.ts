import { STACK_TYPE } from './kinds/cloudformation.ts';
import { pathProperties } from './kinds/kinds.ts';
import { setAt } from './template-path.ts';
import type { TemplatePath } from './template-path.ts';
import { isMap, mapOf, resourcesOf, scalarText } from './template.ts';
import type { Template, TemplateMap, TemplateResource } from './template.ts';

const ASSET_PATH = 'aws:asset:path';
const ASSET_PROPERTY = 'aws:asset:property';
const IMAGE_PROPERTY = 'Code.ImageUri';
const CONSTRUCT_PATH = 'aws:cdk:path';

/**
 * Does what `cdk deploy` does after `cdk synth`: sets asset properties to their local path (CDK refers to its own bucket),
 * and gives unused asset parameters a value. Returns templates without assets unchanged.
 */
export function useLocalAssets(template: Template): Template {
  let result = template;
  for (const [logicalId, resource] of resourcesOf(template)) {
    const asset = localAsset(resource);
    if (asset) result = setAt(result, ['Resources', logicalId, 'Properties', ...asset.property], asset.path);
  }
  return fillUnusedAssetParameters(result);
}

/** Returns a warning for each storage mode of code in S3 that local code replaces. */
export function storageModesLeftOut(template: Template): { path: TemplatePath; message: string }[] {
  return resourcesOf(template).flatMap(([logicalId, resource]) => {
    const [property = '', ...below] = localAsset(resource)?.property ?? [];
    const mode = scalarText(mapOf(mapOf(resource['Properties'])[property])['S3ObjectStorageMode']);
    if (mode === undefined || mode === 'COPY' || below.length > 0) return [];
    const message = `${logicalId} ${property} S3ObjectStorageMode ${mode} is not used for code that is synced from this machine: Lambda keeps a copy`;
    return [{ path: ['Resources', logicalId, 'Properties', property, 'S3ObjectStorageMode'], message }];
  });
}

/** Returns the resource's metadata with CDK's asset entries in SAM's form. */
export function buildMetadata(resource: TemplateResource): TemplateMap {
  const written = mapOf(resource['Metadata']);
  const metadata = written['aws:asset:is-bundled'] === true ? { ...written, SkipBuild: true } : written;
  if (metadata[ASSET_PROPERTY] !== IMAGE_PROPERTY || typeof metadata[ASSET_PATH] !== 'string') return metadata;
  const image = {
    Dockerfile: metadata['aws:asset:dockerfile-path'] ?? 'Dockerfile',
    DockerContext: metadata[ASSET_PATH],
    DockerBuildArgs: metadata['aws:asset:docker-build-args'],
    DockerBuildTarget: metadata['aws:asset:docker-build-target'],
    DockerBuildExtraParams: metadata['aws:asset:docker-build-extra-params'],
  };
  const given = Object.entries(image).filter((entry) => entry[1] !== undefined);
  return { ...metadata, ...(Object.fromEntries(given) as TemplateMap) };
}

/** Returns the resource's ID in the CDK application, e.g. `MyFunction` from `Stack/MyFunction/Resource`. */
export function constructId(resource: TemplateResource): string | undefined {
  const path = scalarText(mapOf(resource['Metadata'])[CONSTRUCT_PATH]);
  const parts = path?.split('/') ?? [];
  const isWrapper =
    parts.at(-1) === 'Resource' || (resource.Type === STACK_TYPE && parts.at(-2)?.endsWith('.NestedStack'));
  return parts.at(isWrapper ? -2 : -1)?.replace(/\.NestedStack$/, '');
}

function localAsset(resource: TemplateResource): { property: string[]; path: string } | undefined {
  const metadata = mapOf(resource['Metadata']);
  const path = metadata[ASSET_PATH];
  const name = metadata[ASSET_PROPERTY];
  if (typeof path !== 'string' || typeof name !== 'string') return undefined;
  // a property that cannot be packaged keeps CDK's location
  const isPackaged = pathProperties(resource.Type).some(({ property }) => property.join('.') === name);
  return isPackaged ? { property: name.split('.'), path } : undefined;
}

/** CDK 1 passes the location of each asset in three parameters: `AssetParameters<sha256>S3Bucket<hash8>` and so on. */
const ASSET_PARAMETER = /^AssetParameters[0-9a-f]{64}(?:S3Bucket|S3VersionKey|ArtifactHash)[0-9a-f]{8}$/i;

function fillUnusedAssetParameters(template: Template): Template {
  const parameters = Object.entries(mapOf(template['Parameters'])).filter(
    ([name, declaration]) => ASSET_PARAMETER.test(name) && isMap(declaration) && declaration['Default'] === undefined,
  );
  if (parameters.length === 0) return template;
  const resources = resourcesOf(template).filter(([, resource]) => resource.Type !== STACK_TYPE);
  const text = JSON.stringify(resources);
  return parameters
    .filter(([name]) => !text.includes(`"${name}"`) && !text.includes(`\${${name}}`))
    .reduce((result, [name]) => setAt(result, ['Parameters', name, 'Default'], ' '), template);
}
