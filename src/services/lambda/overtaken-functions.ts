import { isAwsError } from '../../aws/service-errors.ts';
import type { ResourceIdentifier } from '../../model/stack.ts';
import { mayBeStale } from '../../cloud/recent-sends.ts';
import type { ServiceContext } from '../service-context.ts';
import { hasCode, shownCode } from './function-code.ts';
import type { FunctionState } from './function-state.ts';
import type { FunctionPlan } from './plan-function.ts';

/**
 * Finds the functions whose code is no longer what we sent: someone else has updated them since. Reads them with few calls;
 * a read that may be stale does not count, nor one that fails: what was sent has arrived. Functions with images are not
 * compared: lists do not have their images.
 */
export async function findOvertakenFunctions(
  { lambda, facts }: ServiceContext,
  updated: readonly FunctionPlan[],
): Promise<ReadonlySet<ResourceIdentifier>> {
  const zips = updated.filter(({ code }) => code?.code.kind === 'zip');
  lambda.forget();
  const states = await readOrNothing(
    lambda,
    zips.map(({ work }) => work.state.name),
  );
  const overtaken = zips.filter(({ code, work }) => {
    const now = states.get(work.state.name);
    return code !== undefined && now !== undefined && !hasCode(now, code.code) && !mayBeStale(facts, shownCode(now));
  });
  return new Set(overtaken.map(({ work }) => work.id));
}

async function readOrNothing(
  lambda: ServiceContext['lambda'],
  names: readonly string[],
): Promise<ReadonlyMap<string, FunctionState>> {
  try {
    return await lambda.readMany(names);
  } catch (error) {
    if (!isAwsError(error)) throw error;
    return new Map();
  }
}
