import { flattenStacks, identifierOf } from '../../model/stack.ts';
import type { Stack } from '../../model/stack.ts';
import { localWebFunctions } from '../../model/web-functions.ts';
import { isBuiltAs, isSyncable } from '../../template/kinds/kinds.ts';
import { findLocalPaths } from '../../template/local-paths.ts';

/** More of them are counted. */
const MOST_NAMES = 5;

/** The Web Functions with code on this machine, for a sentence; undefined: there are none. */
export function nameWebFunctions(root: Stack): string | undefined {
  return listNames(localWebFunctions(root));
}

/** What `--code` does not sync of the files here; undefined: nothing. */
export function describeLeftOut(root: Stack): string | undefined {
  const webFunctions = nameWebFunctions(root);
  const others = listNames(deployedFiles(root));
  const sentences = [
    ...(webFunctions === undefined
      ? []
      : [`--code does not sync Web Functions: ${webFunctions}. Only a deployment updates them.`]),
    ...(others === undefined ? [] : [`--code does not sync the files of ${others}. Only a deployment updates them.`]),
  ];
  return sentences.length === 0 ? undefined : sentences.join(' ');
}

/** Resources with files here, such as a GraphQL schema, whose type no code sync updates. */
function deployedFiles(root: Stack): string[] {
  const ids = flattenStacks(root).flatMap((stack) =>
    findLocalPaths(stack.source, stack.resolved).flatMap(({ logicalId, type, content }) => {
      const isSynced = isSyncable(type) || isBuiltAs(type, 'web-function');
      return logicalId === undefined || content === 'template' || isSynced ? [] : [identifierOf(stack.path, logicalId)];
    }),
  );
  return [...new Set(ids)];
}

function listNames(ids: readonly string[]): string | undefined {
  if (ids.length === 0) return undefined;
  const more = ids.length - MOST_NAMES;
  return `${ids.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
