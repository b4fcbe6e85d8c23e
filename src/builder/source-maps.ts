import { readEsbuildProperties } from '../model/esbuild-properties.ts';
import type { FunctionResource } from '../model/stack.ts';
import type { Draft } from '../template/draft.ts';
import { getAt } from '../template/template-path.ts';
import type { TemplatePath } from '../template/template-path.ts';
import { isIntrinsic, isMap, mapOf, scalarText } from '../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../template/template.ts';

const SOURCE_MAPS = '--enable-source-maps';
const NODE_OPTIONS = ['Environment', 'Variables', 'NODE_OPTIONS'];

/** `NODE_OPTIONS` with `--enable-source-maps` turns source maps on, as SAM CLI has it. */
export function wantsSourceMaps(properties: TemplateMap): boolean {
  const environment = properties['Environment'];
  const variables = isMap(environment) ? environment['Variables'] : undefined;
  const nodeOptions = isMap(variables) ? scalarText(variables['NODE_OPTIONS']) : undefined;
  return nodeOptions?.split(/\s+/).includes(SOURCE_MAPS) ?? false;
}

/** `NODE_OPTIONS` with source maps on, in the form in which SAM CLI writes it, so that both deploy the same text. */
export function turnOnSourceMaps(draft: Draft, resource: FunctionResource): void {
  if (wantsSourceMaps(resource.properties) || isClosed(draft.get, resource)) return;
  const own = ['Resources', resource.logicalId, 'Properties', ...NODE_OPTIONS];
  const shared = isServerless(resource) ? draft.get(['Globals', 'Function', ...NODE_OPTIONS]) : undefined;
  const before = draft.get(own) ?? shared ?? '';
  const text = scalarText(before);
  const after = text === undefined ? { 'Fn::Join': [' ', [before, SOURCE_MAPS]] } : `${text} ${SOURCE_MAPS}`;
  draft.set(own, after);
}

/** Why a function whose bundle has source maps will not use them; undefined: it will. */
export function whyNoSourceMaps(template: Template, resource: FunctionResource): string | undefined {
  const { sourcemap = false } = readEsbuildProperties(resource.buildProperties).options;
  if (sourcemap === false || wantsSourceMaps(resource.properties)) return undefined;
  if (!isClosed((at) => getAt(template, at), resource)) return undefined;
  return `Sourcemap is on, but Environment is an intrinsic function, to which ${SOURCE_MAPS} cannot be added: add NODE_OPTIONS: ${SOURCE_MAPS} to its values`;
}

/** An environment that is an intrinsic function as a whole cannot be added to, here or in `Globals`: SAM merges the two. */
function isClosed(get: (at: TemplatePath) => TemplateValue | undefined, resource: FunctionResource): boolean {
  const places: TemplatePath[] = [['Resources', resource.logicalId, 'Properties', 'Environment']];
  if (isServerless(resource)) places.push(['Globals', 'Function', 'Environment']);
  return places.some((at) => {
    const environment = get(at);
    return isIntrinsic(environment) || isIntrinsic(mapOf(environment)['Variables']);
  });
}

function isServerless({ type }: FunctionResource): boolean {
  return type === 'AWS::Serverless::Function';
}
