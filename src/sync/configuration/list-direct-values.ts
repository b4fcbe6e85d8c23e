import { ownValue } from '../../support/own-value.ts';
import type { DescribedResource } from '../code/code-sync-requests.ts';

/**
 * What a resource would be given, for people: `MemorySize = 256`, `Tags.Team removed`; of a change that is no parameter of a request,
 * such as `code` or `version for live`, its name. Members that only address the resource are left out. Pure.
 */
export function listDirectValues({ changes, requests }: Pick<DescribedResource, 'changes' | 'requests'>): string[] {
  const patched = Object.assign({}, ...requests.map(({ values }) => values)) as Record<string, unknown>;
  const known = Object.assign({}, ...requests.map(({ parameters }) => withTags(parameters))) as Record<string, unknown>;
  const own = Object.entries(patched).filter(([name]) => !changes.includes(name));
  return [
    ...changes.map((name) => describeValue(name, ownValue(patched, name) ?? ownValue(known, name))),
    ...own.map(([name, value]) => describeValue(name, value)),
  ];
}

/** The parameters, with each tag under the name of its setting. */
function withTags(parameters: object): Record<string, unknown> {
  const { Tags = {}, TagKeys = [] } = parameters as { Tags?: Record<string, unknown>; TagKeys?: readonly string[] };
  const set = Object.entries(Tags).map(([key, value]) => [`Tags.${key}`, value]);
  return { ...parameters, ...Object.fromEntries([...set, ...TagKeys.map((key) => [`Tags.${key}`, null])]) };
}

function describeValue(name: string, value: unknown): string {
  if (value === undefined) return name;
  return value === null ? `${name} removed` : `${name} = ${JSON.stringify(value)}`;
}
