import { ownValue, setOwn } from '../support/own-value.ts';
import { getAt, setAt } from './template-path.ts';
import type { TemplatePath } from './template-path.ts';
import { isMap, mapOf } from './template.ts';
import type { Template, TemplateMap, TemplateValue } from './template.ts';

/** A template under change. Copies each resource at most once, however often it changes. */
export interface Draft {
  get(at: TemplatePath): TemplateValue | undefined;
  set(at: TemplatePath, value: TemplateValue): void;
  /** Returns the changed template. The original stays unchanged. */
  finish(): Template;
}

/** Starts changing a template. */
export function openDraft(source: Template): Draft {
  let rest = source;
  const resources: TemplateMap = { ...mapOf(source['Resources']) };
  return {
    get: (at) => (isResource(at) ? getAt(resources, at.slice(1)) : getAt(rest, at)),
    set: (at, value) => {
      const [, logicalId = '', ...below] = at;
      if (!isResource(at)) rest = setAt(rest, at, value);
      else if (below.length === 0) setOwn(resources, logicalId, value);
      else setOwn(resources, logicalId, setAt(mapOf(ownValue(resources, logicalId)), below, value));
    },
    finish: () => (isMap(source['Resources']) ? { ...rest, Resources: resources } : rest),
  };
}

function isResource(at: TemplatePath): boolean {
  return at[0] === 'Resources' && at.length > 1;
}
