import { flattenStacks, splitIdentifier } from '../../model/stack.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { writtenText } from '../../services/lambda/versions/version-names.ts';
import { mergeGlobals } from '../../template/globals.ts';
import { kindOf } from '../../template/kinds/kinds.ts';
import { mapOf, resourceOf } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import { EXTENSIONS_TRANSFORM, transformsOf } from '../../template/transforms.ts';

/**
 * Lists those of the changed settings for which a deployment publishes a version of the function. SAM names versions by what
 * the template writes, so a changed parameter publishes none. Pure.
 */
export function publishedSettings(
  before: Stack,
  after: Stack,
  { id, names }: { id: ResourceIdentifier; names: readonly string[] },
): readonly string[] {
  const [were, are] = [before, after].map((root) => writtenProperties(root, id));
  const { versioned } = kindOf(are?.type) ?? {};
  if (were === undefined || are === undefined || versioned?.settings === undefined) return [];
  const { onlyWith = '', namedBy = '', settings } = versioned;
  if (were.properties[onlyWith] === undefined || are.properties[namedBy] !== undefined) return [];
  return names.filter(
    (name) => settings.includes(name) && writtenText(were.properties, name) !== writtenText(are.properties, name),
  );
}

/** The properties of the resource as SAM gets them; undefined: other transforms change them before. */
function writtenProperties(
  root: Stack,
  id: ResourceIdentifier,
): { type: TemplateValue | undefined; properties: TemplateMap } | undefined {
  const { stackPath, logicalId } = splitIdentifier(id);
  const stack = flattenStacks(root).find(({ path }) => path === stackPath);
  if (stack === undefined || transformsOf(stack.source).some(({ name }) => name === EXTENSIONS_TRANSFORM))
    return undefined;
  const { Type: type, Properties: properties } = resourceOf(mergeGlobals(stack.source), logicalId);
  return { type, properties: mapOf(properties) };
}
