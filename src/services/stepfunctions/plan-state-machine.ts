import { isAwsError } from '../../aws/service-errors.ts';
import { isServerless } from '../../template/kinds/kinds.ts';
import { isIntrinsic, mapOf, scalarText } from '../../template/template.ts';
import { needsDeployment } from '../definition-plan.ts';
import type { DefinitionPlan, DefinitionService, DefinitionWork, UnplannedDefinition } from '../definition-plan.ts';
import { readDefinitionFile } from '../definition-text.ts';
import type { ServiceContext } from '../service-context.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';
import { composeDefinition, definitionName, fillFromDeployed, sameDefinition } from './state-machine-definition.ts';
import { stateMachineUpdate, stateMachineRequests, updateStateMachine } from './state-machine-update.ts';
import type { StateMachineUpdate } from './state-machine-update.ts';

/** How code syncs update state machines. */
export const STATE_MACHINE: DefinitionService<StateMachineUpdate> = {
  plan: planStateMachine,
  apply: updateStateMachine,
  requests: stateMachineRequests,
};

/** Compares the definition, with its substitutions filled in, with the one that Step Functions has. */
async function planStateMachine(
  tools: ServiceContext,
  work: DefinitionWork,
): Promise<DefinitionPlan<StateMachineUpdate>> {
  const { id, properties } = work.resource;
  const arn = work.deployed.physicalId;
  const composed = await readDefinition(tools, work);
  if ('action' in composed) return composed;
  const { send, DescribeStateMachineCommand } = await tools.aws.stepFunctions();
  const current = await send(new DescribeStateMachineCommand({ stateMachineArn: arn }));
  const deployed = current.definition ?? '';
  const filled = (): string | undefined => (work.isChanged ? undefined : fillFromDeployed(composed.text, deployed));
  const wanted = composed.missing.length === 0 ? composed.text : filled();
  if (wanted === undefined) return needsDeployment(id, composed.missing);
  // each update has a revision id: the same definition, deployed by CloudFormation since, is not a stale read
  const shown = { resource: arn, value: current.revisionId ?? definitionName(deployed) };
  const isSame = sameDefinition(wanted, deployed) && !mayBeStale(tools.facts, shown);
  const alias = isServerless(work.resource.type) ? properties['AutoPublishAlias'] : undefined;
  const name = alias === undefined ? undefined : scalarText((await tools.values.resolve(alias, work.stack)).value);
  const isPublished = name === undefined || (await aliasHas(tools, `${arn}:${name}`, deployed));
  if (isSame && isPublished) return { action: 'none' };
  const definition = isSame ? undefined : wanted;
  return {
    action: 'update',
    changes: [...(isSame ? [] : ['definition']), ...(name === undefined ? [] : [`version for ${name}`])],
    update: stateMachineUpdate(shown, { definition, aliasArn: name && `${arn}:${name}` }),
  };
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

/** Whether the version that the alias leads to has the definition. */
async function aliasHas({ aws }: ServiceContext, stateMachineAliasArn: string, definition: string): Promise<boolean> {
  const { send, DescribeStateMachineAliasCommand, DescribeStateMachineCommand } = await aws.stepFunctions();
  try {
    const alias = await send(new DescribeStateMachineAliasCommand({ stateMachineAliasArn }));
    const [main] = [...(alias.routingConfiguration ?? [])].sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0));
    const stateMachineArn = main?.stateMachineVersionArn;
    if (stateMachineArn === undefined) return false;
    const version = await send(new DescribeStateMachineCommand({ stateMachineArn }));
    return sameDefinition(definition, version.definition ?? '');
  } catch (error) {
    // the update reports that there is no such alias
    if (isAwsError(error, 'ResourceNotFound')) return false;
    throw error;
  }
}
