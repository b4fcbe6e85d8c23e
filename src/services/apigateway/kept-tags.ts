import { mapOf, scalarText } from '../../template/template.ts';
import type { TemplateMap } from '../../template/template.ts';
import { tagSetting } from '../../template/kinds/setting-parts.ts';

/**
 * Adds tags of the API to its definition, because an import replaces all of them: tags of the stack and of people stay. Those that
 * a template names or no longer names (`settings`) have requests of their own. Pure.
 */
export function withKeptTags(
  document: TemplateMap,
  tags: Readonly<Record<string, string>>,
  settings: readonly string[],
): TemplateMap {
  const written = Array.isArray(document['tags']) ? document['tags'] : [];
  const names = new Set(written.map((tag) => scalarText(mapOf(tag)['name'])));
  const kept = Object.entries(tags).filter(
    // only AWS sets its own tags; they stay
    ([name]) => !names.has(name) && !name.startsWith('aws:') && !settings.includes(tagSetting(name)),
  );
  if (kept.length === 0) return document;
  const added = kept.map(([name, value]) => ({ name, 'x-amazon-apigateway-tag-value': value }));
  return { ...document, tags: [...written, ...added] };
}
