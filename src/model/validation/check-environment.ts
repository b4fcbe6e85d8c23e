import { isBuiltAs } from '../../template/kinds/kinds.ts';
import type { TemplatePath } from '../../template/template-path.ts';
import { mapOf, resourcesOf } from '../../template/template.ts';
import type { Template, TemplateMap } from '../../template/template.ts';
import type { Findings } from './findings.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const RESERVED = [
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
];

/** Checks the environment variables of functions: Lambda refuses names that it sets itself, when the stack is half created. */
export function checkEnvironment(template: Template, findings: Findings): void {
  reportReserved(mapOf(mapOf(template['Globals'])['Function']), ['Globals', 'Function'], findings);
  for (const [id, { Type: type, Properties: properties }] of resourcesOf(template)) {
    if (isBuiltAs(type, 'function')) reportReserved(mapOf(properties), ['Resources', id, 'Properties'], findings);
  }
}

function reportReserved(properties: TemplateMap, path: TemplatePath, findings: Findings): void {
  const variables = mapOf(mapOf(properties['Environment'])['Variables']);
  for (const name of RESERVED.filter((reserved) => Object.hasOwn(variables, reserved))) {
    const message = `Environment variable ${name} cannot be set: Lambda sets it itself. Remove it, or use another name`;
    findings.refused.push({ path: [...path, 'Environment', 'Variables', name], message });
  }
}
