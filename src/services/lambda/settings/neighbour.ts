import { mayBeStale, sendAndRecord } from '../../../cloud/recent-sends.ts';
import type { SentChange } from '../../../cloud/recent-sends.ts';
import { isSameSetting, shownSetting } from '../../../template/kinds/direct-settings.ts';
import type { DirectRequest, Setting } from '../../../template/kinds/direct-settings.ts';
import { checkAnswer } from '../../../aws/check-answer.ts';
import type { Service } from '../../../aws/aws.ts';
import { SENT, settingHash, shownValue } from '../../secret-settings.ts';
import type { ServiceContext } from '../../service-context.ts';
import type { WantedSetting } from '../../resolve-settings.ts';
import type { LocatedFunction } from '../located-function.ts';

/** A request for settings of a function that UpdateFunctionConfiguration does not take. */
export interface NeighbourUpdate {
  request: DirectRequest;
  operation: string;
  input: Readonly<Record<string, unknown>>;
  /** The settings in it, by name. */
  settings: WantedSettings;
  /** For the record of recent sends. */
  changes: readonly SentChange[];
}

/** Settings by name. */
export type WantedSettings = ReadonlyMap<string, WantedSetting>;

/** The function, and the alias that the template publishes. */
export interface FunctionPlace {
  fn: LocatedFunction;
  alias: string | undefined;
}

/** How settings of one request are compared and sent. */
export interface Neighbour {
  plan(tools: ServiceContext, place: FunctionPlace, settings: WantedSettings): Promise<NeighbourUpdate[]>;
  send(tools: ServiceContext, update: NeighbourUpdate): Promise<void>;
  /** Sent after the code and the version of it. */
  isLast?: boolean;
}

/** A neighbour that sets one value as a whole. */
interface SingleValue {
  /** undefined: the function has no place for it. */
  place(place: FunctionPlace): QualifiedName | undefined;
  /** The value as Lambda shows it. */
  read(lambda: Service<'lambda'>, place: QualifiedName): Promise<unknown>;
  request(place: QualifiedName, value: Setting): Pick<NeighbourUpdate, 'operation' | 'input'>;
  /** Sends that request; gives the value in the answer. */
  send(lambda: Service<'lambda'>, place: QualifiedName, value: Setting): Promise<unknown>;
}

/** A function, and the alias that owns the value. */
interface QualifiedName {
  FunctionName: string;
  Qualifier?: string | undefined;
}

/** Creates a neighbour that compares and sends one value. */
export function singleValue(request: DirectRequest, how: SingleValue): Neighbour {
  return {
    plan: async ({ lambda, facts }, place, settings) => {
      const [[name, setting] = []] = settings;
      const at = how.place(place);
      if (name === undefined || setting === undefined || at === undefined) return [];
      const { property, value } = setting;
      const shown = shownSetting(property, await how.read(await lambda.service(), at));
      const before = shownValue(`${at.FunctionName} ${name}`, shown);
      if (isSameSetting(property, value, shown) && !mayBeStale(facts, before)) return [];
      return [
        { ...how.request(at, value), request, settings, changes: [{ shown: before, value: settingHash(value) }] },
      ];
    },
    send: async ({ lambda, facts }, { operation, input, settings, changes }) => {
      const service = await lambda.service();
      for (const { property, value } of settings.values()) {
        const answer = await sendAndRecord(facts, changes, () =>
          how.send(service, input as unknown as QualifiedName, value),
        );
        const isThere = isSameSetting(property, value, shownSetting(property, answer));
        checkAnswer('Lambda', operation, [property.member, isThere ? SENT : 'another value', SENT]);
      }
    },
  };
}
