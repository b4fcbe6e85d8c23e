import { nearestName } from '../../support/nearest-name.ts';
import { ownValue } from '../../support/own-value.ts';
import { isServerless, kindOf } from '../../template/kinds/kinds.ts';
import { isMap, mapOf } from '../../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../../template/template.ts';
import type { Findings } from './findings.ts';
import { attributesOf, KNOWN_SINCE } from './known-types.ts';
import { findReferences, INTRINSIC_FUNCTIONS } from './references.ts';
import type { Reference } from './references.ts';
import { meantName } from './typos.ts';

const PSEUDO_PARAMETERS = [
  'AWS::AccountId',
  'AWS::NoValue',
  'AWS::NotificationARNs',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
];

/** Checks that what the template refers to is there. */
export function checkReferences(template: Template, findings: Findings): void {
  for (const reference of findReferences(template)) {
    if (reference.to === 'function') {
      checkFunction(reference, findings);
      continue;
    }
    const message = check(reference, template);
    if (message !== undefined) findings.refused.push({ path: reference.path, message });
    else checkAttribute(reference, template, findings);
  }
}

function checkFunction({ name, path }: Reference, findings: Findings): void {
  const meant = meantName(name.slice('Fn::'.length), [...INTRINSIC_FUNCTIONS, 'Ref']);
  const message = `${name} is not an intrinsic function`;
  if (meant === undefined) findings.doubtful.push({ path, message: `${message}, as of ${KNOWN_SINCE}` });
  else findings.refused.push({ path, message: `${message}. Did you mean ${meant === 'Ref' ? '' : 'Fn::'}${meant}?` });
}

function check({ to, name, shown }: Reference, template: Template): string | undefined {
  if (to === 'condition' || to === 'mapping') {
    const entries = mapOf(template[to === 'condition' ? 'Conditions' : 'Mappings']);
    if (Object.hasOwn(entries, name) || isOpen(entries) || (to === 'condition' && isGeneratedCondition(name)))
      return undefined;
    return missing(shown, `${to} ${name}`, nearestName(name, Object.keys(entries)));
  }
  const resources = mapOf(template['Resources']);
  const values = to === 'value' ? [...PSEUDO_PARAMETERS, ...Object.keys(mapOf(template['Parameters']))] : [];
  if (Object.hasOwn(resources, name) || values.includes(name)) return undefined;
  const near = nearestName(name, [...Object.keys(resources), ...values, ...implicitIds(resources)]);
  // a later CloudFormation may have more of them
  if (name.startsWith('AWS::'))
    return near === undefined ? undefined : missing(shown, `pseudo parameter ${name}`, near);
  if (isOpen(resources) || mayBeGenerated(name, resources)) return undefined;
  return missing(shown, to === 'value' ? `parameter or resource ${name}` : `resource ${name}`, near);
}

function missing(shown: string, what: string, near: string | undefined): string {
  return `${shown}: the template has no ${what}.${near === undefined ? '' : ` Did you mean ${near}?`}`;
}

/** What SAM generates for events without an API of their own; only these are worth a hint. */
function implicitIds(resources: TemplateMap): string[] {
  const hasSam = Object.values(resources).some((resource) => isServerless(mapOf(resource)['Type']));
  return hasSam ? ['ServerlessHttpApi', 'ServerlessRestApi', 'ServerlessRestApiProdStage'] : [];
}

/** Whether an include or a loop adds entries that are not known here. */
function isOpen(entries: TemplateMap): boolean {
  return Object.keys(entries).some((key) => key.startsWith('Fn::'));
}

/** What SAM names without the ID of a resource of the template. */
const SAM_IDS =
  /^(?:Serverless(?:RestApi|HttpApi|WebSocketApi|DeploymentApplication|UsagePlan|ApiKey)|CodeDeployServiceRole|\w*DomainName|RecordSetGroup)/;

function isGeneratedCondition(name: string): boolean {
  return /^Serverless\w*Condition$/.test(name);
}

/**
 * Whether SAM or a module may generate a resource of this ID: `FunctionRole`, `FunctionAliasLive`, `ApiprodStage`,
 * `Layer0a1b2c3d4e` … SAM's IDs begin with that of a resource and go on with a word, a name from its properties, or a hash.
 * The template itself names some: `QueueLogicalId`.
 */
function mayBeGenerated(name: string, resources: TemplateMap): boolean {
  const entries = Object.entries(resources);
  const ofSam = entries.filter(([, resource]) => isServerless(mapOf(resource)['Type']));
  if (ofSam.some(([, resource]) => SAM_IDS.test(name) || givesId(resource, name))) return true;
  return entries.some(([id, value]) => {
    const resource = mapOf(value);
    const { Type: type, Properties: properties, Connectors: connectors } = resource;
    const isModule = typeof type === 'string' && type.endsWith('::MODULE');
    if (!name.startsWith(id) || !(isServerless(type) || isModule || connectors !== undefined)) return false;
    // a module has resources of any name
    if (isModule) return true;
    const rest = name.slice(id.length);
    if (/^[A-Z]|Stage$|^[0-9a-f]{10}$/.test(rest)) return true;
    return namesIn([properties ?? null, connectors ?? null]).some((part) => rest.startsWith(part));
  });
}

function givesId(value: TemplateValue, id: string): boolean {
  if (Array.isArray(value)) return value.some((item) => givesId(item, id));
  return Object.entries(mapOf(value)).some(([key, item]) =>
    key.endsWith('LogicalId') ? item === id : givesId(item, id),
  );
}

/** The keys and texts at any depth: names of events, data sources, base paths … */
function namesIn(value: TemplateValue): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (Array.isArray(value)) return value.flatMap(namesIn);
  return isMap(value) ? Object.entries(value).flatMap(([key, item]) => [key, ...namesIn(item)]) : [];
}

function checkAttribute({ name, attribute, path, shown }: Reference, template: Template, findings: Findings): void {
  const type = mapOf(ownValue(mapOf(template['Resources']), name))['Type'];
  const known = typeof type === 'string' ? attributesOf(type) : undefined;
  // SAM replaces `Function.Alias` and the like
  if (attribute === undefined || known === undefined || known.includes(attribute)) return;
  const [first = '', ...rest] = attribute.split('.');
  if (Object.hasOwn(kindOf(type)?.companions ?? {}, first) || rest.length > 1) return;
  const meant = meantName(attribute, known);
  const what = `${shown}: ${String(type)} has no attribute ${attribute}`;
  if (meant !== undefined) findings.refused.push({ path, message: `${what}. Did you mean ${meant}?` });
  else findings.doubtful.push({ path, message: `${what}, as of ${KNOWN_SINCE}` });
}
