import { isAwsError } from '../../../aws/service-errors.ts';
import type { DirectRequest } from '../../../template/kinds/direct-settings.ts';
import type { ServiceContext } from '../../service-context.ts';
import type { ResolvedSettings, WantedSetting } from '../../resolve-settings.ts';
import { EVENT_SOURCE_MAPPINGS } from './event-source-mappings.ts';
import { TAGS } from './function-tags.ts';
import { singleValue } from './neighbour.ts';
import type { FunctionPlace, Neighbour, NeighbourUpdate } from './neighbour.ts';

/** What a function without reserved concurrency has. */
const UNRESERVED = 'unreserved';

const NEIGHBOURS: Readonly<Record<DirectRequest, Neighbour>> = {
  UpdateFunctionUrlConfig: singleValue('UpdateFunctionUrlConfig', {
    place: ({ fn, alias }) => ({ FunctionName: fn.state.name, Qualifier: alias }),
    read: ({ send, GetFunctionUrlConfigCommand }, place) => send(new GetFunctionUrlConfigCommand(place)),
    request: (place, value) => ({ operation: 'UpdateFunctionUrlConfig', input: { ...place, ...(value as object) } }),
    send: ({ send, UpdateFunctionUrlConfigCommand }, place, value) =>
      send(new UpdateFunctionUrlConfigCommand({ ...place, ...(value as object) })),
  }),
  PutFunctionConcurrency: singleValue('PutFunctionConcurrency', {
    place: ({ fn }) => ({ FunctionName: fn.state.name }),
    read: async ({ send, GetFunctionConcurrencyCommand }, place) =>
      (await send(new GetFunctionConcurrencyCommand(place))).ReservedConcurrentExecutions ?? UNRESERVED,
    request: (place, value) =>
      typeof value === 'number'
        ? { operation: 'PutFunctionConcurrency', input: { ...place, ReservedConcurrentExecutions: value } }
        : { operation: 'DeleteFunctionConcurrency', input: { ...place } },
    send: async ({ send, ...commands }, { FunctionName }, value) => {
      if (typeof value === 'number') {
        const request = { FunctionName, ReservedConcurrentExecutions: value };
        return (await send(new commands.PutFunctionConcurrencyCommand(request))).ReservedConcurrentExecutions;
      }
      await send(new commands.DeleteFunctionConcurrencyCommand({ FunctionName }));
      return UNRESERVED;
    },
  }),
  // does not wait until it is allocated, which takes minutes: the deployment does
  PutProvisionedConcurrencyConfig: {
    isLast: true,
    ...singleValue('PutProvisionedConcurrencyConfig', {
      place: ({ fn, alias }) => (alias === undefined ? undefined : { FunctionName: fn.state.name, Qualifier: alias }),
      read: async ({ send, GetProvisionedConcurrencyConfigCommand }, { FunctionName, Qualifier }) => {
        try {
          const { RequestedProvisionedConcurrentExecutions: count, Status } = await send(
            new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }),
          );
          return Status === 'FAILED' ? null : { ProvisionedConcurrentExecutions: count };
        } catch (error) {
          if (isAwsError(error, 'ProvisionedConcurrencyConfigNotFoundException')) return null;
          throw error;
        }
      },
      request: (place, value) =>
        value !== null
          ? { operation: 'PutProvisionedConcurrencyConfig', input: { ...place, ...(value as object) } }
          : { operation: 'DeleteProvisionedConcurrencyConfig', input: { ...place } },
      send: async ({ send, ...commands }, { FunctionName, Qualifier }, value) => {
        if (value === null) {
          await send(new commands.DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
          return null;
        }
        const { ProvisionedConcurrentExecutions } = value as { ProvisionedConcurrentExecutions: number };
        const { RequestedProvisionedConcurrentExecutions: count } = await send(
          new commands.PutProvisionedConcurrencyConfigCommand({
            FunctionName,
            Qualifier,
            ProvisionedConcurrentExecutions,
          }),
        );
        return { ProvisionedConcurrentExecutions: count };
      },
    }),
  },
  TagResource: TAGS,
  UpdateEventSourceMapping: EVENT_SOURCE_MAPPINGS,
};

/** Compares the wanted settings with requests of their own with those that the function has. */
export async function planNeighbours(
  tools: ServiceContext,
  place: FunctionPlace,
  { settings }: ResolvedSettings,
): Promise<NeighbourUpdate[]> {
  const byRequest = new Map<DirectRequest, Map<string, WantedSetting>>();
  for (const [name, setting] of settings) {
    const { request } = setting.property;
    if (request === undefined) continue;
    byRequest.set(request, (byRequest.get(request) ?? new Map<string, WantedSetting>()).set(name, setting));
  }
  const planned = await Promise.all(
    [...byRequest].map(([request, wanted]) => NEIGHBOURS[request].plan(tools, place, wanted)),
  );
  return planned.flat();
}

/** Sends an update, and checks the answer. */
export async function sendNeighbour(tools: ServiceContext, update: NeighbourUpdate): Promise<void> {
  await NEIGHBOURS[update.request].send(tools, update);
}

/** Whether the update is sent after the code and the version of it. */
export function isLast({ request }: NeighbourUpdate): boolean {
  return NEIGHBOURS[request].isLast === true;
}
