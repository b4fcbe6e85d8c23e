import type { DeployedResource, StackListing } from './sync-state.ts';

/**
 * The resource that a logical id of the template has become in the stack: itself or, for a SAM layer, the version whose
 * id has ten hex digits more. While CloudFormation still removes a replaced version both are listed: the newest counts.
 */
export function findDeployed(listing: StackListing, logicalId: string): DeployedResource | undefined {
  return listing[logicalId] ?? findGenerated(listing, logicalId, { suffix: /^[0-9a-f]{10}$/, type: LAYER_VERSION });
}

const LAYER_VERSION = 'AWS::Lambda::LayerVersion';

/** What SAM makes beside a resource, by the name under which a template refers to it: `!Ref Fn.Alias`. */
const COMPANIONS: Readonly<Record<string, readonly { suffix: RegExp; type: string }[]>> = {
  Alias: [
    { suffix: /^Alias/, type: 'AWS::Lambda::Alias' },
    { suffix: /^Alias/, type: 'AWS::StepFunctions::StateMachineAlias' },
  ],
  Version: [
    { suffix: /^Version[0-9a-f]{10}$/, type: 'AWS::Lambda::Version' },
    { suffix: /^Version$/, type: 'AWS::StepFunctions::StateMachineVersion' },
  ],
  Stage: [
    { suffix: /Stage$/, type: 'AWS::ApiGateway::Stage' },
    { suffix: /Stage$/, type: 'AWS::ApiGatewayV2::Stage' },
  ],
  Deployment: [{ suffix: /^Deployment[0-9a-f]{10}$/, type: 'AWS::ApiGateway::Deployment' }],
};

/** E.g. the alias that SAM made for a function; undefined if there is none or the name is no such thing. */
export function findCompanion(listing: StackListing, logicalId: string, name: string): DeployedResource | undefined {
  const rules = Object.hasOwn(COMPANIONS, name) ? (COMPANIONS[name] ?? []) : [];
  for (const rule of rules) {
    const found = findGenerated(listing, logicalId, rule);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findGenerated(
  listing: StackListing,
  logicalId: string,
  { suffix, type }: { suffix: RegExp; type: string },
): DeployedResource | undefined {
  const found = Object.entries(listing).filter(
    ([id, resource]) => resource.type === type && id.startsWith(logicalId) && suffix.test(id.slice(logicalId.length)),
  );
  return found.map(([, resource]) => resource).sort((a, b) => b.updatedAt - a.updatedAt)[0];
}
