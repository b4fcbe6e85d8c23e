import type { DefinitionFlow } from '../template/kinds/kinds.ts';
import type { DefinitionPlan, DefinitionWork } from './definition-plan.ts';
import type { ServiceContext } from './service-context.ts';

/** Compares the definition with what the cloud has. */
type PlanDefinition = (tools: ServiceContext, work: DefinitionWork) => Promise<DefinitionPlan>;

/** The flow of each kind of definition in the table of resource kinds (`sync`), loaded when the first resource needs it. */
export const DEFINITION_FLOWS: Readonly<Record<DefinitionFlow, () => Promise<PlanDefinition>>> = {
  'rest-api': async () => (await import('./apigateway/rest-api.ts')).planRestApi,
  'http-api': async () => (await import('./apigateway/http-api.ts')).planHttpApi,
  'state-machine': async () => (await import('./stepfunctions/state-machine.ts')).planStateMachine,
};

/** Compares the definition with what the cloud has, by the flow of the resource's type. */
export async function planDefinition(tools: ServiceContext, work: DefinitionWork): Promise<DefinitionPlan> {
  const plan = await DEFINITION_FLOWS[work.resource.flow]();
  return plan(tools, work);
}
