import type { Aws, Service } from '../../aws/aws.ts';
import { requireAnswer } from '../../aws/check-answer.ts';
import { isAwsError } from '../../aws/service-errors.ts';
import { pause } from '../../support/pause.ts';
import { UserError } from '../../errors.ts';
import { toFunctionState } from './function-state.ts';
import type { FunctionState } from './function-state.ts';
import { deletionError, isBusy } from './function-lifecycle.ts';
import { readFunctions } from './read-functions.ts';
import { createPace } from '../../support/pace.ts';

/** Lambda's control plane within its limits. */
export interface LambdaAccess {
  /** The service; each call waits its turn. */
  service(): Promise<Service<'lambda'>>;
  read(name: string, qualifier?: string): Promise<FunctionState>;
  /**
   * Many functions with few calls; what is not there is absent. Lists do not tell of images: functions in `images` are asked
   * for one by one.
   */
  readMany(names: readonly string[], images?: ReadonlySet<string>): Promise<ReadonlyMap<string, FunctionState>>;
  /** Begins what the next `readMany` of these functions will be asked: it is not asked again then. */
  readAhead(names: readonly string[], images?: ReadonlySet<string>): void;
  /** Functions may have changed since: what was read ahead is of no use. */
  forget(): void;
  /**
   * Waits until nothing goes on with the function (or version) any more; how it ended is in the result. Rejects if it is being
   * deleted. A state that does
   * not show (`shows`) what was sent may be an older one: it is asked for again, for a while.
   */
  settled(
    name: string,
    what?: { qualifier?: string; shows?: (state: FunctionState) => boolean },
  ): Promise<FunctionState>;
  /**
   * Makes a change as soon as nothing else goes on with the function. `isDone` tells from the function's state that an
   * earlier try arrived although nobody heard of it.
   */
  change<T>(name: string, work: () => Promise<T>, isDone?: (state: FunctionState) => boolean): Promise<T | undefined>;
}

/** Requests a second of the whole control plane, and of GetFunction, which has a limit of its own (Lambda quotas). */
const LIMITS = { control: { perSecond: 15, burst: 15 }, getFunction: { perSecond: 100, burst: 50 } };
/** Between two looks (ms). Most updates take half a second to two seconds: their end is seen at most a fifth later. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 2_000;
const SHARE_WAITED = 0.2;
/** So long an answer may show what was before an update (ms). */
const OUTDATED_FOR = 10_000;
/** Longest time that a change of a function may take (ms): versions with SnapStart take minutes. */
const CHANGE_WITHIN = 10 * 60_000;

/** How Lambda is waited for. */
export interface LambdaOptions {
  signal: AbortSignal;
  /** How long a change may take (ms). */
  patience?: number | undefined;
}

export function openLambda(aws: Aws, { signal, patience = CHANGE_WITHIN }: LambdaOptions): LambdaAccess {
  const control = createPace(LIMITS.control, signal);
  const getFunction = createPace(LIMITS.getFunction, signal);
  let paced: Promise<Service<'lambda'>> | undefined;
  const service: LambdaAccess['service'] = () => (paced ??= pacedService(aws, { control, getFunction }));

  const read: LambdaAccess['read'] = async (name, qualifier) => {
    const { send, GetFunctionCommand } = await service();
    const { Configuration, Code } = await send(new GetFunctionCommand({ FunctionName: name, Qualifier: qualifier }));
    const state = toFunctionState(Configuration ?? {}, Code);
    // what it is called is the least that Lambda knows of a function
    return { ...state, name: requireAnswer('Lambda', 'GetFunction', 'FunctionName', state.name) };
  };

  const settled: LambdaAccess['settled'] = async (name, { qualifier, shows = () => true } = {}) => {
    const started = performance.now();
    let quietSince: number | undefined;
    for (;;) {
      const state = await read(name, qualifier);
      const deleting = deletionError(state);
      if (deleting) throw deleting;
      quietSince = isBusy(state) ? undefined : (quietSince ?? performance.now());
      if (quietSince !== undefined && (shows(state) || performance.now() > quietSince + OUTDATED_FOR)) return state;
      if (performance.now() > started + patience) throw tookTooLong(state, patience);
      await pause(delaySince(started), signal);
    }
  };

  const change: LambdaAccess['change'] = async (name, work, isDone = () => false) => {
    const started = performance.now();
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isAwsError(error, 'ResourceConflictException') || performance.now() > started + patience) throw error;
      }
      // someone else's update, or our own whose answer was lost
      if (isDone(await settled(name))) return undefined;
      await pause(delaySince(started), signal);
    }
  };

  let ahead: { names: ReadonlySet<string>; reading: ReturnType<LambdaAccess['readMany']> } | undefined;
  const readAhead: LambdaAccess['readAhead'] = (names, images) => {
    ahead = { names: new Set(names), reading: readFunctions({ service, read }, names, images) };
    // told by whoever needs it
    ahead.reading.catch(() => {});
  };

  return {
    service,
    read,
    settled,
    change,
    readAhead,
    forget: () => {
      ahead = undefined;
    },
    readMany: async (names, images) => {
      const asked = ahead;
      ahead = undefined;
      if (asked !== undefined && names.every((name) => asked.names.has(name))) return asked.reading;
      return readFunctions({ service, read }, names, images);
    },
  };
}

function delaySince(started: number): number {
  return Math.min(Math.max((performance.now() - started) * SHARE_WAITED, FIRST_DELAY), LONGEST_DELAY);
}

async function pacedService(
  aws: Aws,
  paces: { control: () => Promise<void>; getFunction: () => Promise<void> },
): Promise<Service<'lambda'>> {
  const lambda = await aws.lambda();
  const send = async (command: object): Promise<unknown> => {
    await (command instanceof lambda.GetFunctionCommand ? paces.getFunction() : paces.control());
    return lambda.client.send(command as Parameters<typeof lambda.client.send>[0]);
  };
  return { ...lambda, send: send as Service<'lambda'>['send'] };
}

function tookTooLong({ name, state, lastUpdateStatus }: FunctionState, patience: number): UserError {
  const what = lastUpdateStatus === 'InProgress' ? 'an update' : (state ?? 'no state');
  return new UserError(`Lambda is still busy with ${name} (${what}) after ${Math.round(patience / 60_000)} minutes`, {
    hint: `Look at it with \`aws lambda get-function --function-name ${name}\`, and sync again.`,
  });
}
