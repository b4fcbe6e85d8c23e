import type { DefinitionPlan, DefinitionWork } from './definition-plan.ts';
import type { ServiceContext } from './service-context.ts';

/** Compares the definition with what the cloud has. */
export async function planDefinition(tools: ServiceContext, work: DefinitionWork): Promise<DefinitionPlan> {
  switch (work.resource.kind) {
    case 'rest-api':
      return (await import('./apigateway/rest-api.ts')).planRestApi(tools, work);
    case 'http-api':
      return (await import('./apigateway/http-api.ts')).planHttpApi(tools, work);
    case 'state-machine':
      return (await import('./stepfunctions/state-machine.ts')).planStateMachine(tools, work);
  }
}
