import * as path from 'node:path';
import { constructId } from '../template/cdk.ts';
import { flowOf, hasDefinition, kindOf, pathProperties } from '../template/kinds/kinds.ts';
import type { DefinitionFlow, SyncableType } from '../template/kinds/kinds.ts';
import { isLocalPath, resolveLocalPath } from '../template/local-paths.ts';
import { getAt } from '../template/template-path.ts';
import { isMap, mapOf, resourcesOf } from '../template/template.ts';
import type { TemplateMap, TemplateResource, TemplateValue } from '../template/template.ts';
import { identifierOf } from './stack.ts';
import type { ResourceIdentifier, Stack } from './stack.ts';

/** The location of an API or state machine definition. */
type DefinitionSource =
  /** A local file, sent to the service unchanged. Absolute. */
  | { kind: 'file'; path: string }
  /** In the template or included into it, with intrinsic functions resolved as far as known locally. */
  | { kind: 'inline'; value: TemplateValue }
  /** In S3, or known only to CloudFormation. */
  | { kind: 'remote' }
  /** None: SAM generates it from events, or it consists of separate resources. */
  | { kind: 'none' };

/** An API or a state machine: a resource whose content is a definition. */
export interface DefinedResource {
  /** The flow by which a code sync sends the definition. */
  flow: DefinitionFlow;
  id: ResourceIdentifier;
  stackPath: string;
  logicalId: string;
  type: SyncableType<DefinitionFlow>;
  /** Its ID in a CDK application. */
  constructId?: string | undefined;
  definition: DefinitionSource;
  /** With Globals merged, resolved as far as known locally. */
  properties: TemplateMap;
}

/** Returns the APIs and state machines of a stack, without nested stacks. */
export function readDefinitions(stack: Stack): DefinedResource[] {
  return resourcesOf(stack.resolved).flatMap(([logicalId, resource]) => {
    const type = resource.Type;
    return hasDefinition(type) ? [readDefined(stack, logicalId, { resource, type })] : [];
  });
}

function readDefined(
  stack: Stack,
  logicalId: string,
  { resource, type }: { resource: TemplateResource; type: DefinedResource['type'] },
): DefinedResource {
  const properties = mapOf(resource['Properties']);
  return {
    flow: flowOf(type),
    id: identifierOf(stack.path, logicalId),
    stackPath: stack.path,
    logicalId,
    type,
    constructId: constructId(resource),
    definition: definitionOf(properties, type, path.dirname(stack.templateFile)),
    properties,
  };
}

function definitionOf(properties: TemplateMap, type: string, folder: string): DefinitionSource {
  for (const { property } of pathProperties(type, 'file')) {
    const location = getAt(properties, property) ?? null;
    if (isLocalPath(location)) return { kind: 'file', path: resolveLocalPath(location, folder) };
    if (location !== null) return { kind: 'remote' };
  }
  for (const name of kindOf(type)?.body ?? []) {
    const value = properties[name] ?? null;
    // an include that is not local is in S3
    if (isMap(value) && Object.hasOwn(value, 'Fn::Transform')) return { kind: 'remote' };
    if (value !== null) return { kind: 'inline', value };
  }
  return { kind: 'none' };
}
