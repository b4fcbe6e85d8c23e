import { mapOf } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { corsMethod } from './cors-method.ts';
import { corsSettings, isOpenApi3, schemaDepth } from './generated-parts.ts';

/**
 * Adds what SAM adds to a definition in the template for `Cors` of a REST API: an OPTIONS method to each path without one.
 * undefined: only SAM knows it. Pure.
 */
export function addCors(document: TemplateMap, properties: TemplateMap): TemplateMap | undefined {
  const cors = corsSettings(properties['Cors']);
  if (cors === undefined) return document;
  if (cors === 'unknown') return undefined;
  const depth = isOpenApi3(document) ? schemaDepth(properties) : 0;
  const seen = new Set<string>();
  const paths = Object.entries(mapOf(document['paths'])).map(([path, item]): [string, TemplateValue] => {
    // API Gateway takes `/path` and `/path/` for the same resource
    const name = path === '/' ? path : path.replace(/\/+$/, '');
    const isDone = seen.has(name) || Object.hasOwn(mapOf(item), 'options');
    seen.add(name);
    return [path, isDone ? item : { ...mapOf(item), options: corsMethod(cors, Object.keys(mapOf(item)), depth) }];
  });
  return { ...document, paths: Object.fromEntries(paths) };
}
