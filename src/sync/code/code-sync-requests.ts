import { settingsRequests } from '../../services/cloudcontrol/settings-update.ts';
import { definitionRequests } from '../../services/definitions.ts';
import { serviceSettingRequests } from '../../services/settings.ts';
import { functionRequests, layerRequests } from '../../services/lambda/lambda-requests.ts';
import type { PlannedRequest } from '../../services/planned-request.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import type { CodeSyncPlan, PlannedResource } from './code-sync-plan.ts';

/** A planned resource with the requests that apply sends for it, in their order. */
export interface DescribedResource extends PlannedResource {
  requests: readonly PlannedRequest[];
}

/** Lists the requests of a plan for each resource. Looks up the deployment bucket if code is too large for a request. */
export async function describeRequests(
  tools: Pick<ServiceContext, 'artifacts'>,
  { resources, work }: CodeSyncPlan,
): Promise<DescribedResource[]> {
  const { functions, definitions, updates, leftovers, kept } = work;
  const requestsOf = async ({ id, action }: PlannedResource): Promise<readonly PlannedRequest[]> => {
    const definition = definitions.get(id);
    const own = work.requests.get(id);
    const update = updates.get(id);
    if (definition !== undefined || own !== undefined || update !== undefined) {
      const ofUpdate = update === undefined ? [] : settingsRequests(update);
      const ofSettings = own === undefined ? [] : await serviceSettingRequests(own);
      return [
        ...(definition === undefined ? [] : await definitionRequests(definition.update)),
        ...ofUpdate,
        ...ofSettings,
      ];
    }
    const fn = functions.find((candidate) => candidate.work.id === id);
    if (fn !== undefined) return functionRequests(tools, fn, kept);
    const layer = work.layers.get(id) ?? leftovers.find((candidate) => candidate.work.id === id);
    if (layer === undefined || (action !== 'update' && !leftovers.includes(layer))) return [];
    return layerRequests(tools, layer, kept);
  };
  return Promise.all(resources.map(async (resource) => ({ ...resource, requests: await requestsOf(resource) })));
}
