import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import type { Aws, Service } from '../../aws/aws.ts';
import { requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { pause } from '../../support/pause.ts';
import type { UserError } from '../../errors.ts';
import { toFunctionState } from './function-state.ts';
import type { FunctionState } from './function-state.ts';
import { delaySince, LONGEST_CHANGE, stillBusy } from './lambda-patience.ts';
import { deletionError, isBusy } from './function-lifecycle.ts';
import { readFunctions } from './read-functions.ts';

/** Lambda's control plane. */
export interface LambdaAccess {
  service(): Promise<Service<'lambda'>>;
  read(name: string, qualifier?: string): Promise<FunctionState>;
  /** Reads a version or alias; undefined: there is none. */
  readIfThere(name: string, qualifier: string): Promise<FunctionState | undefined>;
  /**
   * Reads many functions with few calls; those that do not exist are absent. Lists have no images: functions in `images` are
   * read one by one.
   */
  readMany(names: readonly string[], images?: ReadonlySet<string>): Promise<ReadonlyMap<string, FunctionState>>;
  /** Starts to read these functions: the next `readMany` of them uses the answers, if it comes within this time (ms). */
  readAhead(names: readonly string[], how?: { images?: ReadonlySet<string>; within?: number }): void;
  /** Drops what was read ahead: functions may have changed since. */
  forget(): void;
  /** Makes the next `readMany` of this function return this state, without a call. */
  presume(state: FunctionState): void;
  /** The newest state of the function that Lambda has returned, except in lists. */
  latest(name: string): FunctionState | undefined;
  /** Notes the state in Lambda's answer to an update. */
  noteAnswer(answer: FunctionConfiguration): void;
  /**
   * Waits until no update of the function (or version) is in progress, and returns its state. Rejects if it is being deleted.
   * A state that does not have (`shows`) what was sent may be stale: it is read again for a while.
   */
  settled(
    name: string,
    what?: { qualifier?: string; shows?: (state: FunctionState) => boolean | Promise<boolean> },
  ): Promise<FunctionState>;
  /**
   * Makes a change as soon as no other update of the function is in progress. `isDone`: the state shows that an earlier
   * attempt arrived although its answer was lost.
   */
  change<T>(name: string, work: () => Promise<T>, isDone?: (state: FunctionState) => boolean): Promise<T | undefined>;
}

/** How long (ms) reads may be stale after an update. */
const STALE_FOR = 10_000;

/** Opens the client of one run. */
export function openLambda(aws: Aws, { signal }: { signal: AbortSignal }): LambdaAccess {
  const service: LambdaAccess['service'] = () => aws.lambda();
  const latest = new Map<string, FunctionState>();

  const read: LambdaAccess['read'] = async (name, qualifier) => {
    const { send, GetFunctionCommand } = await service();
    const { Configuration, Code } = await send(new GetFunctionCommand({ FunctionName: name, Qualifier: qualifier }));
    const state = toFunctionState(Configuration ?? {}, Code);
    // every answer has at least the function's name
    requireAnswer('Lambda', 'GetFunction', 'FunctionName', state.name);
    if (qualifier === undefined) latest.set(name, state);
    return state;
  };

  const settled: LambdaAccess['settled'] = async (name, { qualifier, shows = () => true } = {}) => {
    const started = performance.now();
    let quietSince: number | undefined;
    for (;;) {
      const state = await read(name, qualifier);
      const deleting = deletionError(state);
      if (deleting) throw deleting;
      quietSince = isBusy(state) ? undefined : (quietSince ?? performance.now());
      if (quietSince !== undefined && ((await shows(state)) || performance.now() > quietSince + STALE_FOR))
        return state;
      if (performance.now() > started + LONGEST_CHANGE) throw tookTooLong(state);
      await pause(delaySince(started), signal);
    }
  };

  const change: LambdaAccess['change'] = async (name, work, isDone = () => false) => {
    const started = performance.now();
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isAwsError(error, 'ResourceConflictException') || performance.now() > started + LONGEST_CHANGE)
          throw error;
      }
      // someone else's update, or our own whose answer was lost
      if (isDone(await settled(name))) return undefined;
      await pause(delaySince(started), signal);
    }
  };

  let ahead: { names: ReadonlySet<string>; until: number; reading: ReturnType<LambdaAccess['readMany']> } | undefined;
  const readAhead: LambdaAccess['readAhead'] = (names, { images, within = Infinity } = {}) => {
    const until = performance.now() + within;
    ahead = { names: new Set(names), until, reading: readFunctions({ service, read }, names, images) };
    // reported by the caller of readMany
    ahead.reading.catch(() => {});
  };

  return {
    service,
    read,
    readIfThere: async (name, qualifier) => {
      try {
        return await read(name, qualifier);
      } catch (error) {
        if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    },
    settled,
    change,
    readAhead,
    forget: () => {
      ahead = undefined;
    },
    presume: (state) => {
      const { name } = state;
      ahead = { names: new Set([name]), until: Infinity, reading: Promise.resolve(new Map([[name, state]])) };
    },
    latest: (name) => latest.get(name),
    noteAnswer: (answer) => void latest.set(answer.FunctionName ?? '', toFunctionState(answer)),
    readMany: async (names, images) => {
      const asked = ahead;
      ahead = undefined;
      const isFresh = asked !== undefined && performance.now() < asked.until;
      if (isFresh && names.every((name) => asked.names.has(name))) return asked.reading;
      return readFunctions({ service, read }, names, images);
    },
  };
}

function tookTooLong({ name, state, lastUpdateStatus }: FunctionState): UserError {
  const what = lastUpdateStatus === 'InProgress' ? 'an update' : (state ?? 'no state');
  return stillBusy(`${name} (${what})`, `aws lambda get-function --function-name ${name}`);
}
