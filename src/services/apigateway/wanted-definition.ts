import { kindOf } from '../../template/kinds/kinds.ts';
import { blocked } from '../definition-plan.ts';
import type { DefinitionWork, UnplannedDefinition } from '../definition-plan.ts';
import type { ServiceContext } from '../service-context.ts';
import { readApiDefinition } from './api-definition.ts';
import type { ApiDefinition } from './api-definition.ts';
import { isSameDefinition, readDeployedDefinition } from './generated/deployed-definition.ts';
import { isGenerated, readGeneratedDefinition } from './generated/generated-definition.ts';

/** The definition that an API is to have. `isDeployed`: whether the deployed template leads to it, if that is known. */
export async function readWantedDefinition(
  tools: ServiceContext,
  work: DefinitionWork,
): Promise<(ApiDefinition & { isDeployed?: boolean }) | UnplannedDefinition> {
  const {
    resource: { id, type, definition, properties },
    settings,
  } = work;
  const { samChangesDefinition = [] } = kindOf(type) ?? {};
  const added = settings.filter((name) => samChangesDefinition.includes(name) && (properties[name] ?? null) !== null);
  if (definition.kind === 'file' && added.length > 0)
    return blocked(`${id}: SAM adds ${added.join(', ')} only to a definition in the template`);
  if (isGenerated(work)) return readGeneratedDefinition(tools, work);
  const read = await readApiDefinition(tools, work.resource, work.stack);
  if ('action' in read || read.document === undefined || !settings.includes('Auth')) return read;
  const deployed = await readDeployedDefinition(tools, work);
  return { ...read, isDeployed: deployed !== undefined && isSameDefinition(read.document, deployed) };
}

/** The settings that are in the definition. Pure. */
export function comparedSettings({ resource: { type }, settings }: DefinitionWork): { settings: readonly string[] } {
  const { generatedDirect = [] } = kindOf(type) ?? {};
  return { settings: settings.filter((name) => generatedDirect.includes(name)) };
}

/** What an update of the definition changes, in a few words each. Pure. */
export function changesOf(work: DefinitionWork): readonly string[] {
  const { settings } = comparedSettings(work);
  return work.isChanged || settings.length === 0 ? ['definition'] : settings;
}
