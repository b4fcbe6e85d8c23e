import { flattenStacks } from '../../model/stack.ts';
import type { Stack } from '../../model/stack.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { mapOf, resourcesOf, scalarText } from '../../template/template.ts';
import type { TemplateMap } from '../../template/template.ts';
import type { DefinitionWork } from '../definition-plan.ts';
import { findCompanion } from '../../cloud/generated-ids.ts';
import type { ServiceContext } from '../service-context.ts';

/**
 * Lists the names of the stages that the application gives the API. Other stages, created by hand or by other stacks, keep
 * their deployment.
 */
export async function applicationStages(
  tools: ServiceContext,
  { resource, stack, deployed }: DefinitionWork,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const add = async (properties: TemplateMap, owner: Stack): Promise<void> => {
    const written = properties['StageName'];
    if (written === undefined) return;
    const name = scalarText((await tools.values.resolve(written, owner)).value);
    if (name !== undefined) names.add(name);
  };
  const { stages } = kindOf(resource.type) ?? {};
  if (stages !== undefined) {
    const { byDefault, always } = stages;
    if (byDefault !== undefined && resource.properties['StageName'] === undefined) names.add(byDefault);
    await add(resource.properties, stack);
    if (names.size === 0) {
      // CloudFormation resolved the name: the stack has the stage
      const listing = (await tools.stacks.listing(stack.path)) ?? {};
      const stage = findCompanion(listing, { stack, logicalId: resource.logicalId }, 'Stage');
      if (stage !== undefined) names.add(stage.physicalId);
    }
    if (always !== undefined) names.add(always);
  }
  for (const owner of flattenStacks(tools.root)) {
    for (const [, candidate] of resourcesOf(owner.resolved)) {
      const property = kindOf(candidate.Type)?.stageOf;
      if (property === undefined) continue;
      const properties = mapOf(candidate['Properties']);
      const api = await tools.values.resolve(properties[property] ?? null, owner);
      if (scalarText(api.value) === deployed.physicalId) await add(properties, owner);
    }
  }
  return names;
}
