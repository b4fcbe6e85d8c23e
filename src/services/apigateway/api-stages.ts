import { flattenStacks } from '../../model/stack.ts';
import type { Stack } from '../../model/stack.ts';
import { ownValue } from '../../support/own-value.ts';
import { mapOf, resourcesOf, scalarText } from '../../template/template.ts';
import type { TemplateMap } from '../../template/template.ts';
import type { DefinitionWork } from '../definition-plan.ts';
import { findCompanion } from '../../cloud/generated-ids.ts';
import type { ServiceContext } from '../service-context.ts';

/** The types by which a template gives an API stages, and their property that names the API. */
const STAGE_TYPES: Readonly<Record<string, string>> = {
  'AWS::ApiGateway::Stage': 'RestApiId',
  'AWS::ApiGateway::Deployment': 'RestApiId',
  'AWS::ApiGatewayV2::Stage': 'ApiId',
  'AWS::ApiGatewayV2::Deployment': 'ApiId',
};

/**
 * Names of the stages that the application gives the API. Other stages, made by hand or by other stacks, stay at the
 * deployment that they have.
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
  if (resource.type === 'AWS::Serverless::Api') {
    await add(resource.properties, stack);
    // a name that only CloudFormation knows: the stack tells what became of it
    const made =
      names.size > 0
        ? undefined
        : findCompanion(
            (await tools.stacks.listing(stack.path)) ?? {},
            { stack, logicalId: resource.logicalId },
            'Stage',
          );
    if (made !== undefined) names.add(made.physicalId);
    // SAM makes a second one of this name for old templates
    names.add('Stage');
  }
  if (resource.type === 'AWS::Serverless::HttpApi') {
    if (resource.properties['StageName'] === undefined) names.add('$default');
    await add(resource.properties, stack);
  }
  for (const owner of flattenStacks(tools.root)) {
    for (const [, candidate] of resourcesOf(owner.resolved)) {
      const property = ownValue(STAGE_TYPES, candidate.Type);
      if (property === undefined) continue;
      const properties = mapOf(candidate['Properties']);
      const api = await tools.values.resolve(properties[property] ?? null, owner);
      if (scalarText(api.value) === deployed.physicalId) await add(properties, owner);
    }
  }
  return names;
}
