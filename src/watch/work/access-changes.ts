import { apiEvents } from '../../model/api-events.ts';
import { implicitApis } from '../../model/implicit-apis.ts';
import { flattenStacks, identifierOf } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { namesIn } from '../../template/names-in.ts';
import { resourceOf, resourcesOf } from '../../template/template.ts';

/**
 * Lists the APIs of which these settings change who may call them, each with the resources that it names: its functions, which may
 * check their callers themselves, and its authorizers. Pure.
 */
export function accessChanges(
  root: Stack,
  settings: readonly (readonly [id: ResourceIdentifier, names: readonly string[]])[],
): Map<ResourceIdentifier, readonly ResourceIdentifier[]> {
  const changing = new Map(settings);
  const apis = flattenStacks(root).flatMap((stack) =>
    apisIn(stack).flatMap(([logicalId, type]) => {
      const id = identifierOf(stack.path, logicalId);
      const decisive = namesOfAccess(type);
      if (changing.get(id)?.some((name) => decisive.includes(name)) !== true) return [];
      const owners = apiEvents(stack, logicalId).map(({ owner }) => owner);
      const { Properties: properties = null } = resourceOf(stack.source, logicalId);
      const named = [...owners, ...namesIn(properties)].map((name) => identifierOf(stack.path, name));
      return [[id, [...new Set(named)]] as const];
    }),
  );
  return new Map(apis);
}

/** The properties of a type that say who may call: authorization, and definitions, which may hold it. */
function namesOfAccess(type: unknown): readonly string[] {
  const { sync, body = [], directAlone = [] } = kindOf(type) ?? {};
  return sync === 'rest-api' || sync === 'http-api' ? [...directAlone, ...body] : directAlone;
}

function apisIn(stack: Stack): (readonly [logicalId: string, type: unknown])[] {
  const written = resourcesOf(stack.resolved).map(([logicalId, { Type: type }]) => [logicalId, type] as const);
  return [...written, ...implicitApis(stack).map(({ logicalId, type }) => [logicalId, type] as const)];
}
