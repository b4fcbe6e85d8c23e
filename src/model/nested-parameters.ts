import { nearestName } from '../support/nearest-name.ts';
import { setOwn } from '../support/own-value.ts';
import { parametersWithoutValue, undeclaredParameters } from '../template/parameters.ts';
import type { GivenParameters } from '../template/parameters.ts';
import { isIntrinsic, isMap, mapOf, scalarText } from '../template/template.ts';
import type { Template, TemplateValue } from '../template/template.ts';

/**
 * What a nested stack gets from its parent's `Parameters` (resolved). A value that is not known locally is unknown in
 * the child as well: its default is not what CloudFormation will use there.
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

/** What CloudFormation will refuse when it makes the nested stack. */
export function checkChildParameters(parameters: TemplateValue | undefined, child: Template): string[] {
  if (isIntrinsic(parameters) || (isMap(parameters) && 'Fn::Transform' in parameters)) return [];
  const given = childParameters(parameters, child);
  const declared = Object.keys(mapOf(child['Parameters']));
  const extra = undeclaredParameters(child, Object.keys(mapOf(parameters))).map((name) => {
    const near = nearestName(name, declared);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    return `passes the parameter ${name}, which its template does not have.${hint}`;
  });
  const missing = parametersWithoutValue(child, given).map(
    (name) => `does not pass the parameter ${name}, which its template needs`,
  );
  return [...extra, ...missing];
}

function parameterText(value: TemplateValue): string | undefined {
  if (!Array.isArray(value)) return scalarText(value);
  const texts = value.map(scalarText);
  return texts.includes(undefined) ? undefined : texts.join(',');
}
