import { mapOf } from '../../../template/template.ts';
import type { TemplateMap } from '../../../template/template.ts';
import { INTEGRATION } from './rest-methods.ts';

const MEMBERS = [INTEGRATION, 'isDefaultRoute', 'parameters', 'responses', 'security'];
const INTEGRATION_MEMBERS = ['httpMethod', 'payloadFormatVersion', 'timeoutInMillis', 'type', 'uri'];

/** Whether SAM wrote the method of an HTTP API, as far as it can be seen. Pure. */
export function isHttpMethod(method: TemplateMap): boolean {
  const integration = mapOf(method[INTEGRATION]);
  return (
    integration['type'] === 'aws_proxy' &&
    integration['httpMethod'] === 'POST' &&
    Object.keys(mapOf(method['responses'])).length === 0 &&
    Object.keys(method).every((name) => MEMBERS.includes(name)) &&
    Object.keys(integration).every((name) => INTEGRATION_MEMBERS.includes(name))
  );
}

/** Writes the method of an event again, without `security`. Pure. */
export function httpMethod(deployed: TemplateMap, event: TemplateMap): TemplateMap {
  const { timeoutInMillis: _, ...integration } = mapOf(deployed[INTEGRATION]);
  const { security: _security, ...others } = deployed;
  const { PayloadFormatVersion, TimeoutInMillis = null } = event;
  return {
    ...others,
    [INTEGRATION]: {
      ...integration,
      payloadFormatVersion: PayloadFormatVersion || '2.0',
      ...(TimeoutInMillis === null ? {} : { timeoutInMillis: TimeoutInMillis }),
    },
  };
}
