import { isAwsError } from '../../aws/service-errors.ts';
import { isServerless } from '../../template/kinds/kinds.ts';
import { isIntrinsic, mapOf, scalarText } from '../../template/template.ts';
import { needsDeployment } from '../definition-plan.ts';
import type { DefinitionPlan, DefinitionService, DefinitionWork, UnplannedDefinition } from '../definition-plan.ts';
import { readDefinitionFile } from '../definition-text.ts';
import { resolveSettings } from '../resolve-settings.ts';
import type { ResolvedSettings } from '../resolve-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';
import { composeDefinition, definitionName, fillFromDeployed, sameDefinition } from './state-machine-definition.ts';
import { hasSetting } from './state-machine-settings.ts';
import { stateMachineUpdate, stateMachineRequests, updateStateMachine } from './state-machine-update.ts';
import type { StateMachineUpdate } from './state-machine-update.ts';

/** How code syncs update state machines. */
export const STATE_MACHINE: DefinitionService<StateMachineUpdate> = {
  plan: planStateMachine,
  apply: updateStateMachine,
  requests: stateMachineRequests,
};

/** Compares the definition, with its substitutions filled in, and the settings with those that Step Functions has. */
async function planStateMachine(
  tools: ServiceContext,
  work: DefinitionWork,
): Promise<DefinitionPlan<StateMachineUpdate>> {
  const { id } = work.resource;
  const arn = work.deployed.physicalId;
  const [composed, resolved] = await Promise.all([readDefinition(tools, work), readSettings(tools, work)]);
  const hasSettings = work.settings.length > 0;
  if ('action' in composed && !hasSettings) return composed;
  const { send, DescribeStateMachineCommand } = await tools.aws.stepFunctions();
  const current = await send(new DescribeStateMachineCommand({ stateMachineArn: arn }));
  const deployed = current.definition ?? '';
  const wanted = 'action' in composed ? undefined : fillIn(composed, deployed, work);
  if (wanted === undefined && !hasSettings) return needsDeployment(id, 'action' in composed ? [] : composed.missing);
  // each update has a revision id: the same definition, deployed by CloudFormation since, is not a stale read
  const shown = { resource: arn, value: current.revisionId ?? definitionName(deployed) };
  const isStale = mayBeStale(tools.facts, shown);
  const isSame = wanted === undefined || (sameDefinition(wanted, deployed) && !isStale);
  const missing = [...resolved.settings].filter(([, setting]) => isStale || !hasSetting(current, setting));
  const aliasArn = await aliasOf(tools, work);
  const isPublished = aliasArn === undefined || (await aliasHas(tools, aliasArn, { deployed, ...resolved }));
  const compared = { settings: [...resolved.settings.keys()], waiting: waitingOf(resolved, composed, wanted) };
  if (isSame && missing.length === 0 && isPublished) return { action: 'none', ...compared };
  // an update without a definition needs a role, which the user may not be allowed to pass
  const definition = isSame && missing.length === 0 ? undefined : (wanted ?? deployed);
  const version = aliasArn === undefined ? [] : [`version for ${aliasArn.slice(arn.length + 1)}`];
  return {
    action: 'update',
    changes: [...(isSame ? [] : ['definition']), ...missing.map(([name]) => name), ...version],
    update: stateMachineUpdate(shown, { id, definition, settings: new Map(missing), aliasArn }),
    ...compared,
  };
}

function readSettings(
  tools: ServiceContext,
  { resource: { type, properties }, stack, settings: names }: DefinitionWork,
): Promise<ResolvedSettings> {
  return resolveSettings(tools, { type, properties, stack, names });
}

/** The definition with every value known; undefined: only CloudFormation knows some. */
function fillIn(
  { text, missing }: Composed,
  deployed: string,
  { isChanged }: Pick<DefinitionWork, 'isChanged'>,
): string | undefined {
  if (missing.length === 0) return text;
  return isChanged ? undefined : fillFromDeployed(text, deployed);
}

/** Why settings, or the definition that changed with them, wait for the deployment. */
function waitingOf(
  { waiting }: ResolvedSettings,
  composed: Composed | UnplannedDefinition,
  wanted: string | undefined,
): string[] {
  if (wanted !== undefined) return [...waiting];
  if (!('action' in composed))
    return [...waiting, `its definition: only CloudFormation knows ${composed.missing.join(', ')}`];
  return composed.action === 'blocked' ? [...waiting, composed.why] : [...waiting];
}

async function aliasOf(
  tools: ServiceContext,
  { resource, stack, deployed }: DefinitionWork,
): Promise<string | undefined> {
  const alias = isServerless(resource.type) ? resource.properties['AutoPublishAlias'] : undefined;
  const name = alias === undefined ? undefined : scalarText((await tools.values.resolve(alias, stack)).value);
  return name && `${deployed.physicalId}:${name}`;
}

interface Composed {
  text: string;
  missing: readonly string[];
}

async function readDefinition(
  tools: ServiceContext,
  { resource, stack }: DefinitionWork,
): Promise<Composed | UnplannedDefinition> {
  const { id, definition, properties } = resource;
  const substitutions = await tools.values.resolve(properties['DefinitionSubstitutions'] ?? {}, stack);
  const known = mapOf(substitutions.value);
  const { missing } = substitutions;
  if (definition.kind === 'file') {
    const { path: file } = definition;
    return { text: composeDefinition(id, { text: await readDefinitionFile(id, file), file }, known), missing };
  }
  if (definition.kind !== 'inline') return { action: 'skip', why: `${id} has no definition here` };
  const { value, missing: inside } = await tools.values.resolve(definition.value, stack);
  if (isIntrinsic(value)) return needsDeployment(id, inside);
  const source = typeof value === 'string' ? { text: value } : { value };
  return { text: composeDefinition(id, source, known), missing: [...missing, ...inside] };
}

/** Whether the version that the alias leads to has the definition and the settings. */
async function aliasHas(
  { aws }: ServiceContext,
  stateMachineAliasArn: string,
  { deployed, settings }: { deployed: string; settings: ResolvedSettings['settings'] },
): Promise<boolean> {
  const { send, DescribeStateMachineAliasCommand, DescribeStateMachineCommand } = await aws.stepFunctions();
  try {
    const alias = await send(new DescribeStateMachineAliasCommand({ stateMachineAliasArn }));
    const [main] = [...(alias.routingConfiguration ?? [])].sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0));
    const stateMachineArn = main?.stateMachineVersionArn;
    if (stateMachineArn === undefined) return false;
    const version = await send(new DescribeStateMachineCommand({ stateMachineArn }));
    const hasAll = [...settings.values()].every((setting) => hasSetting(version, setting));
    return hasAll && sameDefinition(deployed, version.definition ?? '');
  } catch (error) {
    // the update reports that there is no such alias
    if (isAwsError(error, 'ResourceNotFound')) return false;
    throw error;
  }
}
