import { isServerless, pathProperties } from '../../template/kinds/kinds.ts';
import { isMap, mapOf, scalarText } from '../../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../../template/template.ts';
import type { Findings } from './findings.ts';
import { meantName } from './typos.ts';

const SECTIONS = [
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Globals',
  'Hooks',
  'Mappings',
  'Metadata',
  'Outputs',
  'Parameters',
  'Resources',
  'Rules',
  'Transform',
];
const RESOURCE_KEYS = [
  'Condition',
  'Connectors',
  'CreationPolicy',
  'DeletionPolicy',
  'DependsOn',
  'IgnoreGlobals',
  'Metadata',
  'Properties',
  'Type',
  'UpdatePolicy',
  'UpdateReplacePolicy',
];

const PARAMETER_KEYS = [
  'AllowedPattern',
  'AllowedValues',
  'ConstraintDescription',
  'Default',
  'Description',
  'MaxLength',
  'MaxValue',
  'MinLength',
  'MinValue',
  'NoEcho',
  'Type',
];
const OUTPUT_KEYS = ['Condition', 'Description', 'Export', 'Value'];
/** Those that are no resource types of AWS. */
const PARAMETER_TYPES = ['CommaDelimitedList', 'List<Number>', 'List<String>', 'Number', 'String'];
const FORMAT_VERSION = '2010-09-09';

/** Checks the names of sections. A section that is not read would make everything that refers to it look wrong. */
export function checkSectionNames(template: Template, findings: Findings): void {
  checkNames(template, SECTIONS, { path: [], owner: 'The template', findings });
}

/** Checks the keys of resources, parameters and outputs, the types of parameters and the version of the format. */
export function checkKeyNames(template: Template, findings: Findings): void {
  const version = scalarText(template['AWSTemplateFormatVersion']) ?? FORMAT_VERSION;
  if (version !== FORMAT_VERSION) {
    const message = `AWSTemplateFormatVersion must be ${FORMAT_VERSION}, not ${version}`;
    findings.refused.push({ path: ['AWSTemplateFormatVersion'], message });
  }
  checkEntries('Resources', { names: RESOURCE_KEYS, owner: 'A resource' }, { template, findings });
  checkEntries('Parameters', { names: PARAMETER_KEYS, owner: 'A parameter' }, { template, findings });
  checkEntries('Outputs', { names: OUTPUT_KEYS, owner: 'An output' }, { template, findings });
  for (const [id, parameter] of Object.entries(mapOf(template['Parameters']))) {
    const type = scalarText(mapOf(parameter)['Type']) ?? 'String';
    const meant = PARAMETER_TYPES.includes(type) ? undefined : meantName(type, PARAMETER_TYPES);
    if (meant === undefined) continue;
    const message = `${type} is not a parameter type. Did you mean ${meant}?`;
    findings.refused.push({ path: ['Parameters', id, 'Type'], message });
  }
}

function checkEntries(
  section: string,
  expected: { names: readonly string[]; owner: string },
  { template, findings }: { template: Template; findings: Findings },
): void {
  for (const [id, value] of Object.entries(mapOf(template[section]))) {
    if (id.startsWith('Fn::') || !isMap(value) || 'Fn::Transform' in value) continue;
    const ignores = section === 'Resources' ? ignoredBySam(value['Type']) : undefined;
    checkNames(value, expected.names, { path: [section, id], owner: expected.owner, ignores, findings });
  }
}

/** SAM's transform ignores keys that it does not know. What is built cannot do without its properties. */
function ignoredBySam(type: TemplateValue | undefined): ((meant: string) => boolean) | undefined {
  if (!isServerless(type)) return undefined;
  const isBuilt = pathProperties(type, 'code').length > 0;
  return (meant) => meant !== 'Properties' || !isBuilt;
}

interface NamePlace {
  path: readonly string[];
  owner: string;
  /** Whether a slip of this name has no effect, instead of being refused. */
  ignores?: ((meant: string) => boolean) | undefined;
  findings: Findings;
}

/** Reports keys that are slips of these names; others may be newer than the names. */
function checkNames(value: TemplateMap, names: readonly string[], { path, owner, ignores, findings }: NamePlace): void {
  for (const key of Object.keys(value)) {
    if (names.includes(key)) continue;
    const free = names.filter((name) => !Object.hasOwn(value, name));
    const meant = meantName(key, free);
    const what = path.length === 0 ? 'section' : 'attribute';
    if (meant === undefined) continue;
    if (ignores?.(meant)) {
      findings.doubtful.push({ path: [...path, key], message: `AWS SAM ignores ${key}. Did you mean ${meant}?` });
      continue;
    }
    const message = `${owner} has no ${what} ${key}. Did you mean ${meant}?`;
    findings.refused.push({ path: [...path, key], message, meant: [meant] });
  }
}
