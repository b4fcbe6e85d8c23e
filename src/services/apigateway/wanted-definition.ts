import { kindOf } from '../../template/kinds/kinds.ts';
import type { DefinitionWork, UnplannedDefinition } from '../definition-plan.ts';
import type { ServiceContext } from '../service-context.ts';
import { readApiDefinition } from './api-definition.ts';
import type { ApiDefinition } from './api-definition.ts';
import { isGenerated, readGeneratedDefinition } from './generated/generated-definition.ts';

/** The definition that an API is to have. `isDeployed`: whether the deployed template leads to it, if that is known. */
export async function readWantedDefinition(
  tools: ServiceContext,
  work: DefinitionWork,
): Promise<(ApiDefinition & { isDeployed?: boolean }) | UnplannedDefinition> {
  return isGenerated(work) ? readGeneratedDefinition(tools, work) : readApiDefinition(tools, work.resource, work.stack);
}

/** The settings that are in the definition. Pure. */
export function comparedSettings({ resource: { type }, settings }: DefinitionWork): { settings: readonly string[] } {
  const { generatedDirect = [] } = kindOf(type) ?? {};
  return { settings: settings.filter((name) => generatedDirect.includes(name)) };
}

/** What an update of the definition changes, in a few words each. Pure. */
export function changesOf(work: DefinitionWork): readonly string[] {
  return isGenerated(work) ? comparedSettings(work).settings : ['definition'];
}
