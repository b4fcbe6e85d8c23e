import { nearestName } from '../support/nearest-name.ts';
import { setOwn } from '../support/own-value.ts';
import { parametersWithoutValue, undeclaredParameters } from '../template/parameters.ts';
import type { GivenParameters } from '../template/parameters.ts';
import { isIntrinsic, isMap, mapOf, scalarText } from '../template/template.ts';
import type { Template, TemplateValue } from '../template/template.ts';

/**
 * Returns the parameters of a nested stack from its parent's `Parameters` (resolved). A value not known locally stays
 * unknown in the child: CloudFormation will not use the default there.
 */
export function childParameters(parameters: TemplateValue | undefined, child: Template): GivenParameters {
  const declared = Object.keys(mapOf(child['Parameters']));
  if (isIntrinsic(parameters)) return { values: {}, unknown: new Set(declared) };
  const values: Record<string, string> = {};
  const unknown = new Set<string>();
  for (const [name, value] of Object.entries(mapOf(parameters))) {
    const text = parameterText(value);
    if (text === undefined) unknown.add(name);
    else setOwn(values, name, text);
  }
  return { values, unknown };
}

/** Checks parameters that CloudFormation would reject when it creates the nested stack. */
export function checkChildParameters(parameters: TemplateValue | undefined, child: Template): string[] {
  if (isIntrinsic(parameters) || (isMap(parameters) && 'Fn::Transform' in parameters)) return [];
  const given = childParameters(parameters, child);
  const declared = Object.keys(mapOf(child['Parameters']));
  const extra = undeclaredParameters(child, Object.keys(mapOf(parameters))).map((name) => {
    const near = nearestName(name, declared);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    return `passes the parameter ${name}, which its template does not declare.${hint}`;
  });
  const missing = parametersWithoutValue(child, given).map(
    (name) => `does not pass the parameter ${name}, which its template requires`,
  );
  return [...extra, ...missing];
}

function parameterText(value: TemplateValue): string | undefined {
  if (!Array.isArray(value)) return scalarText(value);
  const texts = value.map(scalarText);
  return texts.includes(undefined) ? undefined : texts.join(',');
}
