import type { Stack } from '../../model/stack.ts';
import { localWebFunctions } from '../../model/web-functions.ts';

/** More of them are counted. */
const MOST_NAMES = 5;

/** The Web Functions with code on this machine, for a sentence; undefined: there are none. */
export function nameWebFunctions(root: Stack): string | undefined {
  const ids = localWebFunctions(root);
  if (ids.length === 0) return undefined;
  const more = ids.length - MOST_NAMES;
  return `${ids.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What `--code` does not do for Web Functions; undefined: the application has none. */
export function describeLeftOut(root: Stack): string | undefined {
  const names = nameWebFunctions(root);
  return names && `--code does not sync Web Functions: ${names}. Only a deployment updates them.`;
}
