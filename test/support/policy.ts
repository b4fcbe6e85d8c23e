/** An action and the resource that it is about, as test/support/aws-contract/permissions.py notes them. */
export type Permission = readonly [action: string, resource: string];

/** An IAM policy. */
export interface Policy {
  Version: '2012-10-17';
  Statement: { Effect: 'Allow'; Action: string[]; Resource: string }[];
}

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';

/** The least policy that allows these for a stack of any name: `REGION`, `ACCOUNT` and `STACK` are to be replaced. */
export function leastPolicy(permissions: readonly Permission[], stackName: string): Policy {
  const actions = new Map<string, Set<string>>();
  for (const [action, resource] of permissions) {
    const general = generalResource(resource, stackName);
    actions.set(general, (actions.get(general) ?? new Set()).add(action));
  }
  const resources = [...actions.keys()].sort();
  return {
    Version: '2012-10-17',
    Statement: resources.map((Resource) => ({
      Effect: 'Allow',
      Action: [...(actions.get(Resource) ?? [])].sort(),
      Resource,
    })),
  };
}

/** The policy for one stack of the local cloud. */
export function policyFor(policy: Policy, stackName: string): string {
  return JSON.stringify(policy)
    .replaceAll('REGION', REGION)
    .replaceAll('ACCOUNT', ACCOUNT)
    .replaceAll('STACK', stackName);
}

/** Names that only this account has become patterns. */
function generalResource(resource: string, stackName: string): string {
  const rules: [RegExp, string][] = [
    [new RegExp(`:stack/${stackName}/.*`), ':stack/STACK/*'],
    [new RegExp(`:stack/${stackName}-.*`), ':stack/STACK-*/*'],
    [/:stack\/(aws-sam-cli-managed-default)\/.*/, ':stack/$1/*'],
    [new RegExp(`:function:${stackName}-.*`), ':function:STACK-*'],
    // names of layers do not begin with the stack's
    [/:layer:.*/, ':layer:*'],
    [/:stateMachine:.*/, ':stateMachine:*'],
    [/::\/(restapis|apis)\/.*/, '::/$1/*'],
    [/(:::aws-sam-cli-managed-default-samclisourcebucket)-[^/]*(\/?).*/, '$1-*$2'],
  ];
  const named = resource.replace(`:${REGION}:`, ':REGION:').replace(ACCOUNT, 'ACCOUNT');
  const general = rules.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), named);
  return general.endsWith('/') ? `${general}*` : general;
}

/** `action on resource` of each action that a policy allows. */
export function allowedActions(policy: Policy): string[] {
  return policy.Statement.flatMap(({ Action, Resource }) => Action.map((action) => `${action} on ${Resource}`));
}

/** Reading: how often, and whether at all, may depend on how fast the services are. */
export function isRead(action: string): boolean {
  return /^\w+:(?:Get|GET|List|Describe)/.test(action);
}
