import { isServerless } from '../../template/kinds/kinds.ts';
import type { TemplatePath } from '../../template/template-path.ts';
import { isMap, mapOf } from '../../template/template.ts';
import type { Template, TemplateValue } from '../../template/template.ts';
import type { Findings } from './findings.ts';

const CHECKED_SECTIONS = [
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Mappings',
  'Outputs',
  'Parameters',
  'Rules',
];
/** The properties of SAM's types that its transform passes on as they are. */
const PASSED_ON = ['Environment', 'Tags'];

/**
 * Checks for null, which a key without a value is: CloudFormation accepts none. SAM's transform leaves out properties that
 * are null, so only those are checked that it passes on.
 */
export function checkNulls(template: Template, findings: Findings): void {
  for (const section of CHECKED_SECTIONS) {
    if (Object.hasOwn(template, section)) reportNulls(template[section] ?? null, [section], findings);
  }
  for (const [id, resource] of Object.entries(mapOf(template['Resources']))) {
    if (id.startsWith('Fn::') || !isMap(resource) || !Object.hasOwn(resource, 'Properties')) continue;
    const at = ['Resources', id, 'Properties'];
    const properties = resource['Properties'] ?? null;
    if (!isServerless(resource['Type'])) reportNulls(properties, at, findings);
    else
      for (const name of PASSED_ON.filter((key) => isMap(mapOf(properties)[key])))
        reportNulls(mapOf(properties)[name] ?? null, [...at, name], findings);
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
