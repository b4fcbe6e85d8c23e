import type { EventSourceMappingConfiguration, UpdateEventSourceMappingCommandInput } from '@aws-sdk/client-lambda';
import { checkAnswer } from '../../../aws/check-answer.ts';
import { isAwsError } from '../../../aws/service-errors.ts';
import { mayBeStale, sendAndRecord } from '../../../cloud/recent-sends.ts';
import type { SentChange } from '../../../cloud/recent-sends.ts';
import { pause } from '../../../support/pause.ts';
import { isSameSetting, shownSetting } from '../../../template/kinds/direct-settings.ts';
import type { DirectProperty, Setting } from '../../../template/kinds/direct-settings.ts';
import { eventOf } from '../../../template/kinds/setting-parts.ts';
import type { ServiceContext } from '../../service-context.ts';
import type { WantedSetting } from '../../resolve-settings.ts';
import { delaySince, LONGEST_CHANGE, stillBusy } from '../lambda-patience.ts';
import type { Neighbour, NeighbourUpdate, WantedSettings } from './neighbour.ts';
import { SENT, settingHash, shownValue } from '../../secret-settings.ts';

/** Settings of the event source mappings that SAM makes of a function's events. */
export const EVENT_SOURCE_MAPPINGS: Neighbour = {
  // they may begin to pass on what only the new code handles
  isLast: true,
  plan: async (tools, { fn }, settings) => {
    const byEvent = new Map<string, Map<string, WantedSetting>>();
    for (const [name, setting] of settings) {
      const event = eventOf(name) ?? '';
      byEvent.set(event, (byEvent.get(event) ?? new Map<string, WantedSetting>()).set(name, setting));
    }
    const planned = await Promise.all(
      [...byEvent].map(async ([event, wanted]) => {
        const mapping = await tools.stacks.find(fn.stack.path, `${fn.resource.logicalId}${event}`);
        return mapping === undefined ? [] : planMapping(tools, mapping.physicalId, wanted);
      }),
    );
    return planned.flat();
  },
  send: updateMapping,
};

/** Compares settings with those of an event source mapping. */
async function planMapping(
  { lambda, facts }: ServiceContext,
  UUID: string,
  settings: WantedSettings,
): Promise<NeighbourUpdate[]> {
  const { send, GetEventSourceMappingCommand } = await lambda.service();
  const mapping = await send(new GetEventSourceMappingCommand({ UUID }));
  const changed = [...settings].flatMap(([name, setting]) => {
    const { property, value } = setting;
    const shown = shownIn(mapping, property);
    const change: SentChange = { shown: shownValue(`${UUID} ${property.member}`, shown), value: settingHash(value) };
    const isThere = isSameSetting(property, value, shown) && !mayBeStale(facts, change.shown);
    return isThere ? [] : [{ name, setting, change }];
  });
  if (changed.length === 0) return [];
  const members = Object.fromEntries(changed.map(({ setting: { property, value } }) => [property.member, value]));
  return [
    {
      request: 'UpdateEventSourceMapping',
      operation: 'UpdateEventSourceMapping',
      input: { UUID, ...members },
      settings: new Map(changed.map(({ name, setting }) => [name, setting])),
      changes: changed.map(({ change }) => change),
    },
  ];
}

/** Sends the update as soon as no other one is in progress, and waits for its end. */
async function updateMapping(tools: ServiceContext, { input, settings, changes }: NeighbourUpdate): Promise<void> {
  const { lambda, facts, signal } = tools;
  const { send, UpdateEventSourceMappingCommand } = await lambda.service();
  const request = input as unknown as UpdateEventSourceMappingCommandInput & { UUID: string };
  const started = performance.now();
  for (;;) {
    await settled(tools, request.UUID);
    try {
      const answer = await sendAndRecord(facts, changes, () => send(new UpdateEventSourceMappingCommand(request)));
      check(answer, settings);
      break;
    } catch (error) {
      const isBusy = isAwsError(error, 'ResourceInUseException', 'ResourceConflictException');
      if (!isBusy || performance.now() > started + LONGEST_CHANGE) throw error;
    }
    await pause(delaySince(started), signal);
  }
  // until then it works as before
  await settled(tools, request.UUID);
}

/** Waits until the mapping is in a state that lasts. */
async function settled({ lambda, signal }: ServiceContext, UUID: string): Promise<void> {
  const { send, GetEventSourceMappingCommand } = await lambda.service();
  const started = performance.now();
  for (;;) {
    const { State = '' } = await send(new GetEventSourceMappingCommand({ UUID }));
    if (!PASSING.has(State)) return;
    if (performance.now() > started + LONGEST_CHANGE)
      throw stillBusy(`event source mapping ${UUID} (${State})`, `aws lambda get-event-source-mapping --uuid ${UUID}`);
    await pause(delaySince(started), signal);
  }
}

const PASSING: ReadonlySet<string> = new Set(['Creating', 'Disabling', 'Enabling', 'Updating']);

function check(answer: EventSourceMappingConfiguration, settings: WantedSettings): void {
  for (const { property, value } of settings.values()) {
    const isThere = isSameSetting(property, value, shownIn(answer, property));
    checkAnswer('Lambda', 'UpdateEventSourceMapping', [property.member, isThere ? SENT : 'another value', SENT]);
  }
}

/** A setting in an answer of Lambda. `Enabled` is a state there, which an update hides for a while. */
function shownIn(mapping: EventSourceMappingConfiguration, property: DirectProperty): Setting | undefined {
  const { member } = property;
  if (member !== 'Enabled') return shownSetting(property, mapping[member as keyof EventSourceMappingConfiguration]);
  return ENABLED.get(mapping.State ?? '');
}

const ENABLED: ReadonlyMap<string, boolean> = new Map([
  ['Enabled', true],
  ['Enabling', true],
  ['Disabled', false],
  ['Disabling', false],
]);
