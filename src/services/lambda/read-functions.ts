import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { isAwsError } from '../../aws/service-errors.ts';
import { toFunctionState } from './function-state.ts';
import type { FunctionState } from './function-state.ts';
import type { LambdaAccess } from './lambda-client.ts';

/** So many functions are asked for one by one; more are looked for in a page of the account's list first (50 functions). */
const READ_SINGLY = 2;
/**
 * When so few are left they are asked for one by one, all at once, instead of turning page after page: and after a page that
 * held none, as in an account with many others, that is so for more.
 */
const LEFT_SINGLY = { usually: 8, afterNone: 50 };
/** Reads many functions with few calls; those that do not exist are absent. `images`: lists do not have theirs. */
export async function readFunctions(
  { service, read }: Pick<LambdaAccess, 'service' | 'read'>,
  names: readonly string[],
  images: ReadonlySet<string> = new Set(),
): Promise<ReadonlyMap<string, FunctionState>> {
  const found = new Map<string, FunctionState>();
  const wanted = new Set(names.filter((name) => !images.has(name)));
  if (wanted.size > READ_SINGLY) await readPages(service, { wanted, found });
  const missing = [...new Set(names)].filter((name) => !found.has(name));
  await Promise.all(
    missing.map(async (name) => {
      try {
        found.set(name, await read(name));
      } catch (error) {
        if (!isAwsError(error, 'ResourceNotFoundException')) throw error;
      }
    }),
  );
  return found;
}

/** Pages of the account's functions until all are found, or until asking for the rest one by one is no more work. */
async function readPages(
  service: LambdaAccess['service'],
  { wanted, found }: { wanted: ReadonlySet<string>; found: Map<string, FunctionState> },
): Promise<void> {
  const { send, ListFunctionsCommand } = await service();
  let marker: string | undefined;
  for (let pages = 0; pages < wanted.size && found.size < wanted.size; pages++) {
    let page: { Functions?: FunctionConfiguration[] | undefined; NextMarker?: string | undefined };
    try {
      page = await send(new ListFunctionsCommand({ Marker: marker }));
    } catch (error) {
      // whoever may not list may still look at what is his
      if (isAwsError(error) && error.kind === 'access-denied') return;
      throw error;
    }
    const before = found.size;
    for (const configuration of page.Functions ?? []) {
      const state = toFunctionState(configuration);
      if (wanted.has(state.name)) found.set(state.name, state);
    }
    marker = page.NextMarker || undefined;
    const enough = found.size === before ? LEFT_SINGLY.afterNone : LEFT_SINGLY.usually;
    if (marker === undefined || wanted.size - found.size <= enough) return;
  }
}
