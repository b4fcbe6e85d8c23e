import { isBuiltAs, pathProperties } from '../template/kinds/kinds.ts';
import { getAt } from '../template/template-path.ts';
import { intrinsicName, scalarText } from '../template/template.ts';
import type { TemplateMap, TemplateResource, TemplateValue } from '../template/template.ts';
import { readBuiltResource } from './built-resource.ts';
import { imageSource, zipSource } from './code-source.ts';
import type { LocalFiles } from './code-source.ts';
import { imagePath } from './image-path.ts';
import type { CodeSource, FunctionResource } from './stack.ts';

/** Reads a function from its resource (resolved, Globals merged); undefined for any other type. */
export async function readFunction(
  stackPath: string,
  logicalId: string,
  resource: TemplateResource,
  files: LocalFiles,
): Promise<FunctionResource | undefined> {
  const type = resource.Type;
  if (!isBuiltAs(type, 'function')) return undefined;
  const built = readBuiltResource(stackPath, logicalId, resource);
  const { metadata, properties } = built;
  const packageType = isImage(type, properties) ? 'Image' : 'Zip';
  return {
    ...built,
    type,
    packageType,
    runtime: packageType === 'Zip' ? scalarText(properties['Runtime']) : undefined,
    handler: packageType === 'Zip' ? scalarText(properties['Handler']) : undefined,
    architecture: architectureOf(properties['Architectures']) ?? 'x86_64',
    code: await functionCode(type, properties, metadata, files),
  };
}

/** Returns the architecture of a function: `x86_64` if not known locally, undefined if invalid. */
export function architectureOf(value: TemplateValue | undefined): 'x86_64' | 'arm64' | undefined {
  if (value === undefined || value === null || intrinsicName(value) !== undefined) return 'x86_64';
  const [first, ...others] = Array.isArray(value) ? value : [];
  if (intrinsicName(first) !== undefined) return 'x86_64';
  return others.length === 0 && (first === 'x86_64' || first === 'arm64') ? first : undefined;
}

function isImage(type: FunctionResource['type'], properties: TemplateMap): boolean {
  return properties['PackageType'] === 'Image' || imageUri(type, properties) !== undefined;
}

/** The name of a function's image as the template has it; undefined: it has none. */
export function imageUri(type: FunctionResource['type'], properties: TemplateMap): TemplateValue | undefined {
  return getAt(properties, imagePath(type).slice(1)) ?? undefined;
}

function functionCode(
  type: FunctionResource['type'],
  properties: TemplateMap,
  metadata: TemplateMap,
  files: LocalFiles,
): Promise<CodeSource> {
  if (isImage(type, properties)) return imageSource(imageUri(type, properties), metadata, files);
  if ((properties['InlineCode'] ?? null) !== null) return Promise.resolve({ kind: 'inline' });
  return zipSource(codeProperty(type, properties), files);
}

/** Where the resource's code is, as the template has it; undefined: it does not say. */
export function codeProperty(type: string, properties: TemplateMap): TemplateValue | undefined {
  const [path] = pathProperties(type, 'code');
  return path && properties[path.property[0] ?? ''];
}
