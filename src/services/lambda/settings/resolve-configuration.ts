import type { BuiltProperties } from '../../../builder/build-result.ts';
import { withSourceMaps } from '../../../builder/source-maps.ts';
import type { Setting } from '../../../template/kinds/direct-settings.ts';
import type { TemplateMap } from '../../../template/template.ts';
import type { ServiceContext } from '../../service-context.ts';
import { resolveSettings } from '../../resolve-settings.ts';
import type { ResolvedSettings } from '../../resolve-settings.ts';
import { layerArnOf } from '../layers/layer-versions.ts';
import type { LocatedFunction } from '../located-function.ts';

/** Resolves the function's settings as a deployment would. Those that cannot be resolved wait for it. */
export async function resolveConfiguration(
  tools: ServiceContext,
  fn: LocatedFunction,
  built: BuiltProperties,
): Promise<ResolvedSettings> {
  const { resource, stack } = fn;
  const properties = builtProperties(fn, built);
  const { type } = resource;
  const { settings: resolved, waiting } = await resolveSettings(tools, { type, properties, stack, names: fn.settings });
  const settings = new Map(resolved);
  const layers = resolved.get('Layers');
  if (layers !== undefined) settings.set('Layers', { ...layers, value: withVersions(tools, fn, layers.value) });
  return { settings, waiting };
}

/** The properties as the built template has them. */
function builtProperties({ resource, stack }: LocatedFunction, { handlers, sourceMaps }: BuiltProperties): TemplateMap {
  const { id } = resource;
  const properties = sourceMaps.has(id) ? withSourceMaps(stack.source, resource) : resource.properties;
  const handler = handlers.get(id);
  return handler === undefined ? properties : { ...properties, Handler: handler };
}

/** Layers of the application keep the version that a code sync gave the function; others have the version of the template. */
function withVersions({ facts }: ServiceContext, { references, state }: LocatedFunction, layers: Setting): Setting {
  return (layers as readonly string[]).map((arn, index) => {
    if (typeof references[index] !== 'object') return arn;
    const layer = layerArnOf(arn);
    return state.layers.find((used) => layerArnOf(used) === layer) ?? facts.publishedLayers[layer] ?? arn;
  });
}
