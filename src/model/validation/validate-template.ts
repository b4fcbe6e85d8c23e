import { isServerless } from '../../template/kinds/kinds.ts';
import { isMap, mapOf, scalarText } from '../../template/template.ts';
import type { Template, TemplateValue } from '../../template/template.ts';
import { checkKeyNames, checkSectionNames } from './check-keys.ts';
import { checkReferences } from './check-references.ts';
import { checkTypes } from './check-types.ts';
import type { Findings } from './findings.ts';
import { meantName } from './typos.ts';

/** The transforms whose effect on a template is known here. */
const SAM = 'AWS::Serverless-2016-10-31';
const EXTENSIONS = 'AWS::LanguageExtensions';
const INCLUDE = 'AWS::Include';
/** AWS's others; a macro of the account has any other name. */
const OTHER_TRANSFORMS = [
  'AWS::CodeDeployBlueGreen',
  'AWS::SecretsManager-2020-07-23',
  'AWS::SecretsManager-2024-09-16',
];

/**
 * Finds what CloudFormation would refuse in a template, as far as it is certain. Expects expanded loops, with Globals and
 * intrinsic functions as written. What the checks do not know passes: custom types, macros, newer types and properties.
 */
export function validateTemplate(template: Template): Findings {
  const findings: Findings = { refused: [], doubtful: [] };
  const transforms = transformsOf(template);
  // a macro may rewrite the whole template
  const isWhole = transforms.every(({ name }) => [SAM, EXTENSIONS].includes(name));
  if (isWhole) checkSectionNames(template, findings);
  // what is in a section of another name seems to be missing everywhere
  if (findings.refused.length > 0) return findings;
  checkTransforms(template, transforms, findings);
  if (!isWhole) return findings;
  checkKeyNames(template, findings);
  checkTypes(template, findings);
  checkReferences(template, findings);
  return findings;
}

interface NamedTransform {
  name: string;
  path: readonly string[];
}

function transformsOf(template: Template): NamedTransform[] {
  const written = template['Transform'] ?? [];
  const list = Array.isArray(written) ? written : [written];
  return list.map((item, index) => ({
    name: nameOf(item),
    path: Array.isArray(written) ? ['Transform', String(index)] : ['Transform'],
  }));
}

function nameOf(transform: TemplateValue): string {
  return scalarText(isMap(transform) ? transform['Name'] : transform) ?? '';
}

function checkTransforms(template: Template, transforms: readonly NamedTransform[], findings: Findings): void {
  const known = [SAM, EXTENSIONS, INCLUDE, ...OTHER_TRANSFORMS];
  for (const { name, path } of transforms) {
    const meant = known.includes(name) ? undefined : meantTransform(name, known);
    if (meant === undefined) continue;
    findings.refused.push({ path, message: `There is no transform ${name}. Did you mean ${meant}?` });
    return;
  }
  // a macro may add it
  if (!transforms.every(({ name }) => name === EXTENSIONS)) return;
  for (const [id, resource] of Object.entries(mapOf(template['Resources']))) {
    const type = mapOf(resource)['Type'];
    if (!isServerless(type)) continue;
    const message = `${type} needs the transform of AWS SAM. Add this line at the top level: Transform: ${SAM}`;
    findings.refused.push({ path: ['Resources', id, 'Type'], message });
    return;
  }
}

/** Names that begin with `AWS::` are AWS's: one that is like SAM's is a slip even where the date differs. */
function meantTransform(name: string, known: readonly string[]): string | undefined {
  if (/^AWS::Serverless(?:-|$)/i.test(name)) return SAM;
  return name.startsWith('AWS::') ? meantName(name, known) : undefined;
}
