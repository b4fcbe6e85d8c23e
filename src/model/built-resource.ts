import { buildMetadata, constructId } from '../template/cdk.ts';
import { mapOf, scalarText } from '../template/template.ts';
import type { TemplateResource } from '../template/template.ts';
import { isOn } from './code-source.ts';
import { identifierOf } from './stack.ts';
import type { BuiltResource } from './stack.ts';

/** Reads what functions, layers and Web Functions have in common. */
export function readBuiltResource(stackPath: string, logicalId: string, resource: TemplateResource): BuiltResource {
  const metadata = buildMetadata(resource);
  return {
    id: identifierOf(stackPath, logicalId),
    stackPath,
    logicalId,
    constructId: constructId(resource),
    buildMethod: scalarText(metadata['BuildMethod']),
    buildProperties: mapOf(metadata['BuildProperties']),
    skipBuild: isOn(metadata['SkipBuild']),
    metadata,
    properties: mapOf(resource['Properties']),
  };
}
