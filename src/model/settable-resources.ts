import { constructId } from '../template/cdk.ts';
import { kindOf } from '../template/kinds/kinds.ts';
import { mapOf, resourcesOf } from '../template/template.ts';
import type { TemplateMap } from '../template/template.ts';
import { generatedResources } from './generated-settings.ts';
import { implicitApis } from './implicit-apis.ts';
import { identifierOf } from './stack.ts';
import type { ResourceIdentifier, Stack } from './stack.ts';

/** A resource without code or definition in the templates that has settings which its service sets. */
export interface SettableResource {
  id: ResourceIdentifier;
  logicalId: string;
  /** The logical ID of the resource that SAM generates it for. */
  owner?: string;
  type: string;
  /** Its ID in a CDK application. */
  constructId?: string | undefined;
  /** Resolved as far as known locally. */
  properties: TemplateMap;
}

/** Returns such resources of a stack, without nested stacks. An API, rule or schedule that SAM generates for events is one. */
export function readSettable(stack: Stack): SettableResource[] {
  const implicit = implicitApis(stack).map((api) => ({ ...api, id: identifierOf(stack.path, api.logicalId) }));
  const written = resourcesOf(stack.resolved).flatMap(([logicalId, resource]) => {
    const { Type: type } = resource;
    const { direct, sync } = kindOf(type) ?? {};
    if (typeof type !== 'string' || direct === undefined || sync !== undefined) return [];
    const id = identifierOf(stack.path, logicalId);
    return [{ id, logicalId, type, constructId: constructId(resource), properties: mapOf(resource['Properties']) }];
  });
  const generated = generatedResources(stack).map((one) => ({ ...one, id: identifierOf(stack.path, one.logicalId) }));
  return [...written, ...implicit, ...generated];
}
