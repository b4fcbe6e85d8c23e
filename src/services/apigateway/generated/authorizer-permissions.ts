import { ownValue } from '../../../support/own-value.ts';
import type { DefinitionWork } from '../../definition-plan.ts';
import type { ServiceContext } from '../../service-context.ts';
import type { CallingAuthorizer } from './replace-generated.ts';

/** Why the API may not call its authorizers yet: API Gateway may call a new authorizer's function with the permission that the deployment makes. */
export async function whyNotAllowed(
  { stacks }: ServiceContext,
  { resource: { logicalId }, stack }: Pick<DefinitionWork, 'resource' | 'stack'>,
  calling: readonly CallingAuthorizer[],
): Promise<string | undefined> {
  if (calling.length === 0) return undefined;
  const listing = (await stacks.listing(stack.path)) ?? {};
  const without = calling.filter(
    ({ name, isNew, needsPermission }) =>
      isNew || (needsPermission && ownValue(listing, `${logicalId}${name}AuthorizerPermission`) === undefined),
  );
  return without[0] && `only the deployment permits the API to call the function of authorizer ${without[0].name}`;
}
