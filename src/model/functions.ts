import { buildMetadata, constructId } from '../template/cdk.ts';
import { intrinsicName, isMap, mapOf, scalarText } from '../template/template.ts';
import type { TemplateMap, TemplateResource, TemplateValue } from '../template/template.ts';
import { imageSource, isOn, zipSource } from './code-source.ts';
import type { LocalFiles } from './code-source.ts';
import { identifierOf } from './stack.ts';
import type { CodeSource, FunctionResource } from './stack.ts';

/** The function that the resource (resolved, Globals merged) is; undefined for any other type. */
export async function readFunction(
  stackPath: string,
  logicalId: string,
  resource: TemplateResource,
  files: LocalFiles,
): Promise<FunctionResource | undefined> {
  const type = resource.Type;
  if (type !== 'AWS::Serverless::Function' && type !== 'AWS::Lambda::Function') return undefined;
  const properties = mapOf(resource['Properties']);
  const metadata = buildMetadata(resource);
  const packageType = isImage(properties) ? 'Image' : 'Zip';
  return {
    id: identifierOf(stackPath, logicalId),
    stackPath,
    logicalId,
    type,
    constructId: constructId(resource),
    packageType,
    runtime: packageType === 'Zip' ? scalarText(properties['Runtime']) : undefined,
    handler: packageType === 'Zip' ? scalarText(properties['Handler']) : undefined,
    architecture: architectureOf(properties['Architectures']) ?? 'x86_64',
    code: await functionCode(type, properties, metadata, files),
    ...buildSettings(metadata),
    metadata,
    properties,
  };
}

/** What `Metadata` says about the build of a function or layer. */
export function buildSettings(
  metadata: TemplateMap,
): Pick<FunctionResource, 'buildMethod' | 'buildProperties' | 'skipBuild'> {
  return {
    buildMethod: scalarText(metadata['BuildMethod']),
    buildProperties: mapOf(metadata['BuildProperties']),
    skipBuild: isOn(metadata['SkipBuild']),
  };
}

/** The one architecture of a function; `x86_64` where it is not known locally, undefined if it is none of Lambda's. */
export function architectureOf(value: TemplateValue | undefined): 'x86_64' | 'arm64' | undefined {
  if (value === undefined || value === null || intrinsicName(value) !== undefined) return 'x86_64';
  const [first, ...others] = Array.isArray(value) ? value : [];
  if (intrinsicName(first) !== undefined) return 'x86_64';
  return others.length === 0 && (first === 'x86_64' || first === 'arm64') ? first : undefined;
}

function isImage(properties: TemplateMap): boolean {
  return properties['PackageType'] === 'Image' || imageUriOf(properties) !== undefined;
}

function imageUriOf(properties: TemplateMap): TemplateValue | undefined {
  return (
    properties['ImageUri'] ?? (isMap(properties['Code']) ? properties['Code']['ImageUri'] : undefined) ?? undefined
  );
}

function functionCode(
  type: FunctionResource['type'],
  properties: TemplateMap,
  metadata: TemplateMap,
  files: LocalFiles,
): Promise<CodeSource> {
  if (isImage(properties)) return imageSource(imageUriOf(properties), metadata, files);
  if (type === 'AWS::Lambda::Function') return zipSource(properties['Code'], files);
  if ((properties['InlineCode'] ?? null) !== null) return Promise.resolve({ kind: 'inline' });
  return zipSource(properties['CodeUri'], files);
}
