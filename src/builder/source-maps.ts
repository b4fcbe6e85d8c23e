import { readEsbuildProperties } from '../model/esbuild-properties.ts';
import type { FunctionResource, WebFunctionResource } from '../model/stack.ts';
import type { Draft } from '../template/draft.ts';
import { globalsSection, isServerless, kindOf } from '../template/kinds/kinds.ts';
import { getAt, setAt } from '../template/template-path.ts';
import type { TemplatePath } from '../template/template-path.ts';
import { isIntrinsic, mapOf, scalarText } from '../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../template/template.ts';

type Runnable = FunctionResource | WebFunctionResource;

const SOURCE_MAPS = '--enable-source-maps';

/** Where the resource's properties hold its environment variables. */
function variablesPath({ type }: Runnable): TemplatePath {
  return kindOf(type)?.variables ?? [];
}

/** `NODE_OPTIONS` with `--enable-source-maps` turns source maps on, as SAM CLI has it. */
export function wantsSourceMaps(resource: Runnable): boolean {
  const variables = variablesPath(resource).reduce((map, key) => mapOf(map[key]), resource.properties);
  const nodeOptions = scalarText(variables['NODE_OPTIONS']);
  return nodeOptions?.split(/\s+/).includes(SOURCE_MAPS) ?? false;
}

/** `NODE_OPTIONS` with source maps on, in the form in which SAM CLI writes it, so that both deploy the same text. */
export function turnOnSourceMaps(draft: Draft, resource: Runnable): void {
  if (wantsSourceMaps(resource) || isClosed(draft.get, resource)) return;
  const nodeOptions = [...variablesPath(resource), 'NODE_OPTIONS'];
  const own = ['Resources', resource.logicalId, 'Properties', ...nodeOptions];
  const shared = isServerless(resource.type)
    ? draft.get(['Globals', globalsSection(resource.type), ...nodeOptions])
    : undefined;
  const before = draft.get(own) ?? shared ?? '';
  draft.set(own, addSourceMaps(before));
}

function addSourceMaps(options: TemplateValue): TemplateValue {
  const text = scalarText(options);
  return text === undefined ? { 'Fn::Join': [' ', [options, SOURCE_MAPS]] } : `${text} ${SOURCE_MAPS}`;
}

/** The properties of a built function with source maps on, as the built template has them. */
export function withSourceMaps(template: Template, resource: FunctionResource): TemplateMap {
  const { properties } = resource;
  if (wantsSourceMaps(resource) || isClosed((at) => getAt(template, at), resource)) return properties;
  const at = [...variablesPath(resource), 'NODE_OPTIONS'];
  return setAt(properties, at, addSourceMaps(getAt(properties, at) ?? ''));
}

/** Returns why a function will not use the source maps of its bundle; undefined if it will. */
export function sourceMapsProblem(template: Template, resource: Runnable): string | undefined {
  const { sourcemap = false } = readEsbuildProperties(resource.buildProperties).options;
  if (sourcemap === false || wantsSourceMaps(resource)) return undefined;
  if (!isClosed((at) => getAt(template, at), resource)) return undefined;
  const [property = ''] = variablesPath(resource);
  return `Sourcemap is on, but ${property} is an intrinsic function, to which ${SOURCE_MAPS} cannot be added: add NODE_OPTIONS: ${SOURCE_MAPS} to its values`;
}

/** An environment that is an intrinsic function as a whole cannot be added to, here or in `Globals`: SAM merges the two. */
function isClosed(get: (at: TemplatePath) => TemplateValue | undefined, resource: Runnable): boolean {
  const places: TemplatePath[] = [['Resources', resource.logicalId, 'Properties']];
  if (isServerless(resource.type)) places.push(['Globals', globalsSection(resource.type)]);
  const variables = variablesPath(resource);
  return places.some((at) =>
    variables.some((_key, index) => isIntrinsic(get([...at, ...variables.slice(0, index + 1)]))),
  );
}
