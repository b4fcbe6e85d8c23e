import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { isAwsError } from '../../aws/service-errors.ts';
import { toFunctionState } from './function-state.ts';
import type { FunctionState } from './function-state.ts';
import type { Service } from '../../aws/aws.ts';

/** Reads functions of Lambda. */
interface FunctionReader {
  service(): Promise<Service<'lambda'>>;
  read(name: string): Promise<FunctionState>;
}

/** Up to this many functions are read one by one; for more, a page of the account's list (50 functions) is read first. */
const READ_SINGLY = 2;
/**
 * When this few are left, they are read one by one, in parallel, instead of page by page. After a page with none of them, as in
 * an account with many other functions, the limit is higher.
 */
const LEFT_SINGLY = { usually: 8, afterNone: 50 };
/** Reads many functions with few calls; those that do not exist are absent. `images`: lists do not have theirs. */
export async function readFunctions(
  { service, read }: FunctionReader,
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

/** Reads pages of the account's functions until all are found, or until reading the rest one by one takes no more calls. */
async function readPages(
  service: FunctionReader['service'],
  { wanted, found }: { wanted: ReadonlySet<string>; found: Map<string, FunctionState> },
): Promise<void> {
  const { send, ListFunctionsCommand } = await service();
  let marker: string | undefined;
  for (let pages = 0; pages < wanted.size && found.size < wanted.size; pages++) {
    let page: { Functions?: FunctionConfiguration[] | undefined; NextMarker?: string | undefined };
    try {
      page = await send(new ListFunctionsCommand({ Marker: marker }));
    } catch (error) {
      // without permission to list, reading single functions may still be allowed
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
