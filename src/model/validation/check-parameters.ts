import * as vm from 'node:vm';
import { nearestName } from '../../support/nearest-name.ts';
import { ownValue } from '../../support/own-value.ts';
import { isSecretParameter, parameterDefault } from '../../template/parameters.ts';
import type { GivenParameters } from '../../template/parameters.ts';
import { isMap, mapOf, scalarText } from '../../template/template.ts';
import type { Template, TemplateMap } from '../../template/template.ts';
import type { Complaint } from '../check-stack.ts';

/** Checks the given values and the defaults against what the template allows. */
export function checkParameterValues(template: Template, given: GivenParameters): Complaint[] {
  return Object.entries(mapOf(template['Parameters'])).flatMap(([name, declaration]) => {
    if (!isMap(declaration) || given.unknown?.has(name)) return [];
    const own = ownValue(given.values, name);
    const text = own ?? parameterDefault(declaration);
    const type = scalarText(declaration['Type']) ?? 'String';
    // CloudFormation checks the value of an SSM parameter, which is in the cloud
    if (text === undefined || type.startsWith('AWS::SSM::Parameter::Value')) return [];
    const fault = findFault(text, type, declaration);
    if (fault === undefined) return [];
    const path = ['Parameters', name, ...(own === undefined ? ['Default'] : [])];
    const shown = isSecretParameter(declaration) ? '' : ` ${JSON.stringify(text)}`;
    const what =
      own === undefined ? `The default${shown} of parameter ${name}` : `The value${shown} of parameter ${name}`;
    const constraint = scalarText(declaration['ConstraintDescription']);
    return [{ path, message: `${what} ${fault}${constraint === undefined ? '' : ` (${constraint})`}` }];
  });
}

/** Reports the parameters that have neither a value nor a default. `elsewhere`: where values may be that are not read. */
export function missingParameters(names: readonly string[], elsewhere?: string): Complaint[] {
  return names.map((name, index) => {
    const message = `Parameter ${name} has no value and no default. Set it: --parameter-overrides ${name}=…`;
    const isLast = index === names.length - 1;
    return {
      path: ['Parameters', name],
      message: isLast && elsewhere !== undefined ? `${message} (${elsewhere.replace(/\.$/, '')})` : message,
    };
  });
}

function findFault(text: string, type: string, declaration: TemplateMap): string | undefined {
  const isList = type === 'CommaDelimitedList' || type.startsWith('List<');
  const items = isList ? text.split(',').map((item) => item.trim()) : [text];
  const isNumber = type === 'Number' || type === 'List<Number>';
  if (!isNumber && !isList) return allowedFault(text, false, declaration) ?? textFault(text, declaration);
  // a list may be allowed as a whole
  if (Array.isArray(declaration['AllowedValues']) && allowedFault(text, false, declaration) === undefined)
    return undefined;
  for (const item of items) {
    const fault = (isNumber ? numberFault(item, declaration) : undefined) ?? allowedFault(item, isNumber, declaration);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function numberFault(item: string, declaration: TemplateMap): string | undefined {
  const number = Number(item);
  if (item === '' || Number.isNaN(number)) return 'must be a number';
  const [least, most] = limits(declaration, 'MinValue', 'MaxValue');
  if (least !== undefined && number < least) return `must be ${least} or more`;
  return most !== undefined && number > most ? `must be ${most} or less` : undefined;
}

function textFault(text: string, declaration: TemplateMap): string | undefined {
  const [least, most] = limits(declaration, 'MinLength', 'MaxLength');
  if (least !== undefined && text.length < least) return `must have ${least} or more characters`;
  if (most !== undefined && text.length > most) return `must have ${most} or fewer characters`;
  const pattern = scalarText(declaration['AllowedPattern']);
  return pattern === undefined || matches(text, pattern) !== false ? undefined : `must match ${pattern}`;
}

function allowedFault(item: string, isNumber: boolean, declaration: TemplateMap): string | undefined {
  const allowed = declaration['AllowedValues'];
  if (!Array.isArray(allowed) || allowed.length === 0) return undefined;
  const texts = allowed.map((value) => scalarText(value));
  // a list with other things is not understood here
  if (texts.includes(undefined)) return undefined;
  const values = texts as string[];
  const isAllowed = isNumber ? values.some((value) => Number(value) === Number(item)) : values.includes(item);
  if (isAllowed) return undefined;
  const near = nearestName(item, values);
  return `must be one of ${values.join(', ')}.${near === undefined ? '' : ` Did you mean ${near}?`}`;
}

function limits(declaration: TemplateMap, ...names: readonly string[]): (number | undefined)[] {
  return names.map((name) => {
    const text = scalarText(declaration[name]);
    return text === undefined || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
  });
}

/** What a regular expression means differently in Java, which CloudFormation uses, or only there. */
const JAVA_ONLY = /\\[pPQEGAZzhHRXxk0]|&&|\(\?(?![:=!]|<[=!])|[*+?}]\+|\[[^\]]*\[/;
/** A pattern of the template must not hold up the sync. */
const MATCH_WITHIN_MS = 100;

/** Whether the whole text matches; undefined if that is unknown. */
function matches(text: string, pattern: string): boolean | undefined {
  if (JAVA_ONLY.test(pattern)) return undefined;
  try {
    const [expression, value] = [`^(?:${pattern})$`, text].map((part) => JSON.stringify(part));
    return vm.runInThisContext(`new RegExp(${expression}).test(${value})`, { timeout: MATCH_WITHIN_MS }) === true;
  } catch {
    return undefined;
  }
}
