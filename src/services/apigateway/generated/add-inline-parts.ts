import { placeOf } from '../../../cloud/resource-attributes.ts';
import type { DefinedResource } from '../../../model/definitions.ts';
import type { Stack } from '../../../model/stack.ts';
import { mapOf, resourceOf } from '../../../template/template.ts';
import type { TemplateMap } from '../../../template/template.ts';
import { blocked } from '../../definition-plan.ts';
import type { UnplannedDefinition } from '../../definition-plan.ts';
import type { ServiceContext } from '../../service-context.ts';
import { whyNotAllowed } from './authorizer-permissions.ts';
import { calledFunction, methodAuth } from './authorizers.ts';
import { whyAuthUncertain } from './check-generated.ts';
import type { GeneratedApi } from './check-generated.ts';
import { readDeployedDefinition } from './deployed-definition.ts';
import { addCors } from './inline-cors.ts';
import { addHttpAuth, addRestAuth, whyInlineUncertain } from './inline-auth.ts';
import { callingAuthorizers, schemesOf } from './replace-generated.ts';

/** An API with a definition in the template. */
interface InlineApi {
  resource: DefinedResource;
  stack: Stack;
}

/** Adds what SAM makes of `Auth` and `Cors` to a definition in the template, or returns why only SAM can. */
export async function addInlineParts(
  tools: ServiceContext,
  api: InlineApi,
  document: TemplateMap,
): Promise<{ document: TemplateMap } | UnplannedDefinition> {
  const { id, logicalId, type, properties, flow } = api.resource;
  const { Auth = null } = properties;
  const kind = flow === 'http-api' ? 'http' : 'rest';
  const hasCors = kind === 'rest' && (properties['Cors'] ?? null) !== null;
  if (Auth === null && !hasCors) return { document };
  if ((mapOf(Auth)['ResourcePolicy'] ?? null) !== null)
    return blocked(`${id}: only SAM knows which policy it writes for Auth.ResourcePolicy`);
  const written = { Auth: methodAuth(Auth), Cors: hasCors ? (properties['Cors'] ?? null) : null };
  const { value, missing } = await tools.values.resolve(written, api.stack);
  if (missing.length > 0) return blocked(`${id}: only CloudFormation knows the value of ${missing.join(', ')}`);
  const resolved = mapOf(value);
  const { DefinitionBody: body } = mapOf(resourceOf(api.stack.source, logicalId)['Properties']);
  const input: GeneratedApi = { kind, stack: api.stack, logicalId, type, body: {}, properties: resolved };
  const why = whyInlineUncertain(body, document, properties) ?? whyAuthUncertain(input);
  if (why !== undefined) return blocked(`${id}: ${why}`);
  const withCors = kind === 'rest' ? addCors(document, resolved) : document;
  if (withCors === undefined) return blocked(`${id}: Cors: only the deployment can check and set a value of this form`);
  if (Auth === null) return { document: withCors };
  const stackId = await tools.stacks.stackId();
  const auth = mapOf(resolved['Auth']);
  const add = kind === 'http' ? addHttpAuth : addRestAuth;
  const whole = add(withCors, { auth, place: placeOf(stackId) });
  const denied = await whyDenied({ ...tools, stackId }, api, { ...input, properties: auth, body: whole });
  return denied === undefined ? { document: whole } : blocked(`${id}: ${denied}`);
}

/** Why the API may not call an authorizer of the new definition (`body`). `properties`: those of `Auth`. */
async function whyDenied(
  tools: ServiceContext,
  api: InlineApi,
  { kind, properties: auth, body }: GeneratedApi,
): Promise<string | undefined> {
  if (!Object.values(schemesOf(body)).some((scheme) => calledFunction(scheme) !== undefined)) return undefined;
  const deployed = (await readDeployedDefinition(tools, api)) ?? {};
  return whyNotAllowed(tools, api, callingAuthorizers({ kind, body: deployed }, auth, body));
}
