import { isBuiltAs } from '../template/kinds/kinds.ts';
import type { TemplateMap, TemplateResource, TemplateValue } from '../template/template.ts';
import { readBuiltResource } from './built-resource.ts';
import { zipSource } from './code-source.ts';
import type { LocalFiles } from './code-source.ts';
import { codeProperty } from './functions.ts';
import type { LayerResource } from './stack.ts';

/** Reads a layer from its resource (resolved, Globals merged); undefined for any other type. */
export async function readLayer(
  stackPath: string,
  logicalId: string,
  resource: TemplateResource,
  files: LocalFiles,
): Promise<LayerResource | undefined> {
  const type = resource.Type;
  if (!isBuiltAs(type, 'layer')) return undefined;
  const built = readBuiltResource(stackPath, logicalId, resource);
  const { metadata, properties } = built;
  return {
    ...built,
    type,
    compatibleRuntimes: texts(properties['CompatibleRuntimes']),
    architecture: layerArchitecture(metadata, properties),
    code: await zipSource(codeProperty(type, properties), files),
  };
}

/** Returns `BuildArchitecture`, else the only compatible architecture. */
function layerArchitecture(metadata: TemplateMap, properties: TemplateMap): 'x86_64' | 'arm64' {
  const [only, ...others] = texts(properties['CompatibleArchitectures']);
  const architecture = metadata['BuildArchitecture'] ?? (others.length === 0 ? only : undefined);
  return architecture === 'arm64' ? 'arm64' : 'x86_64';
}

function texts(value: TemplateValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
