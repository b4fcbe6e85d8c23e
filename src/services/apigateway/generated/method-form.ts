import { mapOf } from '../../../template/template.ts';
import type { TemplateMap } from '../../../template/template.ts';

export const INTEGRATION = 'x-amazon-apigateway-integration';

/** The members that SAM writes for the event of a function. */
export interface MethodForm {
  method: readonly string[];
  integration: readonly string[];
}

/** Whether SAM wrote the method for the event of a function, as far as it can be seen. Pure. */
export function hasForm(method: TemplateMap, form: MethodForm): boolean {
  const integration = mapOf(method[INTEGRATION]);
  return (
    integration['type'] === 'aws_proxy' &&
    integration['httpMethod'] === 'POST' &&
    Object.keys(mapOf(method['responses'])).length === 0 &&
    Object.keys(method).every((name) => form.method.includes(name)) &&
    Object.keys(integration).every((name) => form.integration.includes(name))
  );
}
