import { checkAnswer } from '../../aws/check-answer.ts';
import type { Service } from '../../aws/aws.ts';
import { isSameSetting, shownSetting } from '../../template/kinds/direct-settings.ts';
import type { DirectProperty, Setting } from '../../template/kinds/direct-settings.ts';
import type { ServiceContext } from '../service-context.ts';
import type { WantedSetting } from '../resolve-settings.ts';
import type { WantedConfiguration } from './function-configuration.ts';

/** A setting of a function that has a request of its own: that of its URL, its reserved concurrency. */
export interface NeighbourUpdate {
  operation: string;
  input: NeighbourPlace & Readonly<Record<string, unknown>>;
  setting: WantedSetting;
}

/** The function, and the alias that owns the setting. */
interface NeighbourPlace {
  FunctionName: string;
  Qualifier?: string | undefined;
}

type Request = NonNullable<DirectProperty['request']>;

/** How a setting is read and sent. */
interface Neighbour {
  place(fn: { name: string; alias: string | undefined }): NeighbourPlace;
  /** The setting as Lambda shows it. */
  read(lambda: Service<'lambda'>, place: NeighbourPlace): Promise<unknown>;
  /** The request that sets the value. */
  request(place: NeighbourPlace, value: Setting): Pick<NeighbourUpdate, 'operation' | 'input'>;
  /** Sends that request; gives the setting in its answer. */
  send(lambda: Service<'lambda'>, update: NeighbourUpdate): Promise<unknown>;
}

/** What a function without reserved concurrency has. */
const UNRESERVED = 'unreserved';

const NEIGHBOURS: Readonly<Record<Request, Neighbour>> = {
  UpdateFunctionUrlConfig: {
    place: ({ name, alias }) => ({ FunctionName: name, Qualifier: alias }),
    read: ({ send, GetFunctionUrlConfigCommand }, place) => send(new GetFunctionUrlConfigCommand(place)),
    request: (place, value) => ({ operation: 'UpdateFunctionUrlConfig', input: { ...place, ...(value as object) } }),
    send: ({ send, UpdateFunctionUrlConfigCommand }, { input }) => send(new UpdateFunctionUrlConfigCommand(input)),
  },
  PutFunctionConcurrency: {
    place: ({ name }) => ({ FunctionName: name }),
    read: async ({ send, GetFunctionConcurrencyCommand }, place) =>
      (await send(new GetFunctionConcurrencyCommand(place))).ReservedConcurrentExecutions ?? UNRESERVED,
    request: (place, value) =>
      typeof value === 'number'
        ? { operation: 'PutFunctionConcurrency', input: { ...place, ReservedConcurrentExecutions: value } }
        : { operation: 'DeleteFunctionConcurrency', input: { ...place } },
    send: async ({ send, PutFunctionConcurrencyCommand, DeleteFunctionConcurrencyCommand }, { input, setting }) => {
      const { value } = setting;
      if (typeof value === 'number') {
        const request = { FunctionName: input.FunctionName, ReservedConcurrentExecutions: value };
        return (await send(new PutFunctionConcurrencyCommand(request))).ReservedConcurrentExecutions;
      }
      await send(new DeleteFunctionConcurrencyCommand({ FunctionName: input.FunctionName }));
      return UNRESERVED;
    },
  },
};

/** Compares the wanted settings with requests of their own with those that the function has. */
export async function planNeighbours(
  { lambda }: ServiceContext,
  fn: { name: string; alias: string | undefined },
  { settings }: WantedConfiguration,
): Promise<NeighbourUpdate[]> {
  const updates: NeighbourUpdate[] = [];
  for (const setting of settings.values()) {
    const { property, value } = setting;
    if (property.request === undefined) continue;
    const { place, read, request } = NEIGHBOURS[property.request];
    const at = place(fn);
    const shown = shownSetting(property, await read(await lambda.service(), at));
    if (!isSameSetting(property, value, shown)) updates.push({ ...request(at, value), setting });
  }
  return updates;
}

/** Sends an update, and checks the answer. */
export async function sendNeighbour({ lambda }: ServiceContext, update: NeighbourUpdate): Promise<void> {
  const { property, value } = update.setting;
  if (property.request === undefined) return;
  const answer = await NEIGHBOURS[property.request].send(await lambda.service(), update);
  const isThere = isSameSetting(property, value, shownSetting(property, answer));
  checkAnswer('Lambda', update.operation, [property.member, isThere ? SENT : 'another value', SENT]);
}

const SENT = 'the value that was sent';
