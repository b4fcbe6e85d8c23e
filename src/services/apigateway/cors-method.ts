import { mapOf, scalarText } from '../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../template/template.ts';
import { canonicalJson } from '../definition-text.ts';

/** The members of `Cors`, with a known origin. */
export interface CorsSettings {
  AllowOrigin?: TemplateValue;
  AllowHeaders?: TemplateValue;
  AllowMethods?: TemplateValue;
  MaxAge?: TemplateValue;
  AllowCredentials?: TemplateValue;
}

/** Each header of the answer, its type in the definition, and the setting that has its value. */
const HEADERS = [
  ['Access-Control-Allow-Origin', 'string', 'AllowOrigin'],
  ['Access-Control-Allow-Headers', 'string', 'AllowHeaders'],
  ['Access-Control-Allow-Methods', 'string', 'AllowMethods'],
  ['Access-Control-Max-Age', 'integer', 'MaxAge'],
  ['Access-Control-Allow-Credentials', 'string', 'AllowCredentials'],
] as const;
const PARAMETER = 'method.response.header.';
const ANY = 'x-amazon-apigateway-any-method';
const ALL_METHODS = 'DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT';

/** The OPTIONS method that SAM adds to a path with these methods. Pure. */
export function corsMethod(cors: CorsSettings, methods: readonly string[], isOpenApi: boolean): TemplateMap {
  const own = methods.includes(ANY) ? ALL_METHODS : [...new Set([...methods, 'options'].map(upper))].sort().join(',');
  const { AllowMethods, AllowCredentials, ...others } = cors;
  const values: CorsSettings = { ...others, AllowMethods: AllowMethods || `'${own}'` };
  return render(AllowCredentials === true ? { ...values, AllowCredentials: "'true'" } : values, isOpenApi);
}

/** Whether the method is one that SAM added for `Cors`: written again from its own values, it is the same. Pure. */
export function isCorsMethod(method: TemplateValue, isOpenApi: boolean): boolean {
  const { 'x-amazon-apigateway-integration': integration } = mapOf(method);
  const answer = mapOf(mapOf(mapOf(integration)['responses'])['default']);
  const parameters = mapOf(answer['responseParameters']);
  const values = HEADERS.map(([header, , setting]) => [setting, parameters[`${PARAMETER}${header}`] ?? null]);
  const again = render(Object.fromEntries(values) as CorsSettings, isOpenApi);
  const { security: _, ...written } = mapOf(method);
  return canonicalJson(again) === canonicalJson(written);
}

function render(values: CorsSettings, isOpenApi: boolean): TemplateMap {
  const set = HEADERS.filter(([, , setting]) => isSet(setting, values[setting]));
  const parameters = set.map(([header, , setting]) => [`${PARAMETER}${header}`, values[setting] ?? null]);
  const headers = set.map(([header, type]) => [header, isOpenApi ? { schema: { type } } : { type }]);
  return {
    summary: 'CORS support',
    ...(isOpenApi ? {} : { consumes: ['application/json'], produces: ['application/json'] }),
    'x-amazon-apigateway-integration': {
      type: 'mock',
      requestTemplates: { 'application/json': '{\n  "statusCode" : 200\n}\n' },
      responses: {
        default: {
          statusCode: '200',
          responseParameters: Object.fromEntries(parameters) as TemplateMap,
          responseTemplates: { 'application/json': '{}\n' },
        },
      },
    },
    responses: {
      '200': {
        description: 'Default response for CORS method',
        headers: Object.fromEntries(headers) as TemplateMap,
      },
    },
  };
}

/** An age of 0 is one; any other empty value is none. */
function isSet(setting: string, value: TemplateValue | undefined): boolean {
  if (value === undefined || value === null) return false;
  return setting === 'MaxAge' || scalarText(value) !== '';
}

function upper(name: string): string {
  return name.toUpperCase();
}
