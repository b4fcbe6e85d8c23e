import { within } from './budget.ts';
import { includeLocation } from './intrinsics.ts';
import type { Scope } from './scope.ts';
import type { TemplatePath } from './template-path.ts';
import { isMap } from './template.ts';
import type { Template, TemplateMap, TemplateValue } from './template.ts';
import { transformsOf } from './transforms.ts';

/** A file that an `Fn::Transform` (or the template's `Transform`) includes. */
export interface IncludedFile {
  /** Path of its `Location`. */
  path: TemplatePath;
  /** As written, or resolved if it is an intrinsic. */
  location: string;
}

/** Finds all `AWS::Include` in a template, at any depth, whose location is a text. */
export function findIncludes(template: Template, scope: Scope): IncludedFile[] {
  const found: IncludedFile[] = [];
  collect(template, [], (map, path) => {
    const location = within(path, () => includeLocation(map, scope));
    if (location !== undefined) found.push({ path: [...path, 'Fn::Transform', 'Parameters', 'Location'], location });
  });
  found.push(...topLevelIncludes(template, scope));
  return found;
}

function collect(
  value: TemplateValue,
  path: TemplatePath,
  visit: (map: TemplateMap, path: TemplatePath) => void,
): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (typeof item === 'object') collect(item, [...path, String(index)], visit);
    }
  } else if (isMap(value)) {
    if (Object.hasOwn(value, 'Fn::Transform')) visit(value, path);
    for (const key in value) {
      const item = value[key] as TemplateValue;
      if (typeof item === 'object') collect(item, [...path, key], visit);
    }
  }
}

/** `Transform: {Name: AWS::Include, …}`, alone or in the list of transforms. */
function topLevelIncludes(template: Template, scope: Scope): IncludedFile[] {
  return transformsOf(template).flatMap(({ value, path }) => {
    const location = includeLocation({ 'Fn::Transform': value }, scope);
    return location === undefined ? [] : [{ path: [...path, 'Parameters', 'Location'], location }];
  });
}
