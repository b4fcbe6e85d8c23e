import { isServerless } from '../../template/kinds/kinds.ts';
import { mapOf } from '../../template/template.ts';
import type { Template } from '../../template/template.ts';
import { EXTENSIONS_TRANSFORM, SERVERLESS_TRANSFORM, transformsOf } from '../../template/transforms.ts';
import type { Transform } from '../../template/transforms.ts';
import { checkEnvironment } from './check-environment.ts';
import { checkGlobals } from './check-globals.ts';
import { checkKeyNames, checkSectionNames } from './check-keys.ts';
import { checkNulls } from './check-nulls.ts';
import { checkReferences } from './check-references.ts';
import { checkTypes } from './check-types.ts';
import type { Findings } from './findings.ts';
import { meantName } from './typos.ts';

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
  const isWhole = transforms.every(({ name }) => [SERVERLESS_TRANSFORM, EXTENSIONS_TRANSFORM].includes(name));
  if (isWhole) checkSectionNames(template, findings);
  // what is in a section of another name seems to be missing everywhere
  if (findings.refused.length > 0) return findings;
  checkTransforms(template, transforms, findings);
  if (!isWhole) return findings;
  checkKeyNames(template, findings);
  checkTypes(template, findings);
  checkGlobals(template, findings);
  checkNulls(template, findings);
  checkEnvironment(template, findings);
  checkReferences(template, findings);
  return findings;
}

function checkTransforms(template: Template, transforms: readonly Transform[], findings: Findings): void {
  const known = [SERVERLESS_TRANSFORM, EXTENSIONS_TRANSFORM, INCLUDE, ...OTHER_TRANSFORMS];
  for (const { name, path } of transforms) {
    const meant = known.includes(name) ? undefined : meantTransform(name, known);
    if (meant === undefined) continue;
    findings.refused.push({ path, message: `There is no transform ${name}. Did you mean ${meant}?` });
    return;
  }
  // a macro may add it
  if (!transforms.every(({ name }) => name === EXTENSIONS_TRANSFORM)) return;
  for (const [id, resource] of Object.entries(mapOf(template['Resources']))) {
    const type = mapOf(resource)['Type'];
    if (!isServerless(type)) continue;
    const message = `${type} needs the transform of AWS SAM. Add this line at the top level: Transform: ${SERVERLESS_TRANSFORM}`;
    findings.refused.push({ path: ['Resources', id, 'Type'], message });
    return;
  }
}

/** Names that begin with `AWS::` are AWS's: one that is like SAM's is a slip even where the date differs. */
function meantTransform(name: string, known: readonly string[]): string | undefined {
  if (/^AWS:{1,2}Serverless(?:-|$)/i.test(name)) return SERVERLESS_TRANSFORM;
  return name.startsWith('AWS:') ? meantName(name, known) : undefined;
}
