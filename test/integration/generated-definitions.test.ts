import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { apiEvents } from '../../src/model/api-events.ts';
import { createStackValues } from '../../src/model/stack-values.ts';
import { hasRefusedType } from '../../src/model/sam-value-types.ts';
import type { Stack } from '../../src/model/stack.ts';
import { whyOtherMethods } from '../../src/services/apigateway/generated/check-methods.ts';
import { addHttpAuth, addRestAuth, whyInlineUncertain } from '../../src/services/apigateway/generated/inline-auth.ts';
import { addCors } from '../../src/services/apigateway/generated/inline-cors.ts';
import { replaceGenerated } from '../../src/services/apigateway/generated/replace-generated.ts';
import { EVENT_TYPES, RESOURCE_TYPES } from '../../src/template/kinds/sam-types.ts';
import type { TypedProperties } from '../../src/template/kinds/sam-types.ts';
import { createScope, resolveTemplate } from '../../src/template/resolve-template.ts';
import { mapOf, resourceOf } from '../../src/template/template.ts';
import type { Template, TemplateMap } from '../../src/template/template.ts';
import { parseTemplate } from '../../src/template/yaml/yaml.ts';
import { installSamCli, SAM_CLI } from '../support/peer.ts';
import { fakeStack } from '../support/stack-builder.ts';

/** Prints what SAM's own transform makes of each template, and the types of values that its properties may have. */
const TRANSFORM = `
import json, sys
from samtranslator.yaml_helper import yaml_parse
from samtranslator.model import Resource, sam_resources
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.translator import Translator
from samtranslator.parser.parser import Parser

def transform(text):
    try:
        return Translator({}, Parser()).translate(yaml_parse(text), {})
    except InvalidDocumentException:
        return None

def subclasses(one):
    return [one] + [other for below in one.__subclasses__() for other in subclasses(below)]

EXAMPLES = {'text': 'x', 'number': 5, 'boolean': True, 'list': [], 'map': {}}

def types(one):
    allowed = {name: ' '.join(type for type, value in EXAMPLES.items() if property.validate(value, should_raise=False))
               for name, property in one.property_types.items() if not name.startswith('__')}
    return {name: types for name, types in allowed.items() if 0 < len(types.split()) < len(EXAMPLES)}

resources, events = {}, {'AWS::Serverless::Function': {}, 'AWS::Serverless::StateMachine': {}}
for one in subclasses(Resource):
    name = getattr(one, 'resource_type', None)
    if not name or one.property_types is None:
        continue
    if name.startswith('AWS::Serverless::'):
        resources[name] = types(one)
    elif '.eventsources.' in one.__module__:
        events['AWS::Serverless::Function'][name] = types(one)
    elif one.__module__.endswith('.stepfunctions.events'):
        events['AWS::Serverless::StateMachine'][name] = types(one)
print(json.dumps({'templates': [transform(text) for text in json.load(sys.stdin)], 'resources': resources, 'events': events}))
`;

type Types = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Transformed {
  /** null: SAM refuses the template. */
  templates: (Template | null)[];
  resources: Types;
  events: Readonly<Record<string, Types>>;
}

function transform(texts: readonly string[]): Transformed {
  const env = { ...process.env, AWS_DEFAULT_REGION: 'us-east-1' };
  const stdout = execFileSync(SAM_CLI.python, ['-c', TRANSFORM], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    env,
  });
  return JSON.parse(stdout) as Transformed;
}

/** The types of each property. */
function byProperty(types: Readonly<Record<string, TypedProperties>>): Types {
  return Object.fromEntries(
    Object.entries(types).map(([name, properties]) => [
      name,
      Object.fromEntries(
        Object.entries(properties).flatMap(([allowed, names]) => names.split(' ').map((one) => [one, allowed])),
      ),
    ]),
  );
}

const fn = (id: string, events: string, more = ''): string =>
  `  ${id}: {Type: AWS::Serverless::Function${more}, Properties: {InlineCode: x, Runtime: python3.12, Handler: index.handler, Events: {${events}}}}\n`;
const POOL = 'Pool: {UserPoolArn: !GetAtt Users.Arn, AuthorizationScopes: [a/read]}';
const LAMBDA =
  'Token: {FunctionArn: !GetAtt Check.Arn, Identity: {Header: X-Key, ValidationExpression: "^k", ReauthorizeEvery: 30}}';
const REQUEST =
  'Asked: {FunctionPayloadType: REQUEST, FunctionArn: !GetAtt Check.Arn, FunctionInvokeRole: "arn:aws:iam::1:role/r", Identity: {Headers: [A, B], QueryStrings: [q], StageVariables: [v], Context: [c], ReauthorizeEvery: 0}}';
const MODELS = 'Models: {Pet: {type: object}, Dog: {type: object}}';

/** Settings of an API, and of the events `Get`, `Any`, `Options` and `Flow`. */
interface Variant {
  api?: string;
  get?: string;
  any?: string;
  options?: string;
  flow?: string;
}

const REST: Readonly<Record<string, Variant>> = {
  nothing: {},
  timeouts: { get: 'TimeoutInMillis: 5000', any: 'TimeoutInMillis: !Ref Millis' },
  parameters: {
    get: 'RequestParameters: [method.request.header.X, {method.request.querystring.q.r: {Required: true, Caching: true}}, {method.request.path.id: {Caching: false}}]',
    any: 'RequestParameters: [{method.request.header.Y: {Caching: true}}], TimeoutInMillis: 100',
  },
  models: {
    api: MODELS,
    get: 'RequestModel: {Model: Pet, Required: true, ValidateBody: true}',
    any: 'RequestModel: {Model: Dog, ValidateBody: false, ValidateParameters: true}, RequestParameters: [method.request.header.Y]',
    options: 'RequestModel: {Model: Dog}',
  },
  'models and CORS': {
    api: `${MODELS}, Cors: "'*'", Auth: {ApiKeyRequired: true}`,
    get: 'RequestModel: {Model: Dog, Required: false, ValidateBody: true, ValidateParameters: true}',
  },
  'API keys': { api: 'Auth: {ApiKeyRequired: true}, Cors: "\'*\'"', get: 'Auth: {ApiKeyRequired: false}' },
  'API keys, not for preflight requests': {
    api: 'Auth: {ApiKeyRequired: true, AddApiKeyRequiredToCorsPreflight: false}, Cors: "\'*\'"',
    flow: 'Auth: {ApiKeyRequired: false}',
  },
  'API key of an event': { get: 'Auth: {ApiKeyRequired: true}', flow: 'Auth: {ApiKeyRequired: true}' },
  'signed requests, and nothing': {
    api: 'Auth: {ApiKeyRequired: true, DefaultAuthorizer: AWS_IAM, AddApiKeyRequiredToCorsPreflight: null, AddDefaultAuthorizerToCorsPreflight: null}, Cors: {}',
  },
  'signed requests': { api: 'Auth: {DefaultAuthorizer: AWS_IAM}, Cors: "\'*\'"', get: 'Auth: {Authorizer: NONE}' },
  'signed requests of events': {
    get: 'Auth: {Authorizer: AWS_IAM, InvokeRole: NONE}',
    any: 'Auth: {Authorizer: AWS_IAM, ApiKeyRequired: true}',
    options: 'Auth: {Authorizer: AWS_IAM, InvokeRole: "arn:aws:iam::1:role/r"}',
  },
  'signed requests with a role': {
    api: 'Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: "arn:aws:iam::1:role/r"}',
    get: 'Auth: {InvokeRole: CALLER_CREDENTIALS}',
    any: 'Auth: {Authorizer: AWS_IAM, InvokeRole: CALLER_CREDENTIALS}',
  },
  authorizers: {
    api: `Auth: {Authorizers: {${POOL}, ${LAMBDA}, ${REQUEST}}, DefaultAuthorizer: Pool, AddDefaultAuthorizerToCorsPreflight: false}, Cors: "'*'"`,
    get: 'Auth: {Authorizer: Token, ApiKeyRequired: true}',
    any: 'Auth: {Authorizer: NONE, ApiKeyRequired: true}',
    flow: 'Auth: {Authorizer: Pool, AuthorizationScopes: [b]}',
  },
  'other authorizers': {
    api: `Auth: {ApiKeyRequired: true, Authorizers: {${LAMBDA.replace('30', '60')}, ${REQUEST}, Pools: {UserPoolArn: [!GetAtt Users.Arn, !Sub "arn:\${AWS::Partition}:x"], Identity: {Header: H, ValidationExpression: e}}}, DefaultAuthorizer: Token}`,
    get: 'Auth: {Authorizer: Pools, AuthorizationScopes: []}',
    any: 'Auth: {Authorizer: AWS_IAM}',
    options: 'Auth: {Authorizer: NONE}',
  },
};

const JWT =
  'Jwt: {JwtConfiguration: {Issuer: "https://issuer", audience: [one, !Ref Millis]}, IdentitySource: $request.header.Authorization, AuthorizationScopes: [read]}';
const CALL =
  'Call: {FunctionArn: !GetAtt Check.Arn, AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true, EnableFunctionDefaultPermissions: true, Identity: {Headers: [A], QueryStrings: [q], StageVariables: [v], Context: [c], ReauthorizeEvery: 10}}';

const HTTP: Readonly<Record<string, Variant>> = {
  nothing: {},
  settings: {
    get: 'TimeoutInMillis: 5000, PayloadFormatVersion: "1.0"',
    any: 'TimeoutInMillis: !Ref Millis',
    api: 'Name: named, Description: described, DisableExecuteApiEndpoint: true, Tags: {B: two, A: one}, CorsConfiguration: true',
  },
  CORS: {
    api: 'Tags: {A: other}, DisableExecuteApiEndpoint: false, CorsConfiguration: {AllowOrigins: ["https://a"], AllowHeaders: [], AllowCredentials: true, MaxAge: 0}',
  },
  'signed requests': {
    api: 'Auth: {EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM}',
    get: 'Auth: {Authorizer: NONE}',
  },
  'signed requests of an event': { api: 'Auth: {EnableIamAuthorizer: true}', get: 'Auth: {Authorizer: AWS_IAM}' },
  authorizers: {
    api: `Auth: {Authorizers: {${JWT}, ${CALL}}, DefaultAuthorizer: Jwt}`,
    get: 'Auth: {Authorizer: NONE}, PayloadFormatVersion: "1.0"',
    any: 'Auth: {AuthorizationScopes: [write]}',
    options: 'Auth: {Authorizer: Call}',
  },
  'other authorizers': {
    api: `Auth: {EnableIamAuthorizer: true, Authorizers: {${JWT.replace('read', 'all')}, ${CALL.replace('10', '20')}}}`,
    get: 'Auth: {Authorizer: Jwt}',
    any: 'Auth: {Authorizer: Jwt, AuthorizationScopes: [write]}',
    options: 'Auth: {Authorizer: AWS_IAM}',
  },
};

const event = (id: string, type: string, place: string, more = ''): string =>
  `${id}: {Type: ${type}, Properties: {${[place, more].filter(Boolean).join(', ')}}}`;

type Kind = 'Api' | 'HttpApi';

function template(kind: Kind, head: string, { api = '', ...events }: Variant): string {
  const isRest = kind === 'Api';
  const id = isRest ? 'RestApiId: !Ref Api' : 'ApiId: !Ref Api';
  const properties = [isRest ? 'StageName: dev' : '', head, api].filter(Boolean).join(', ');
  const any = event('Any', kind, isRest ? `Path: /c, Method: any, ${id}` : id, events.any);
  const options = event('Options', kind, `Path: /b, Method: options, ${id}`, events.options);
  const flow = event('Flow', kind, `Path: /a/, Method: post, ${id}`, events.flow);
  return `Transform: AWS::Serverless-2016-10-31
Parameters: {Millis: {Type: String, Default: '3000'}}
Resources:
  Api: {Type: AWS::Serverless::${kind}, Properties: {${properties}}}
${fn('Fn', `${event('Get', kind, `Path: "/a/{id}", Method: GET, ${id}`, events.get)}, ${options}`)}${fn('Other', any)}${
    isRest ? `  Flow: {Type: AWS::Serverless::StateMachine, Properties: {Definition: {A: b}, Events: {${flow}}}}\n` : ''
  }  Check: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Runtime: python3.12, Handler: index.handler}}
  Users: {Type: AWS::Cognito::UserPool}
`;
}

const PSEUDO = { 'AWS::Region': 'us-east-1', 'AWS::Partition': 'aws', 'AWS::StackName': 'sam-app' } as const;
const SOURCE = {
  resource: (_: unknown, id: string, attribute?: string) => `${id}.${attribute}`,
  parameter: (_: unknown, name: string) => (PSEUDO as Record<string, string>)[name],
};

function stackOf(text: string): Stack {
  const source = parseTemplate(text, 'template.yaml', []);
  const known = {
    parameters: { known: new Map([['Millis', '3000']]), texts: { Millis: '3000' } },
    pseudoParameters: PSEUDO,
    includes: new Map(),
  };
  return fakeStack({
    source,
    resolved: resolveTemplate(source, createScope(source, known as never)),
    parameters: { Millis: '3000' },
  });
}

/** The definition of the API in a transformed template, with the values of the functions in it. */
function bodyOf(transformed: Template): TemplateMap {
  const stack = fakeStack({ source: transformed, parameters: { Millis: '3000' } });
  const { Body: body = null } = mapOf(resourceOf(transformed, 'Api')['Properties']);
  return mapOf(createStackValues(stack, SOURCE).resolve(body, stack));
}

function replace(kind: Kind, text: string, body: TemplateMap): ReturnType<typeof replaceGenerated> {
  const stack = stackOf(text);
  const api = resourceOf(stack.resolved, 'Api');
  const values = createStackValues(stack, SOURCE);
  const { Auth: auth = null, ...properties } = mapOf(values.resolve(api['Properties'] ?? null, stack));
  const events = apiEvents(stack, 'Api').map((one) => ({
    ...one,
    id: `${one.owner}.${one.name}`,
    properties: mapOf(values.resolve(one.properties, stack)),
  }));
  return replaceGenerated({
    kind: kind === 'Api' ? 'rest' : 'http',
    stack,
    logicalId: 'Api',
    type: `AWS::Serverless::${kind}`,
    body,
    properties: { ...properties, StackName: 'sam-app' },
    routes: { auth, events, place: { partition: 'aws', region: 'us-east-1' } },
    needsRoutes: true,
    isWhole: true,
  });
}

function replaced(kind: Kind, text: string, body: TemplateMap): TemplateMap | { why: string } {
  const result = replace(kind, text, body);
  return 'why' in result ? result : result.body;
}

const CASES = (
  [
    ['REST, Swagger 2', 'Api', '', REST],
    ['REST, OpenAPI 3', 'Api', "OpenApiVersion: '3.0.1'", REST],
    ['HTTP', 'HttpApi', '', HTTP],
  ] as const
).map(([name, kind, head, variants]) => {
  const texts = Object.values(variants).map((variant) => template(kind, head, variant));
  return { name, kind, variants: Object.keys(variants), texts };
});

/** A template with the route of each function, each with a condition. */
const moving = (kind: Kind, first: string, others: string): string =>
  `Transform: AWS::Serverless-2016-10-31
Parameters: {Millis: {Type: String, Default: '3000'}}
Conditions: {IsOn: !Equals [!Ref Millis, '3000']}
Resources:
  Api: {Type: AWS::Serverless::${kind}, Properties: {${kind === 'Api' ? 'StageName: dev, Cors: "\'*\'"' : ''}}}
${fn('Fn', event('Get', kind, `Path: ${first}, Method: GET, ${kind === 'Api' ? 'RestApiId' : 'ApiId'}: !Ref Api`), ', Condition: IsOn')}${others}`;
const route = (kind: Kind, path: string, id = 'Other'): string =>
  fn(id, event('Get', kind, `Path: ${path}, Method: get, ${kind === 'Api' ? 'RestApiId' : 'ApiId'}: !Ref Api`)).replace(
    'Handler:',
    'AutoPublishAlias: live, Handler:',
  );
const KINDS = ['Api', 'HttpApi'] as const;
const MOVING = KINDS.map((kind) => moving(kind, '/a', route(kind, '/b')));

/** Resources, and whether SAM takes the types of their values. */
const TYPED: readonly (readonly [properties: string, isTaken: boolean])[] = [
  [api('TracingEnabled: true, Tags: {A: 5}, MinimumCompressionSize: 5'), true],
  [api('TracingEnabled: !Ref Millis, MinimumCompressionSize: !Ref Millis'), true],
  [api('TracingEnabled: "true"'), false],
  [api('MinimumCompressionSize: "5"'), false],
  [api('MinimumCompressionSize: 5.0'), false],
  [api('Description: 5'), false],
  [api('Tags: [{Key: A, Value: a}]'), false],
  [fn('Fn', event('Get', 'Api', 'Path: /a, Method: get, TimeoutInMillis: "500"')), false],
  [fn('Fn', event('Get', 'HttpApi', 'Path: /a, Method: get, TimeoutInMillis: !Ref Millis')), true],
  [fn('Fn', event('Get', 'HttpApi', 'Path: /a, Method: get, PayloadFormatVersion: 2.0')), false],
  [fn('Fn', event('In', 'SQS', 'Queue: "arn:aws:sqs:us-east-1:1:q", BatchSize: "5"')), false],
  [fn('Fn', event('At', 'Schedule', 'Schedule: rate(1 day), Enabled: "false"')), false],
  [withUrl('MaxAge: 5, AllowOrigins: !Split [",", a]'), true],
  [withUrl('MaxAge: "5"'), false],
  [withUrl('AllowOrigins: a'), false],
  [`${api('')}Globals: {Api: {TracingEnabled: "true"}}\n`, false],
];
const TYPED_HEAD = `Transform: AWS::Serverless-2016-10-31\nParameters: {Millis: {Type: String, Default: '3000'}}\nResources:\n`;
const TYPED_TEXTS = TYPED.map(([text]) => `${TYPED_HEAD}${text}`);

function api(properties: string): string {
  return `  Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionBody: {swagger: "2.0"}, ${properties}}}\n`;
}

function withUrl(cors: string): string {
  return fn('Fn', '').replace('Events: {}', `FunctionUrlConfig: {AuthType: NONE, Cors: {${cors}}}`);
}

const CALLED = 'x-amazon-apigateway-integration: {type: mock}';
const METHODS = `/a: {parameters: [], get: {${CALLED}, security: [{Own: []}]}, post: {${CALLED}, security: [{NONE: []}]}, put: {${CALLED}, security: [{api_key: []}]}, delete: {${CALLED}, security: [{Pool: [x]}, {Own: []}]}, options: {${CALLED}}}, /b: {x-amazon-apigateway-any-method: {${CALLED}}, get: {responses: {}}, patch: {${CALLED}, security: [{AWS_IAM: []}, {api_key_false: []}]}, options: {${CALLED}, security: [{NONE: []}, {Jwt: []}]}}`;
const OWN = '{Own: {type: apiKey, name: o, in: header}, Pool: {type: apiKey, name: p, in: header}}';
const SWAGGER = `{swagger: "2.0", info: {title: t}, paths: {${METHODS}}, securityDefinitions: ${OWN}}`;
const OPEN_API = `{openapi: 3.0.1, info: {title: t}, paths: {${METHODS}}, components: {schemas: {A: {type: object}}, securitySchemes: ${OWN}}}`;
const REST_AUTHS = [
  `{Authorizers: {${POOL}, ${LAMBDA}}, DefaultAuthorizer: Pool, AddDefaultAuthorizerToCorsPreflight: false}`,
  '{ApiKeyRequired: true, DefaultAuthorizer: AWS_IAM, AddApiKeyRequiredToCorsPreflight: false}',
  '{DefaultAuthorizer: AWS_IAM, InvokeRole: NONE}',
  `{Authorizers: {${REQUEST}}}`,
  `{ApiKeyRequired: true, Authorizers: {${POOL}, ${REQUEST}}, DefaultAuthorizer: Asked}`,
  '{ApiKeyRequired: true}',
  '{InvokeRole: NONE}',
];
const HTTP_AUTHS = [
  `{Authorizers: {${JWT}, ${CALL}}, DefaultAuthorizer: Jwt}`,
  '{EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM}',
  `{EnableIamAuthorizer: true, Authorizers: {${CALL}}, DefaultAuthorizer: Call}`,
  `{Authorizers: {${JWT}}}`,
];
const REST_CORS = ['Cors: "\'*\'"', 'Cors: {AllowOrigin: !Sub "\'${Millis}\'", AllowCredentials: true, MaxAge: 0}'];
const REST_PARTS = [...REST_AUTHS.map((auth) => `Auth: ${auth}`), ...REST_CORS];
const BOTH = REST_CORS.flatMap((cors) => REST_AUTHS.slice(0, 2).map((auth) => `${cors}, Auth: ${auth}`));
/** APIs with a definition in the template, and what SAM adds to it. */
const INLINE = (
  [
    ['Api', SWAGGER, [...REST_PARTS, ...BOTH]],
    ['Api', OPEN_API, [...REST_PARTS, ...BOTH]],
    ['HttpApi', OPEN_API, HTTP_AUTHS.map((auth) => `Auth: ${auth}`)],
  ] as const
).flatMap(([kind, definition, parts]) => parts.map((part) => ({ kind, text: inline(kind, definition, part) })));

function inline(kind: Kind, definition: string, part: string): string {
  const stage = kind === 'Api' ? 'StageName: dev, ' : '';
  return `${TYPED_HEAD}  Api: {Type: AWS::Serverless::${kind}, Properties: {${stage}DefinitionBody: ${definition}, ${part}}}
  Check: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Runtime: python3.12, Handler: index.handler}}
  Users: {Type: AWS::Cognito::UserPool}
`;
}

/** What we make of such an API, or why only SAM can. */
function withParts(kind: Kind, text: string): TemplateMap | string {
  const stack = stackOf(text);
  const written = mapOf(resourceOf(stack.source, 'Api')['Properties']);
  const resolved = mapOf(resourceOf(stack.resolved, 'Api')['Properties']);
  const values = createStackValues(stack, SOURCE);
  const { Auth = null, Cors = null, DefinitionBody } = mapOf(values.resolve(resolved, stack));
  const document = mapOf(DefinitionBody);
  const add = kind === 'Api' ? addRestAuth : addHttpAuth;
  const place = { partition: 'aws', region: 'us-east-1' };
  const why = whyInlineUncertain(written['DefinitionBody'], document, written);
  if (why !== undefined) return why;
  const withCors = addCors(document, { Auth, Cors }) ?? {};
  return Auth === null ? withCors : add(withCors, { auth: mapOf(Auth), place });
}

const HTTP_TEXTS = Object.keys(HTTP).length;

describe('the definition that SAM generates for events', () => {
  const bodies: TemplateMap[] = [];
  const moved: Template[] = [];
  const taken: boolean[] = [];
  const inlined: TemplateMap[] = [];
  let types: Pick<Transformed, 'events' | 'resources'>;
  beforeAll(async () => {
    await installSamCli();
    const { templates, ...others } = transform([
      ...MOVING,
      ...TYPED_TEXTS,
      ...INLINE.map(({ text }) => text),
      ...CASES.flatMap(({ texts }) => texts),
    ]);
    types = others;
    moved.push(...templates.splice(0, MOVING.length).map((one) => one ?? {}));
    taken.push(...templates.splice(0, TYPED.length).map((one) => one !== null));
    inlined.push(...templates.splice(0, INLINE.length).map((one) => bodyOf(one ?? {})));
    bodies.push(...templates.map((one) => bodyOf(one ?? {})));
  });

  it('of the template itself gets from Auth and Cors what SAM adds', () => {
    for (const [index, { kind, text }] of INLINE.entries()) {
      const { tags = null, ...expected } = inlined[index] ?? {};
      expect(expected['paths'], text).toBeDefined();
      expect(tags === null, text).toBe(kind === 'Api');
      expect(withParts(kind, text), text).toEqual(expected);
    }
  });

  it.each([
    ['an include', SWAGGER.replace('parameters: []', 'Fn::Transform: {Name: AWS::Include}')],
    ['a method with a condition', SWAGGER.replace('get: {', 'get: {"Fn::If": [A, {}, {}]}, head: {')],
    ['an intrinsic function in security', SWAGGER.replace('[{Own: []}]', '[{Own: !Split [",", a]}]')],
    ['a path with more than methods', SWAGGER.replace('parameters: []', 'summary: s')],
    ['a method in capital letters', SWAGGER.replace('get: {', 'Get: {')],
    ['no version', SWAGGER.replace('swagger: "2.0", ', '')],
    ['headers that SAM converts', OPEN_API.replace('options: {', 'options: {responses: {"200": {headers: {A: {}}}}, ')],
  ])('of the template itself is left to SAM where it may add something else: %s', (_, definition) => {
    expect(withParts('Api', inline('Api', definition, 'Auth: {ApiKeyRequired: true}'))).toMatch(/SAM (?:sees|knows)/);
  });

  it('has values of the types that SAM takes', () => {
    expect(byProperty(RESOURCE_TYPES)).toEqual(types.resources);
    for (const [owner, events] of Object.entries(EVENT_TYPES)) expect(byProperty(events)).toEqual(types.events[owner]);
    expect(taken).toEqual(TYPED.map(([, isTaken]) => isTaken));
    expect(TYPED_TEXTS.map((text) => !hasRefusedType(parseTemplate(text, 'template.yaml', [])))).toEqual(taken);
  });

  it.each(KINDS)('waits while the deployment has to remove a method or to change its function: %s', (kind) => {
    const deployed = moved[KINDS.indexOf(kind)] ?? {};
    const { Body: written = null } = mapOf(resourceOf(deployed, 'Api')['Properties']);
    const resolved = bodyOf(deployed);
    const why = (first: string, others: string): string | undefined =>
      whyOtherMethods({ written: mapOf(written), resolved }, apiEvents(stackOf(moving(kind, first, others)), 'Api'));
    expect(why('/a', route(kind, '/b'))).toBeUndefined();
    expect(why('/a', route(kind, '/b') + route(kind, '/c', 'New'))).toBeUndefined();
    expect(why('/b', route(kind, '/a'))).toMatch(/^only the deployment changes the function of GET ./);
    expect(why('/a', '')).toBe('only the deployment removes GET /b');
  });

  it.each(CASES)('is written again from that of each other template, as SAM writes it: $name', (one) => {
    const first = CASES.slice(0, CASES.indexOf(one)).reduce((count, { texts }) => count + texts.length, 0);
    for (const [from, before] of one.variants.entries())
      for (const [to, after] of one.variants.entries()) {
        const written = replaced(one.kind, one.texts[to] ?? '', bodies[first + from] ?? {});
        expect(written, `from ${before} to ${after}`).toEqual(bodies[first + to]);
      }
  });

  const HIDDEN = 'SAM sees an intrinsic function where only its value is known';
  const FORM = 'only the deployment can check and set a value of this form';
  const FORMS = 'only the deployment can check and set values of this form';
  it.each<[string, Kind, Variant, string]>([
    ['a function as a switch', 'Api', { get: 'Auth: {ApiKeyRequired: !Equals [a, b]}' }, `Fn.Get: ${HIDDEN}`],
    [
      'a function that leaves a value out',
      'HttpApi',
      { any: 'TimeoutInMillis: !If [A, 1, 2]' },
      `Other.Any: ${HIDDEN}`,
    ],
    ['a function in Auth', 'Api', { api: 'Auth: {DefaultAuthorizer: !Ref Millis}' }, `Auth: ${HIDDEN}`],
    ['text in place of a boolean', 'Api', { api: 'Auth: {ApiKeyRequired: "true"}' }, `Auth: ${FORM}`],
    ['an authorizer that is not there', 'Api', { get: 'Auth: {Authorizer: Gone}' }, `Fn.Get: ${FORMS}`],
    ['no default to leave out', 'HttpApi', { get: 'Auth: {Authorizer: NONE}' }, `Fn.Get: ${FORMS}`],
    ['scopes without an authorizer', 'Api', { get: 'Auth: {AuthorizationScopes: [a]}' }, `Fn.Get: ${FORMS}`],
    ['no API key to leave out', 'Api', { get: 'Auth: {ApiKeyRequired: false}' }, `Fn.Get: ${FORMS}`],
    ['an unknown member', 'HttpApi', { api: 'Auth: {Authorizer: x}' }, `Auth: ${FORM}`],
    [
      'two kinds of one authorizer',
      'Api',
      { api: 'Auth: {Authorizers: {A: {UserPoolArn: a, FunctionArn: b}}}' },
      `Auth: ${FORM}`,
    ],
    [
      'a request without a source',
      'Api',
      { api: 'Auth: {Authorizers: {A: {FunctionArn: b, FunctionPayloadType: REQUEST}}}' },
      `Auth: ${FORM}`,
    ],
    [
      'a token from nowhere',
      'HttpApi',
      { api: 'Auth: {Authorizers: {A: {JwtConfiguration: {issuer: b}}}}' },
      `Auth: ${FORM}`,
    ],
    [
      'scopes without a token',
      'HttpApi',
      {
        api: 'Auth: {Authorizers: {A: {FunctionArn: b, AuthorizerPayloadFormatVersion: "2.0", AuthorizationScopes: [a]}}}',
      },
      `Auth: ${FORM}`,
    ],
    [
      'a function without the version of its payload',
      'HttpApi',
      { api: 'Auth: {Authorizers: {A: {FunctionArn: b}}}' },
      `Auth: ${FORM}`,
    ],
    [
      'a token with what only functions have',
      'HttpApi',
      {
        api: 'Auth: {Authorizers: {A: {JwtConfiguration: {issuer: b}, IdentitySource: c, EnableSimpleResponses: true}}}',
      },
      `Auth: ${FORM}`,
    ],
    ['a model that is not there', 'Api', { get: 'RequestModel: {Model: Pet}' }, `Fn.Get: ${FORMS}`],
    ['a parameter of another place', 'Api', { get: 'RequestParameters: [method.request.body.x]' }, `Fn.Get: ${FORMS}`],
    ['what SAM adds twice', 'Api', { get: 'Auth: {Authorizer: AWS_IAM, OverrideApiAuth: true}' }, `Fn.Get: ${FORMS}`],
    ['no time at all', 'HttpApi', { get: 'TimeoutInMillis: 0' }, `Fn.Get: ${FORMS}`],
    ['credentials for every origin', 'Api', { api: 'Cors: {AllowCredentials: true}' }, `Cors: ${FORM}`],
    ['CORS for no origin', 'Api', { api: "Cors: {AllowOrigin: ''}" }, `Cors: ${FORM}`],
    ['CORS of another form', 'HttpApi', { api: 'CorsConfiguration: {Origins: [a]}' }, `CorsConfiguration: ${FORM}`],
  ])('is left to SAM where it may write something else: %s', (_, kind, variant, why) => {
    const body = bodies[kind === 'Api' ? 0 : bodies.length - HTTP_TEXTS];
    expect(replace(kind, template(kind, '', variant), body ?? {})).toEqual({ why });
  });

  it('is left to SAM if a method has what it does not write for an event today', () => {
    const [body = {}] = bodies;
    const other = { ...body, paths: { '/a/{id}': { get: { 'x-amazon-apigateway-new': true } } } };
    const why = 'Fn.Get: only SAM knows what else is in its method';
    expect(replace('Api', template('Api', '', {}), other)).toEqual({ why });
  });

  it('names the authorizers that need a permission to call their function', () => {
    const text = template('Api', '', REST['authorizers'] ?? {});
    const result = replace('Api', text, bodies[0] ?? {});
    expect(result).toMatchObject({
      calling: ['Token', 'Asked'].map((name) => ({ name, isNew: true, needsPermission: true })),
    });
    const again = replace('Api', text, 'body' in result ? result.body : {});
    expect(again).toMatchObject({ calling: [{ isNew: false }, { isNew: false }] });
  });
});
