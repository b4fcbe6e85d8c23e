import { ownValue } from '../support/own-value.ts';
import type { Template, TemplateMap, TemplateValue } from './template.ts';
import { isMap } from './template.ts';

/** The path of a value in a template: keys of mappings and, as decimal text, indices of lists. */
export type TemplatePath = readonly string[];

/** Returns the value at the path, if there is one. */
export function getAt(root: TemplateValue, path: TemplatePath): TemplateValue | undefined {
  let value: TemplateValue | undefined = root;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isMap(value)) value = ownValue(value, key);
    else return undefined;
  }
  return value;
}

/** Returns a copy with the value at the path, creating missing mappings. Everything off the path is shared. */
export function setAt(template: Template, path: TemplatePath, value: TemplateValue): Template {
  return setInMap(template, path, value);
}

function setInMap(map: TemplateMap, path: TemplatePath, value: TemplateValue): TemplateMap {
  const [key, ...rest] = path;
  if (key === undefined) return map;
  return { ...map, [key]: setBelow(ownValue(map, key), rest, value) };
}

function setBelow(current: TemplateValue | undefined, rest: TemplatePath, value: TemplateValue): TemplateValue {
  const [key, ...deeper] = rest;
  if (key === undefined) return value;
  if (!Array.isArray(current)) return setInMap(isMap(current) ? current : {}, rest, value);
  const index = Number(key);
  // a list where a mapping belongs: the checks of the template report it
  return index in current ? current.with(index, setBelow(current[index], deeper, value)) : current;
}
