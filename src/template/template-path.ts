import { ownValue } from '../support/own-value.ts';
import type { Template, TemplateMap, TemplateValue } from './template.ts';
import { isMap } from './template.ts';

/** Where a value stands in a template: keys of mappings and, as decimal text, positions in lists. */
export type TemplatePath = readonly string[];

/** The value at the path, or undefined if there is none. */
export function getAt(root: TemplateValue, path: TemplatePath): TemplateValue | undefined {
  let value: TemplateValue | undefined = root;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isMap(value)) value = ownValue(value, key);
    else return undefined;
  }
  return value;
}

/** A copy with the value at the path; what is not on the way is shared with the original. Missing mappings are made. */
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
  return current.with(Number(key), setBelow(current[Number(key)], deeper, value));
}
