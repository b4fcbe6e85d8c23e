import { mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { calledFunction } from './authorizers.ts';
import { whyUncertain } from './check-generated.ts';
import type { GeneratedApi } from './check-generated.ts';
import { replaceHttpParts } from './generated-http-parts.ts';
import { isOpenApi3, replaceParts } from './generated-parts.ts';
import type { GeneratedRoutes } from './generated-routes.ts';

/** `Auth` of an API and its events, resolved. */
export interface ReadRoutes extends GeneratedRoutes {
  auth: TemplateValue;
}

/** What a new definition is made of. */
interface GeneratedInput extends GeneratedApi {
  routes: ReadRoutes | { why: string };
  /** `Auth` or events are to be written; otherwise they are if it is certain what SAM makes of them. */
  needsRoutes: boolean;
  /** SAM generates the whole definition; otherwise the template has one, with methods of its own. */
  isWhole: boolean;
}

/** An authorizer that calls a function. */
export interface CallingAuthorizer {
  name: string;
  /** The deployed definition does not call this function. */
  isNew: boolean;
  /** SAM makes a permission for it. */
  needsPermission: boolean;
}

/** The new definition, and the authorizers in it that call functions. */
interface ReplacedDefinition {
  body: TemplateMap;
  calling: readonly CallingAuthorizer[];
}

/** Writes the parts of a generated definition again that SAM makes of properties and events, or says why only SAM can. Pure. */
export function replaceGenerated(input: GeneratedInput): ReplacedDefinition | { why: string } {
  const { kind, routes, needsRoutes, isWhole } = input;
  const why = 'why' in routes ? routes.why : whyUncertain(withAuth(input, routes));
  const isOnlyParts = kind === 'rest' && !needsRoutes && (!isWhole || why !== undefined);
  if (isOnlyParts) {
    const parts = replaceParts(input.body, input.properties);
    return 'why' in parts ? parts : { ...parts, calling: [] };
  }
  if (why !== undefined || 'why' in routes) return { why: why ?? '' };
  const { properties } = withAuth(input, routes);
  const stackName = scalarText(properties['StackName']) ?? '';
  const parts =
    kind === 'http'
      ? { body: replaceHttpParts(input.body, properties, { ...routes, stackName }) }
      : replaceParts(input.body, properties, routes);
  return 'why' in parts ? parts : { ...parts, calling: callingAuthorizers(input, routes.auth, parts.body) };
}

function withAuth(input: GeneratedInput, routes: ReadRoutes): GeneratedApi & { routes: GeneratedRoutes } {
  return { ...input, properties: { ...input.properties, Auth: routes.auth }, routes };
}

/** Lists the authorizers of a new definition that call functions. `body`: the deployed one. Pure. */
export function callingAuthorizers(
  { kind, body }: Pick<GeneratedApi, 'body' | 'kind'>,
  auth: TemplateValue,
  written: TemplateMap,
): CallingAuthorizer[] {
  const deployed = schemesOf(body);
  return Object.entries(schemesOf(written)).flatMap(([name, scheme]) => {
    const called = calledFunction(scheme);
    if (called === undefined) return [];
    const { DisableFunctionDefaultPermissions, EnableFunctionDefaultPermissions } = mapOf(
      mapOf(mapOf(auth)['Authorizers'])[name],
    );
    const needsPermission =
      kind === 'rest' ? DisableFunctionDefaultPermissions !== true : EnableFunctionDefaultPermissions === true;
    return [{ name, isNew: called !== calledFunction(deployed[name]), needsPermission }];
  });
}

/** The security schemes of a definition, by name. Pure. */
export function schemesOf(body: TemplateMap): TemplateMap {
  return mapOf(isOpenApi3(body) ? mapOf(body['components'])['securitySchemes'] : body['securityDefinitions']);
}
