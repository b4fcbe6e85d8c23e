import { isAwsError } from '../../aws/service-errors.ts';
import { flattenStacks, splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { mayBeFollowed, readVersionReferences } from '../../model/version-references.ts';
import type { BehindValues, PlannedWork } from './code-sync-plan.ts';
import type { ServiceContext } from '../../services/service-context.ts';
import type { FunctionWork } from '../../services/lambda/function-work.ts';
import { findCompanion } from '../../cloud/generated-ids.ts';

/** Lists the values that change when CloudFormation creates new versions of these resources. Pure. */
export function valuesFollowing(root: Stack, ids: ReadonlySet<ResourceIdentifier>): BehindValues[] {
  if (![...ids].some((id) => mayBeFollowed(root, id))) return [];
  return [...readVersionReferences(root)].flatMap(([id, values]) => (ids.has(id) ? [{ id, values }] : []));
}

/** Lists the values that still refer to CloudFormation's version after the work has published another one. */
export async function findBehind(tools: ServiceContext, work: PlannedWork): Promise<BehindValues[]> {
  const layers = [...work.layers].flatMap(
    ([
      id,
      {
        version,
        work: { deployed },
      },
    ]) => (version === undefined || version !== deployed ? [id] : []),
  );
  const functions = work.functions.flatMap((plan) => (plan.code ? [plan.work] : []));
  const newer = new Set([...layers, ...functions.map(({ id }) => id), ...work.definitions.keys()]);
  if (newer.size === 0) return [];
  const following = valuesFollowing(tools.root, newer);
  const isBehind = await Promise.all(
    following.map(async ({ id }) => {
      const fn = functions.find((candidate) => candidate.id === id);
      return fn === undefined || !(await hasVersion(tools, fn));
    }),
  );
  return following.filter((_, index) => isBehind[index]);
}

/** Whether CloudFormation's version of the function has the new code: it went back to earlier code. */
async function hasVersion(
  { root, stacks, lambda }: ServiceContext,
  { id, code, state }: FunctionWork,
): Promise<boolean> {
  if (code?.kind !== 'zip') return false;
  const { stackPath, logicalId } = splitIdentifier(id);
  const stack = flattenStacks(root).find(({ path }) => path === stackPath);
  const listing = await stacks.listing(stackPath);
  const version = stack && listing && findCompanion(listing, { stack, logicalId }, 'Version');
  if (version === undefined) return false;
  try {
    const { codeSha256 } = await lambda.read(state.name, version.physicalId.split(':').at(-1));
    return codeSha256 === code.artifact.sha256;
  } catch (error) {
    // the value is only reported
    if (isAwsError(error)) return false;
    throw error;
  }
}

/** Describes why a code sync is not enough. */
export function describeFollowing({ id, values }: BehindValues): string {
  return `values depend on the version of ${id}: ${listOf(values)}`;
}

/** Describes the values that a code sync leaves at the previous version. */
export function describeBehind({ id, values }: BehindValues): string {
  return `Still at the previous version of ${id}: ${listOf(values)}`;
}

/** Values named in one message. */
const NAMED = 5;

function listOf(values: readonly string[]): string {
  const more = values.length - NAMED;
  return more > 1 ? `${values.slice(0, NAMED).join(', ')} and ${more} more values` : values.join(', ');
}
