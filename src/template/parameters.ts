import { ownValue, setOwn } from '../support/own-value.ts';
import { isMap, mapOf, scalarText } from './template.ts';
import type { Template, TemplateMap } from './template.ts';

/** Values that a stack is given from outside: by `--parameter-overrides`, or by its parent stack. */
export interface GivenParameters {
  values: Readonly<Record<string, string>>;
  /** Names whose value CloudFormation will know, but we do not. */
  unknown?: ReadonlySet<string> | undefined;
}

/** What is known locally of a template's parameters. */
export interface ParameterValues {
  /** As a `Ref` gives them: lists for list types. Without secrets and without what only CloudFormation knows. */
  known: ReadonlyMap<string, string | readonly string[]>;
  /** Values of `NoEcho` parameters; only conditions look at them, so that they appear nowhere. */
  secret: ReadonlyMap<string, string | readonly string[]>;
  /** The known values as text, as CloudFormation's API takes them. */
  texts: Readonly<Record<string, string>>;
}

/** The values of the parameters that the template declares: what is given, else the default. */
export function readParameters(template: Template, given: GivenParameters): ParameterValues {
  const known = new Map<string, string | readonly string[]>();
  const secret = new Map<string, string | readonly string[]>();
  const texts: Record<string, string> = {};
  for (const [name, declaration] of Object.entries(mapOf(template['Parameters']))) {
    if (!isMap(declaration) || given.unknown?.has(name)) continue;
    const text = Object.hasOwn(given.values, name) ? given.values[name] : defaultText(declaration);
    const type = scalarText(declaration['Type']) ?? 'String';
    // the text is the name of an SSM parameter, and the value is in the cloud
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

/** Whether a parameter is `NoEcho`, or CloudFormation shows its value as stars (`shown`). */
export function isSecretParameter(declaration: TemplateMap, shown = ''): boolean {
  return scalarText(declaration['NoEcho'])?.toLowerCase() === 'true' || /^\*+$/.test(shown);
}

/** Names given that the template does not declare; pseudo parameters may be given too. */
export function undeclaredParameters(template: Template, names: readonly string[]): string[] {
  const declared = mapOf(template['Parameters']);
  return names.filter((name) => !Object.hasOwn(declared, name) && !name.startsWith('AWS::'));
}

/** Parameters that need a value and have none. */
export function parametersWithoutValue(template: Template, given: GivenParameters): string[] {
  return Object.entries(mapOf(template['Parameters']))
    .filter(([, declaration]) => isMap(declaration) && ownValue(declaration, 'Default') === undefined)
    .map(([name]) => name)
    .filter((name) => !Object.hasOwn(given.values, name) && !given.unknown?.has(name));
}

function defaultText(declaration: TemplateMap): string | undefined {
  const value = declaration['Default'];
  // CloudFormation wants a text; a list is what the user means by it
  if (Array.isArray(value)) return value.map((item) => scalarText(item) ?? '').join(',');
  return scalarText(value);
}

function isListType(type: string): boolean {
  return type === 'CommaDelimitedList' || type.startsWith('List<');
}

function splitList(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
}
