import { childParameters } from '../../model/nested-parameters.ts';
import type { ResourceIdentifier, Stack } from '../../model/stack.ts';
import { identifierOf } from '../../model/stack.ts';
import { expandLoops, usesLanguageExtensions } from '../../template/language-extensions.ts';
import { readParameters } from '../../template/parameters.ts';
import type { GivenParameters } from '../../template/parameters.ts';
import { createScope, resolveTemplate } from '../../template/resolve-template.ts';
import { mapOf, resourceOf } from '../../template/template.ts';
import type { Template } from '../../template/template.ts';

/** Templates as a deployment sends them, and the values to resolve them with. */
export interface TemplateViewInput {
  /** The template of a stack by its path; undefined: there is none. */
  read(path: ResourceIdentifier): Promise<Template | undefined>;
  /** Parameters of the root stack. */
  given: GivenParameters;
  pseudo: Readonly<Record<string, string>>;
  languageExtensions: boolean | undefined;
}

/** Resolves templates that are in no file, with the nested stacks of `shape`; undefined: there is no template. */
export async function viewTemplates(input: TemplateViewInput, shape: Stack): Promise<Stack | undefined> {
  return viewStack(input, shape, input.given);
}

async function viewStack(input: TemplateViewInput, shape: Stack, given: GivenParameters): Promise<Stack | undefined> {
  const template = await input.read(shape.path);
  if (template === undefined) return undefined;
  const parameters = readParameters(template, given);
  const known = { parameters, pseudoParameters: input.pseudo, includes: new Map() };
  const isLooping = usesLanguageExtensions(template, input.languageExtensions);
  const source = isLooping ? expandLoops(template, createScope(template, known), 'all').template : template;
  const resolved = resolveTemplate(source, createScope(source, known));
  const children = await Promise.all(
    shape.children.map(async (child) => {
      const { Parameters: passed } = mapOf(resourceOf(resolved, child.logicalId ?? '')['Properties']);
      const nested = (await input.read(identifierOf(shape.path, child.logicalId ?? ''))) ?? {};
      return viewStack(input, child, childParameters(passed, nested));
    }),
  );
  return {
    ...shape,
    source,
    resolved,
    parameters: parameters.texts,
    children: children.filter((child) => child !== undefined),
  };
}
