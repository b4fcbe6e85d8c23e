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

/** Where the definition of an API or state machine is. */
type DefinitionSource =
  /** A local file, which reaches the service as it is. Absolute. */
  | { kind: 'file'; path: string }
  /** In the template, or included into it; intrinsic functions in it are resolved as far as they are known locally. */
  | { kind: 'inline'; value: TemplateValue }
  /** In S3 already, or where only CloudFormation can tell. */
  | { kind: 'remote' }
  /** There is none: SAM makes it from events, or it consists of resources of its own. */
  | { kind: 'none' };

/** An API or a state machine: a resource whose content is a definition. */
export interface DefinedResource {
  /** The flow by which a code sync sends the definition. */
  flow: DefinitionFlow;
  id: ResourceIdentifier;
  stackPath: string;
  logicalId: string;
  type: SyncableType<DefinitionFlow>;
  /** The name that it has in a CDK application. */
  constructId?: string | undefined;
  definition: DefinitionSource;
  /** Resolved as far as it is known locally, Globals merged. */
  properties: TemplateMap;
}

/** The APIs and state machines of a stack (not of those below it). */
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
    // an include that could not be read here is in S3
    if (isMap(value) && Object.hasOwn(value, 'Fn::Transform')) return { kind: 'remote' };
    if (value !== null) return { kind: 'inline', value };
  }
  return { kind: 'none' };
}
