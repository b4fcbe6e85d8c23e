import type { TemplatePath } from './template-path.ts';
import { isMap, scalarText } from './template.ts';
import type { Template, TemplateValue } from './template.ts';

/** The transform of AWS SAM. */
export const SERVERLESS_TRANSFORM = 'AWS::Serverless-2016-10-31';
/** The transform that expands loops. */
export const EXTENSIONS_TRANSFORM = 'AWS::LanguageExtensions';

/** A transform of a whole template. */
export interface Transform {
  /** Empty if it has none. */
  name: string;
  /** As written: a name, or a mapping with `Name` and `Parameters`. */
  value: TemplateValue;
  path: TemplatePath;
}

/** Lists the transforms of the whole template, which has one or a list of them. Pure. */
export function transformsOf(template: Template): Transform[] {
  const written = template['Transform'] ?? [];
  if (!Array.isArray(written)) return [{ name: nameOf(written), value: written, path: ['Transform'] }];
  return written.map((value, index) => ({ name: nameOf(value), value, path: ['Transform', String(index)] }));
}

function nameOf(transform: TemplateValue): string {
  return scalarText(isMap(transform) ? transform['Name'] : transform) ?? '';
}
