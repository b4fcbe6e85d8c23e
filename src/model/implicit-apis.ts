import { apiEvent, globalsSection, isServerless, kindOf, RESOURCE_KINDS } from '../template/kinds/kinds.ts';
import { mapOf, resourceOf, resourcesOf, scalarText } from '../template/template.ts';
import type { TemplateMap } from '../template/template.ts';
import type { Stack } from './stack.ts';

/** An API that SAM generates for events which name none. Its properties are those of `Globals`, not resolved. */
export interface ImplicitApi {
  logicalId: string;
  type: string;
  properties: TemplateMap;
}

/** Returns these APIs of a stack, without nested stacks. */
export function implicitApis(stack: Stack): ImplicitApi[] {
  const used = new Set(
    resourcesOf(stack.resolved).flatMap(([, resource]) => {
      if (kindOf(resource.Type)?.routes !== 'events') return [];
      return Object.values(mapOf(mapOf(resource['Properties'])['Events'])).flatMap(
        (event) => apiOf(mapOf(event)) ?? [],
      );
    }),
  );
  return Object.entries(RESOURCE_KINDS).flatMap(([type, kind]) => {
    const logicalId = 'implicitId' in kind ? kind.implicitId : undefined;
    if (logicalId === undefined || !used.has(logicalId) || !isServerless(type)) return [];
    if (resourceOf(stack.resolved, logicalId)['Type'] !== undefined) return [];
    return [{ logicalId, type, properties: mapOf(mapOf(stack.source['Globals'])[globalsSection(type)]) }];
  });
}

/** The logical ID of the implicit API of an event; undefined: it names another one, or is no request. */
function apiOf(event: TemplateMap): string | undefined {
  const source = apiEvent(scalarText(event['Type']));
  if (source === undefined) return undefined;
  const written = mapOf(event['Properties'])[source.api] ?? null;
  return written === null || mapOf(written)['Ref'] === source.implicitId ? source.implicitId : undefined;
}
