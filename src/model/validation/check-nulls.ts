import { isBuiltAs, isServerless } from '../../template/kinds/kinds.ts';
import type { TemplatePath } from '../../template/template-path.ts';
import { isMap, mapOf, resourcesOf } from '../../template/template.ts';
import type { Template, TemplateValue } from '../../template/template.ts';
import type { Findings } from './findings.ts';
import { attributesOf } from './known-types.ts';

const CHECKED_SECTIONS = [
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Mappings',
  'Outputs',
  'Parameters',
  'Rules',
];
/** Properties of functions that hold texts only. */
const TEXTS = ['Environment', 'Tags'];

/**
 * Checks for null, which a key without a value is: CloudFormation accepts none in sections and as the value of a property.
 * SAM's transform leaves out its own properties that are null. Deeper, a property may hold JSON, in which null has a meaning:
 * `ResultPath: null` of a state machine.
 */
export function checkNulls(template: Template, findings: Findings): void {
  for (const section of CHECKED_SECTIONS) {
    if (Object.hasOwn(template, section)) reportNulls(template[section] ?? null, [section], findings);
  }
  for (const [id, { Type: type, Properties: properties }] of resourcesOf(template)) {
    for (const [name, value] of Object.entries(mapOf(properties))) {
      const path = ['Resources', id, 'Properties', name];
      const isTexts = TEXTS.includes(name) && isBuiltAs(type, 'function');
      // what custom resources accept is theirs
      const isRefused = value === null ? attributesOf(type) !== undefined && !isServerless(type) : isTexts;
      if (isRefused) reportNulls(value, path, findings);
    }
  }
}

function reportNulls(value: TemplateValue, path: TemplatePath, findings: Findings): void {
  if (value === null) {
    const message = `${path.join('.')} has no value: CloudFormation accepts no null. Remove the key, or set a value`;
    findings.refused.push({ path, message });
    return;
  }
  if (Array.isArray(value))
    return value.forEach((item, index) => reportNulls(item, [...path, String(index)], findings));
  if (!isMap(value) || Object.hasOwn(value, 'Fn::Transform')) return;
  for (const [key, item] of Object.entries(value)) reportNulls(item, [...path, key], findings);
}
