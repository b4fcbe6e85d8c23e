import type { PatchOperation, RestApi } from '@aws-sdk/client-api-gateway';
import { scalarText } from '../../template/template.ts';
import type { TemplateMap } from '../../template/template.ts';
import { toJson } from '../definition-text.ts';

/** Settings of an API by the path of their patch, and their property in the template. */
const SETTINGS = [
  ['/name', 'Name'],
  ['/description', 'Description'],
  ['/apiKeySource', 'ApiKeySourceType'],
  ['/minimumCompressionSize', 'MinimumCompressionSize'],
  ['/disableExecuteApiEndpoint', 'DisableExecuteApiEndpoint'],
] as const;

const BINARY_TYPES = '/binaryMediaTypes/';

/** Lists the settings that the template has for the API itself. As in a deployment, they win over its definition. Pure. */
export function settingPatches(properties: TemplateMap): PatchOperation[] {
  const texts = SETTINGS.map(([path, property]) => ({ path, value: scalarText(properties[property]) }));
  const patches: PatchOperation[] = texts
    .filter(({ value }) => value !== undefined)
    .map(({ path, value }) => ({ op: 'replace', path, value }));
  const { BinaryMediaTypes, Policy } = properties;
  for (const type of Array.isArray(BinaryMediaTypes) ? BinaryMediaTypes : []) {
    patches.push({ op: 'add', path: binaryTypePath(scalarText(type)?.replaceAll('~1', '/') ?? '') });
  }
  if (Policy !== undefined && Policy !== null) {
    patches.push({ op: 'replace', path: '/policy', value: scalarText(Policy) ?? toJson(Policy) });
  }
  return patches;
}

/** Selects the patches that the API still needs after the import of its definition. Pure. */
export function neededPatches(patches: readonly PatchOperation[], api: RestApi): PatchOperation[] {
  const has = new Map<string | undefined, string | undefined>([
    ['/name', api.name],
    ['/description', api.description],
    ['/apiKeySource', api.apiKeySource],
    ['/minimumCompressionSize', api.minimumCompressionSize?.toString()],
    ['/disableExecuteApiEndpoint', String(api.disableExecuteApiEndpoint ?? false)],
  ]);
  const types = new Set(api.binaryMediaTypes?.map(binaryTypePath));
  return patches.filter(({ path, value }) => {
    if (path === '/policy') return !api.policy;
    return path?.startsWith(BINARY_TYPES) === true ? !types.has(path) : has.get(path) !== value;
  });
}

/** Escapes `/` and `~` of a media type as in a JSON pointer. */
function binaryTypePath(type: string): string {
  return `${BINARY_TYPES}${type.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
