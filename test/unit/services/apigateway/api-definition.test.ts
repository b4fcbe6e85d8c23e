import { describe, expect, it } from 'vitest';
import { readDefinitions } from '../../../../src/model/definitions.ts';
import type { DefinedResource } from '../../../../src/model/definitions.ts';
import { readApiDefinition } from '../../../../src/services/apigateway/api-definition.ts';
import type { ServiceContext } from '../../../../src/services/service-context.ts';
import type { TemplateMap } from '../../../../src/template/template.ts';
import { parseTemplate } from '../../../../src/template/yaml/yaml.ts';
import { fakeStack } from '../../../support/stack-builder.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const BODY: TemplateMap = { openapi: '3.0.1', info: { title: 'mine' }, paths: { '/a': {} } };

/** Values are what is written, but for these, which CloudFormation alone knows. */
const tools = (missing: readonly string[] = []): ServiceContext =>
  ({
    values: { resolve: async (value: unknown) => ({ value, missing }) },
    stacks: { stackId: async () => 'arn:aws:cloudformation:us-east-1:000000000000:stack/app/1' },
  }) as unknown as ServiceContext;

/** The API `Api` with these properties and this definition. */
function resource(type: string, properties: TemplateMap, body: unknown = BODY): DefinedResource {
  const property = type.startsWith('AWS::Serverless') ? 'DefinitionBody' : 'Body';
  const api = { Type: type, Properties: { ...properties, [property]: body as TemplateMap } };
  const [defined] = readDefinitions(fakeStack({ source: { Resources: { Api: api } } }));
  if (defined === undefined) throw new Error(`${type} has no definition`);
  return defined;
}
const REST = 'AWS::Serverless::Api';
const HTTP = 'AWS::Serverless::HttpApi';

/** What is sent for an API with these properties, or why nothing can be. */
async function read(type: string, properties: TemplateMap, body: unknown = BODY, template = 'Resources: {}') {
  const stack = fakeStack({ source: parseTemplate(template, 'x') });
  const result = await readApiDefinition(tools(), resource(type, properties, body), stack);
  return 'body' in result ? (JSON.parse(result.body) as unknown) : result;
}

describe('what SAM adds in a way that only SAM knows needs a deployment', () => {
  it.each([
    [REST, { Models: {} }, /^Api: Models makes SAM change/],
    [REST, { GatewayResponses: {}, Models: {} }, /^Api: GatewayResponses, Models make SAM change/],
    [REST, { Cors: "'*'" }, /^Api: SAM sees an intrinsic function in place of/],
    [REST, { Auth: { ResourcePolicy: {} } }, /^Api: only SAM knows which policy it writes for Auth.ResourcePolicy/],
    [REST, { MergeDefinitions: true }, /MergeDefinitions/],
    [HTTP, { Auth: { DefaultAuthorizer: 'x' } }, /^Api: SAM sees an intrinsic function in place of/],
  ])('%s %j', async (type, properties, why) => {
    expect(await read(type, properties)).toMatchObject({ action: 'blocked', why: expect.stringMatching(why) });
  });

  it.each([
    [REST, { MergeDefinitions: false }],
    [REST, { Auth: null }],
    [REST, { Name: 'n', StageName: 'dev' }],
    ['AWS::ApiGateway::RestApi', { Cors: 'not of this type' }],
  ])('not: %s %j', async (type, properties) => {
    expect(await read(type, properties as TemplateMap)).toEqual(BODY);
  });

  it.each([
    ['{RestApiId: !Ref Api, Auth: {OverrideApiAuth: true}}', true],
    ['{ApiId: !Ref Api, Auth: {OverrideApiAuth: true}}', true],
    ['{RestApiId: !Ref Other, Auth: {OverrideApiAuth: true}}', false],
    ['{RestApiId: !Ref Api, Auth: {OverrideApiAuth: false}}', false],
    ['{RestApiId: !Ref Api, Auth: {Authorizer: NONE}}', false],
    ['{RestApiId: !Ref Api}', false],
  ])('an event with %s: %s', async (event, isBlocked) => {
    const fn = `{Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: Api, Properties: ${event}}}}}`;
    const result = await read(REST, {}, BODY, `Resources: {Fn: ${fn}}`);
    if (!isBlocked) return expect(result).toEqual(BODY);
    expect(result).toMatchObject({ action: 'blocked', why: expect.stringContaining('OverrideApiAuth of an event') });
  });
});

describe('events that SAM adds to the definition of an HTTP API in the template need a deployment', () => {
  const method = { 'x-amazon-apigateway-integration': { type: 'aws_proxy' } };
  const body: TemplateMap = {
    openapi: '3.0.1',
    paths: {
      '/a': { get: method },
      '/b/{id}': { get: method, put: { ...method, parameters: [{ name: 'id', in: 'path', required: true }] } },
    },
  };
  it.each([
    ['Path: /a, Method: GET', false],
    ['Path: "/b/{id}", Method: put', false],
    ['Path: /new, Method: get', true],
    ['Path: /a, Method: post', true],
    ['Path: /a, Method: get, TimeoutInMillis: 5000', true],
    ['Path: "/b/{id}", Method: get', true],
  ])('%s: %s', async (properties, isBlocked) => {
    const event = (api: string) => `{Type: HttpApi, Properties: {ApiId: !Ref ${api}, ${properties}}}`;
    const template = (api: string) =>
      `Resources: {Fn: {Type: AWS::Serverless::Function, Properties: {Events: {E: ${event(api)}}}}}`;
    const why = 'Api: event Fn.E makes SAM change its definition';
    const result = await read(HTTP, {}, body, template('Api'));
    expect(result).toMatchObject(isBlocked ? { action: 'blocked', why } : { openapi: '3.0.1' });
    expect(await read(HTTP, {}, body, template('Other'))).toMatchObject({ openapi: '3.0.1' });
  });
});

describe('what SAM writes into a definition is written', () => {
  const SERVERS = [{ 'x-amazon-apigateway-endpoint-configuration': { disableExecuteApiEndpoint: true } }];
  const CREATED = { name: 'httpapi:createdBy', 'x-amazon-apigateway-tag-value': 'SAM' };

  it.each<[string, string, TemplateMap, TemplateMap, object]>([
    [
      'binary types',
      REST,
      { BinaryMediaTypes: ['image~1png', '*~1*'] },
      BODY,
      { ...BODY, 'x-amazon-apigateway-binary-media-types': ['image/png', '*/*'] },
    ],
    ['a closed endpoint, OpenAPI 3', REST, { DisableExecuteApiEndpoint: true }, BODY, { ...BODY, servers: SERVERS }],
    [
      'a closed endpoint, Swagger 2',
      REST,
      { DisableExecuteApiEndpoint: true },
      { swagger: '2.0' },
      { swagger: '2.0', ...SERVERS[0] },
    ],
    [
      'a closed endpoint of servers that say more',
      REST,
      { DisableExecuteApiEndpoint: true },
      { ...BODY, servers: [{ url: 'u' }] },
      { ...BODY, servers: [{ url: 'u', ...SERVERS[0] }] },
    ],
    [
      'name and description of an HTTP API, unless the definition has them',
      HTTP,
      { Name: 'other', Description: 'd' },
      BODY,
      { ...BODY, info: { title: 'mine', description: 'd' }, tags: [CREATED] },
    ],
    [
      'tags of an HTTP API beside those of the definition',
      HTTP,
      { Tags: { team: 'b' } },
      { ...BODY, tags: [{ name: 'team', description: 'kept' }, { name: 'x' }] },
      {
        ...BODY,
        tags: [{ name: 'team', description: 'kept', 'x-amazon-apigateway-tag-value': 'b' }, { name: 'x' }, CREATED],
      },
    ],
    [
      'CORS for everybody',
      HTTP,
      { CorsConfiguration: true },
      BODY,
      { ...BODY, tags: [CREATED], 'x-amazon-apigateway-cors': { allowOrigins: ['*'] } },
    ],
    ['no CORS', HTTP, { CorsConfiguration: false }, BODY, { ...BODY, tags: [CREATED] }],
    [
      'CORS over what the definition says',
      HTTP,
      { CorsConfiguration: { AllowOrigins: ['https://a'], MaxAge: 5 } },
      { ...BODY, 'x-amazon-apigateway-cors': { allowMethods: ['GET'] } },
      {
        ...BODY,
        tags: [CREATED],
        'x-amazon-apigateway-cors': { allowMethods: ['GET'], allowOrigins: ['https://a'], maxAge: 5 },
      },
    ],
    [
      'the default route, where warnings fail',
      HTTP,
      { FailOnWarnings: true },
      { ...BODY, paths: { $default: { x: 1 }, '/a': {} } },
      { ...BODY, tags: [CREATED], paths: { '/a': {}, '/$default': { x: 1 } } },
    ],
  ])('%s', async (_name, type, properties, body, expected) => {
    expect(await read(type, properties, body)).toEqual(expected);
  });
});

describe('a definition that cannot be sent', () => {
  it('because CloudFormation alone knows a value', async () => {
    const result = await readApiDefinition(tools(['!ImportValue x']), resource(REST, {}), fakeStack());
    expect(result).toMatchObject({ action: 'blocked', why: expect.stringContaining('!ImportValue x') });
  });

  it('because it is none', async () => {
    expect(await read(REST, {}, ['a'])).toMatchObject({
      action: 'blocked',
      why: 'Api: its definition is not a mapping',
    });
  });
});

it('a file goes as it is, whatever the properties say', async () => {
  const text = '# mine\nopenapi: 3.0.1\n';
  const file = `${await tempFolder({ 'api.yaml': text })}/api.yaml`;
  const given = { ...resource(REST, { Cors: "'*'" }), definition: { kind: 'file' as const, path: file } };
  expect(await readApiDefinition(tools(), given, fakeStack())).toMatchObject({ body: text });
});
