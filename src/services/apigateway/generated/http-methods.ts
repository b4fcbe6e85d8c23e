import { mapOf } from '../../../template/template.ts';
import type { TemplateMap } from '../../../template/template.ts';
import { INTEGRATION } from './method-form.ts';
import type { MethodForm } from './method-form.ts';

/** Of an HTTP API. */
export const HTTP_METHOD: MethodForm = {
  method: [INTEGRATION, 'isDefaultRoute', 'parameters', 'responses', 'security'],
  integration: ['httpMethod', 'payloadFormatVersion', 'timeoutInMillis', 'type', 'uri'],
};

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
