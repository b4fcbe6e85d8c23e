import { ownValue, setOwn } from '../support/own-value.ts';
import { isMap, mapOf, scalarText } from './template.ts';
import type { Template, TemplateMap } from './template.ts';

/** Parameter values from `--parameter-overrides` or the parent stack. */
export interface GivenParameters {
  values: Readonly<Record<string, string>>;
  /** Names whose values are known only to CloudFormation. */
  unknown?: ReadonlySet<string> | undefined;
}

/** Locally known parameter values of a template. */
export interface ParameterValues {
  /** Values of a `Ref`: lists for list types. Without secrets and values known only to CloudFormation. */
  known: ReadonlyMap<string, string | readonly string[]>;
  /** Values of `NoEcho` parameters. Only conditions use them, so that they appear nowhere. */
  secret: ReadonlyMap<string, string | readonly string[]>;
  /** The known values as text, for CloudFormation's API. */
  texts: Readonly<Record<string, string>>;
}

/** Returns the values of the template's parameters: the given value, else the default. */
export function readParameters(template: Template, given: GivenParameters): ParameterValues {
  const known = new Map<string, string | readonly string[]>();
  const secret = new Map<string, string | readonly string[]>();
  const texts: Record<string, string> = {};
  for (const [name, declaration] of Object.entries(mapOf(template['Parameters']))) {
    if (!isMap(declaration) || given.unknown?.has(name)) continue;
    const text = Object.hasOwn(given.values, name) ? given.values[name] : parameterDefault(declaration);
    const type = scalarText(declaration['Type']) ?? 'String';
    // the text is the name of an SSM parameter, whose value is in the cloud
    if (text === undefined || type.startsWith('AWS::SSM::Parameter::Value')) continue;
    const value = isListType(type) ? splitList(text) : text;
    if (isSecretParameter(declaration)) secret.set(name, value);
    else {
      known.set(name, value);
      setOwn(texts, name, text);
    }
  }
  return { known, secret, texts };
}

/** Returns whether a parameter is `NoEcho`, or CloudFormation shows its value (`shown`) as asterisks. */
export function isSecretParameter(declaration: TemplateMap, shown = ''): boolean {
  return scalarText(declaration['NoEcho'])?.toLowerCase() === 'true' || /^\*+$/.test(shown);
}

/** Returns names that the template does not declare, except pseudo parameters. */
export function undeclaredParameters(template: Template, names: readonly string[]): string[] {
  const declared = mapOf(template['Parameters']);
  return names.filter((name) => !Object.hasOwn(declared, name) && !name.startsWith('AWS::'));
}

/** Returns the parameters without a value. */
export function parametersWithoutValue(template: Template, given: GivenParameters): string[] {
  return Object.entries(mapOf(template['Parameters']))
    .filter(([, declaration]) => isMap(declaration) && ownValue(declaration, 'Default') === undefined)
    .map(([name]) => name)
    .filter((name) => !Object.hasOwn(given.values, name) && !given.unknown?.has(name));
}

/** Returns the default of a parameter as text. */
export function parameterDefault(declaration: TemplateMap): string | undefined {
  const value = declaration['Default'];
  // CloudFormation requires a text; join a list as the user means it
  if (Array.isArray(value)) return value.map((item) => scalarText(item) ?? '').join(',');
  return scalarText(value);
}

function isListType(type: string): boolean {
  return type === 'CommaDelimitedList' || type.startsWith('List<');
}

function splitList(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
}
