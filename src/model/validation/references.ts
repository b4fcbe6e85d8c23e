import { substitute } from '../../template/substitute.ts';
import type { TemplatePath } from '../../template/template-path.ts';
import { intrinsicName, isMap, mapOf } from '../../template/template.ts';
import type { Template, TemplateMap, TemplateValue } from '../../template/template.ts';

/** A name that a template refers to. */
export interface Reference {
  path: TemplatePath;
  /** `value`: a parameter or resource. `resource`: only a resource. `function`: an intrinsic function that is not known. */
  to: 'value' | 'resource' | 'condition' | 'mapping' | 'function';
  name: string;
  /** Of a `Fn::GetAtt`, or of `${Name.Attribute}`. */
  attribute?: string | undefined;
  /** As the user writes it, for messages. */
  shown: string;
}

/** The functions of templates and of the extensions, and those of rules. */
export const INTRINSIC_FUNCTIONS: readonly string[] = (
  'And Base64 Cidr Contains EachMemberEquals EachMemberIn Equals FindInMap GetAZs GetAtt GetStackOutput If Implies ' +
  'ImportValue Join Length Not Or RefAll Select Split Sub ToJsonString Transform ValueOf ValueOfAll'
).split(' ');

/** Finds the references in the sections that CloudFormation checks. Expects expanded loops; leaves out the others. */
export function findReferences(template: Template): Reference[] {
  const found: Reference[] = [];
  const conditions = mapOf(template['Conditions']);
  for (const [name, value] of Object.entries(conditions)) {
    if (!name.startsWith('Fn::')) collect(value, { path: ['Conditions', name], found, isCondition: true });
  }
  for (const section of ['Resources', 'Outputs']) {
    for (const [name, entry] of Object.entries(mapOf(template[section]))) {
      if (name.startsWith('Fn::') || !isMap(entry)) continue;
      const path = [section, name];
      collectNames(entry, path, found);
      // CloudFormation does not read what else a resource has, such as Metadata, or SAM consumes it
      for (const key of ['Properties', 'Value', 'Export'])
        collect(entry[key] ?? null, { path: [...path, key], found, isCondition: false });
    }
  }
  return found;
}

/** `Condition` and `DependsOn` name a condition and resources without an intrinsic function. */
function collectNames(entry: TemplateMap, path: TemplatePath, found: Reference[]): void {
  const { Condition: condition, DependsOn: dependsOn } = entry;
  if (typeof condition === 'string')
    found.push({ path: [...path, 'Condition'], to: 'condition', name: condition, shown: `Condition: ${condition}` });
  const isList = Array.isArray(dependsOn);
  for (const [index, name] of (isList ? dependsOn : [dependsOn]).entries()) {
    if (typeof name !== 'string') continue;
    const at = isList ? ['DependsOn', String(index)] : ['DependsOn'];
    found.push({ path: [...path, ...at], to: 'resource', name, shown: `DependsOn: ${name}` });
  }
}

interface Place {
  path: TemplatePath;
  found: Reference[];
  /** In the section `Conditions`, where `Condition` is a function; elsewhere it is a key of a policy. */
  isCondition: boolean;
}

function collect(value: TemplateValue, place: Place): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(item, below(place, String(index)));
    return;
  }
  // a macro may replace everything beside it
  if (!isMap(value) || 'Fn::Transform' in value) return;
  const name = intrinsicName(value);
  if (name !== undefined) collectFunction(name, value[name] ?? null, place);
  for (const [key, item] of Object.entries(value)) {
    if (!key.startsWith('Fn::ForEach::')) collect(item, below(place, key));
  }
}

function collectFunction(name: string, args: TemplateValue, { path, found, isCondition }: Place): void {
  const at = [...path, name];
  const [first, second] = Array.isArray(args) ? args : [args];
  if (name.startsWith('Fn::') && !INTRINSIC_FUNCTIONS.includes(name.slice(4)) && !name.startsWith('Fn::ForEach'))
    found.push({ path: at, to: 'function', name, shown: name });
  if (name === 'Ref' && typeof args === 'string') found.push(referenceTo(args, at, `!Ref ${args}`));
  if (name === 'Fn::GetAtt') found.push(...getAtt(args, at));
  if (name === 'Fn::Sub' && typeof first === 'string') found.push(...variables(first, mapOf(second), at));
  if (typeof first !== 'string') return;
  if (name === 'Fn::If' || (name === 'Condition' && isCondition)) {
    const shown = name === 'Fn::If' ? `!If [${first}, …]` : `!Condition ${first}`;
    found.push({ path: Array.isArray(args) ? [...at, '0'] : at, to: 'condition', name: first, shown });
  }
  // the fourth argument has a default value
  if (name === 'Fn::FindInMap' && Array.isArray(args) && args.length === 3)
    found.push({ path: [...at, '0'], to: 'mapping', name: first, shown: `!FindInMap [${first}, …]` });
}

/** SAM has names with a dot in a `Ref`: `!Ref Function.Version`. */
function referenceTo(written: string, path: TemplatePath, shown: string): Reference {
  const [name = ''] = written.split('.');
  return { path, to: name === written ? 'value' : 'resource', name, shown };
}

function getAtt(args: TemplateValue, path: TemplatePath): Reference[] {
  const parts = Array.isArray(args) ? args : [args];
  if (!parts.every((part) => typeof part === 'string')) {
    // the attribute may be an intrinsic function, the resource hardly ever
    const [name] = parts;
    return typeof name === 'string' ? [{ path, to: 'resource', name, shown: `!GetAtt [${name}, …]` }] : [];
  }
  const [name = '', ...attribute] = parts.join('.').split('.');
  return [{ path, to: 'resource', name, attribute: attribute.join('.'), shown: `!GetAtt ${parts.join('.')}` }];
}

function variables(text: string, own: TemplateMap, path: TemplatePath): Reference[] {
  const names = new Set<string>();
  substitute(text, (name) => {
    names.add(name);
    return undefined;
  });
  return [...names].flatMap((written) => {
    if (Object.hasOwn(own, written) || !/^[\w.:]+$/.test(written)) return [];
    const [name = '', ...attribute] = written.split('.');
    const reference = referenceTo(written, path, `\${${written}} in Fn::Sub`);
    return [attribute.length === 0 ? reference : { ...reference, name, attribute: attribute.join('.') }];
  });
}

function below(place: Place, key: string): Place {
  return { ...place, path: [...place.path, key] };
}
