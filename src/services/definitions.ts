import type { DefinitionFlow } from '../template/kinds/kinds.ts';
import type { DefinitionPlan, DefinitionService, DefinitionWork } from './definition-plan.ts';
import type { PlannedRequest } from './planned-request.ts';
import type { ServiceContext } from './service-context.ts';

/** The services behind the flows that the table of resource kinds names (`sync`), loaded when the first resource needs one. */
export const DEFINITION_FLOWS = {
  'rest-api': async () => (await import('./apigateway/plan-rest-api.ts')).REST_API,
  'http-api': async () => (await import('./apigateway/plan-http-api.ts')).HTTP_API,
  'state-machine': async () => (await import('./stepfunctions/plan-state-machine.ts')).STATE_MACHINE,
} satisfies Record<DefinitionFlow, () => Promise<unknown>>;

type Updates = {
  [Flow in DefinitionFlow]: (typeof DEFINITION_FLOWS)[Flow] extends () => Promise<DefinitionService<infer Update>>
    ? Update
    : never;
};

/** The requests that update an API or state machine. */
export type DefinitionUpdate = Updates[DefinitionFlow];

/** Compares the definition with what the service has. */
export async function planDefinition(
  tools: ServiceContext,
  work: DefinitionWork,
): Promise<DefinitionPlan<DefinitionUpdate>> {
  const { plan } = await serviceOf(work.resource.flow);
  return plan(tools, work);
}

/** Sends the requests of the plan. */
export async function applyDefinition(tools: ServiceContext, update: DefinitionUpdate): Promise<void> {
  const { apply } = await serviceOf(update.kind);
  return apply(tools, update);
}

/** The requests that `applyDefinition` sends, in their order. */
export async function definitionRequests(update: DefinitionUpdate): Promise<PlannedRequest[]> {
  const { requests } = await serviceOf(update.kind);
  return requests(update);
}

function serviceOf<Flow extends DefinitionFlow>(flow: Flow): Promise<DefinitionService<Updates[Flow]>> {
  const flows: { [Name in DefinitionFlow]: () => Promise<DefinitionService<Updates[Name]>> } = DEFINITION_FLOWS;
  return flows[flow]();
}
