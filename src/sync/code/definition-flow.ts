import type { DefinitionPlan, DefinitionWork } from './definition-plan.ts';
import type { FlowTools } from './flow-tools.ts';

/** Compares the definition with what the cloud has. */
export async function planDefinition(tools: FlowTools, work: DefinitionWork): Promise<DefinitionPlan> {
  switch (work.resource.kind) {
    case 'rest-api':
      return (await import('./rest-api-flow.ts')).planRestApi(tools, work);
    case 'http-api':
      return (await import('./http-api-flow.ts')).planHttpApi(tools, work);
    case 'state-machine':
      return (await import('./state-machine-flow.ts')).planStateMachine(tools, work);
  }
}
