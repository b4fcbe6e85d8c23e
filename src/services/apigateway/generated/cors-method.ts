import { ANY } from '../../../model/api-events.ts';
import { mapOf, scalarText } from '../../../template/template.ts';
import type { TemplateMap, TemplateValue } from '../../../template/template.ts';
import { canonicalJson } from '../../definition-text.ts';

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
const ALL_METHODS = 'DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT';

/**
 * How often SAM puts the type of a header into a `schema`: not in Swagger 2.0, once in OpenAPI 3, and once more for each of `Auth` and
 * `Models`, because it converts the definition again.
 */
export type SchemaDepth = 0 | 1 | 2 | 3;

/** The OPTIONS method that SAM adds to a path with these methods. Pure. */
export function corsMethod(cors: CorsSettings, methods: readonly string[], depth: SchemaDepth): TemplateMap {
  const own = methods.includes(ANY) ? ALL_METHODS : [...new Set([...methods, 'options'].map(upper))].sort().join(',');
  const { AllowMethods, AllowCredentials, ...others } = cors;
  const values: CorsSettings = { ...others, AllowMethods: AllowMethods || `'${own}'` };
  return render(AllowCredentials === true ? { ...values, AllowCredentials: "'true'" } : values, depth);
}

/** Whether the method is one that SAM added for `Cors`: written again from its own values, it is the same. Pure. */
export function isCorsMethod(method: TemplateValue): boolean {
  const { 'x-amazon-apigateway-integration': integration } = mapOf(method);
  const answer = mapOf(mapOf(mapOf(integration)['responses'])['default']);
  const parameters = mapOf(answer['responseParameters']);
  const values = HEADERS.map(([header, , setting]) => [setting, parameters[`${PARAMETER}${header}`] ?? null]);
  const { security: _, ...written } = mapOf(method);
  const again = ([0, 1, 2, 3] as const).map((depth) => render(Object.fromEntries(values) as CorsSettings, depth));
  return again.some((one) => canonicalJson(one) === canonicalJson(written));
}

function render(values: CorsSettings, depth: SchemaDepth): TemplateMap {
  const set = HEADERS.filter(([, , setting]) => isSet(setting, values[setting]));
  const parameters = set.map(([header, , setting]) => [`${PARAMETER}${header}`, values[setting] ?? null]);
  const headers = set.map(([header, type]) => [header, inSchema({ type }, depth)]);
  return {
    summary: 'CORS support',
    ...(depth > 0 ? {} : { consumes: ['application/json'], produces: ['application/json'] }),
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

function inSchema(type: TemplateMap, depth: SchemaDepth): TemplateMap {
  return depth === 0 ? type : { schema: inSchema(type, (depth - 1) as SchemaDepth) };
}

/** An age of 0 is one; any other empty value is none. */
function isSet(setting: string, value: TemplateValue | undefined): boolean {
  if (value === undefined || value === null) return false;
  return setting === 'MaxAge' || scalarText(value) !== '';
}

function upper(name: string): string {
  return name.toUpperCase();
}
