import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { RESOURCE_KINDS, pathProperties } from '../../../src/template/kinds/kinds.ts';
import { findLocalPaths, resolveLocalPath } from '../../../src/template/local-paths.ts';
import type { LocalPath } from '../../../src/template/local-paths.ts';
import { getAt, setAt } from '../../../src/template/template-path.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';

function find(template: string, resolved?: string): LocalPath[] {
  return findLocalPaths(
    parseTemplate(template, 'f'),
    resolved === undefined ? undefined : parseTemplate(resolved, 'f'),
  );
}

/** `Properties.…=value` of each, for tables. */
function summary(paths: readonly LocalPath[]): string[] {
  return paths.map((local) => `${local.path.slice(2).join('.')}=${local.value}`);
}

const resource = (type: string, properties: string): string =>
  `Resources: {R: {Type: '${type}', Properties: ${properties}}}`;

const PATHS = Object.keys(RESOURCE_KINDS).flatMap((type) => pathProperties(type).map((row) => ({ type, ...row })));

describe('properties with a local path', () => {
  it('are those of SAM CLI', () => {
    expect(PATHS.map((row) => `${row.type} ${row.property.join('.')} ${row.content} ${formName(row.form)}`)).toEqual([
      'AWS::Serverless::Function CodeUri code s3-uri',
      'AWS::Lambda::Function Code code S3Bucket/S3Key',
      'AWS::Serverless::LayerVersion ContentUri code s3-uri',
      'AWS::Lambda::LayerVersion Content code S3Bucket/S3Key',
      'AWS::Serverless::WebFunction CodeUri code s3-uri',
      'AWS::Serverless::Api DefinitionUri file s3-uri',
      'AWS::ApiGateway::RestApi BodyS3Location file Bucket/Key',
      'AWS::Serverless::HttpApi DefinitionUri file s3-uri',
      'AWS::ApiGatewayV2::Api BodyS3Location file Bucket/Key',
      'AWS::Serverless::StateMachine DefinitionUri file Bucket/Key',
      'AWS::StepFunctions::StateMachine DefinitionS3Location file Bucket/Key',
      'AWS::AppSync::GraphQLSchema DefinitionS3Location file s3-uri',
      'AWS::AppSync::Resolver RequestMappingTemplateS3Location file s3-uri',
      'AWS::AppSync::Resolver ResponseMappingTemplateS3Location file s3-uri',
      'AWS::AppSync::Resolver CodeS3Location file s3-uri',
      'AWS::AppSync::FunctionConfiguration RequestMappingTemplateS3Location file s3-uri',
      'AWS::AppSync::FunctionConfiguration ResponseMappingTemplateS3Location file s3-uri',
      'AWS::AppSync::FunctionConfiguration CodeS3Location file s3-uri',
      'AWS::Serverless::GraphQLApi SchemaUri file s3-uri',
      'AWS::Serverless::GraphQLApi Functions.*.CodeUri file s3-uri',
      'AWS::Serverless::GraphQLApi Resolvers.*.*.CodeUri file s3-uri',
      'AWS::CloudFormation::Stack TemplateURL template https-url',
      'AWS::Serverless::Application Location template https-url',
      'AWS::CloudFormation::StackSet TemplateURL file https-url',
      'AWS::CloudFormation::ModuleVersion ModulePackage zip s3-uri',
      'AWS::CloudFormation::ResourceVersion SchemaHandlerPackage zip s3-uri',
      'AWS::ElasticBeanstalk::ApplicationVersion SourceBundle zip S3Bucket/S3Key',
      'AWS::Glue::Job Command.ScriptLocation file s3-uri',
    ]);
  });

  it.each(PATHS.filter((row) => !row.property.includes('*')))('are found: $type $property', (row) => {
    const template = setAt(
      parseTemplate(resource(row.type, '{}'), 'f'),
      ['Resources', 'R', 'Properties', ...row.property],
      './x',
    );
    const found = findLocalPaths(template).filter((local) => local.value === './x');
    expect(found).toEqual([
      {
        logicalId: 'R',
        type: row.type,
        path: ['Resources', 'R', 'Properties', ...row.property],
        value: './x',
        content: row.content,
        form: row.form,
      },
    ]);
  });
});

function formName(form: LocalPath['form']): string {
  return form.kind === 'map' ? `${form.bucket}/${form.key}` : form.kind;
}

describe('findLocalPaths', () => {
  it.each<[type: string, properties: string, found: string[]]>([
    ['AWS::Serverless::Function', '{CodeUri: ./src}', ['Properties.CodeUri=./src']],
    ['AWS::Serverless::Function', '{CodeUri: file:///abs/src}', ['Properties.CodeUri=file:///abs/src']],
    ['AWS::Serverless::Function', '{CodeUri: s3://b/k}', []],
    ['AWS::Serverless::Function', '{CodeUri: S3://b/k}', []],
    ['AWS::Serverless::Function', '{CodeUri: {Bucket: b, Key: k}}', []],
    ['AWS::Serverless::Function', '{CodeUri: !Ref Code}', []],
    ['AWS::Serverless::Function', '{CodeUri: "{{resolve:ssm:/code}}"}', []],
    ['AWS::Serverless::Function', '{CodeUri: !If [C, ./a, ./b]}', []],
    ['AWS::Serverless::Function', '{}', ['Properties.CodeUri=.']],
    ['AWS::Serverless::Function', '{InlineCode: x}', []],
    ['AWS::Serverless::Function', '{PackageType: Image, ImageUri: x}', []],
    ['AWS::Serverless::LayerVersion', '{}', ['Properties.ContentUri=.']],
    ['AWS::Lambda::Function', '{Code: {ZipFile: x}}', []],
    ['AWS::Lambda::Function', '{Code: {S3Bucket: b, S3Key: k}}', []],
    ['AWS::Lambda::Function', '{Code: {ImageUri: x}, PackageType: Image}', []],
    ['AWS::Lambda::Function', '{}', ['Properties.Code=.']],
    ['AWS::Serverless::Api', '{}', []],
    ['AWS::Serverless::Api', '{DefinitionUri: ""}', []],
    ['AWS::Serverless::Api', '{DefinitionUri: https://x/y}', []],
    [
      'AWS::Serverless::Api',
      '{DefinitionUri: !If [C, ./a, !If [D, ./b, s3://c/d]]}',
      ['Properties.DefinitionUri.Fn::If.1=./a', 'Properties.DefinitionUri.Fn::If.2.Fn::If.1=./b'],
    ],
    ['AWS::Glue::Job', '{Command: {ScriptLocation: job.py}}', ['Properties.Command.ScriptLocation=job.py']],
    ['AWS::Glue::Job', '{Command: !If [C, {ScriptLocation: job.py}, x]}', []],
    [
      'AWS::Serverless::GraphQLApi',
      '{SchemaUri: ./s.graphql, Functions: {F: {CodeUri: ./f.js}}, Resolvers: {Query: {Q: {CodeUri: ./q.js}, P: {Pipeline: [F]}}}}',
      [
        'Properties.SchemaUri=./s.graphql',
        'Properties.Functions.F.CodeUri=./f.js',
        'Properties.Resolvers.Query.Q.CodeUri=./q.js',
      ],
    ],
    ['AWS::Serverless::Application', '{Location: {ApplicationId: a, SemanticVersion: b}}', []],
    ['AWS::Serverless::Application', '{Location: https://x/y}', []],
    ['AWS::Serverless::Application', '{Location: child/template.yaml}', ['Properties.Location=child/template.yaml']],
    ['AWS::SNS::Topic', '{CodeUri: ./x}', []],
  ])('%s %s', (type, properties, found) => {
    expect(summary(find(resource(type, properties)))).toEqual(found);
  });

  it('finds what Globals say where the function says nothing', () => {
    const template = `
Globals: {Function: {CodeUri: ./all}, Api: {DefinitionUri: ./api.yaml}}
Resources:
  Own: {Type: AWS::Serverless::Function, Properties: {CodeUri: ./own}}
  Shared: {Type: AWS::Serverless::Function}
  Without: {Type: AWS::Serverless::Function, IgnoreGlobals: '*'}
  Inline: {Type: AWS::Serverless::Function, Properties: {InlineCode: x}}
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: x}}
`;
    expect(find(template).map((local) => `${local.logicalId} ${local.value}`)).toEqual([
      'Own ./own',
      'Shared ./all',
      'Without .',
      'Api ./api.yaml',
    ]);
  });

  it('looks values up in the resolved template', () => {
    const written = resource('AWS::Serverless::Function', '{CodeUri: !Sub "./${Env}"}');
    const resolved = resource('AWS::Serverless::Function', '{CodeUri: ./dev}');
    expect(summary(find(written, resolved))).toEqual(['Properties.CodeUri=./dev']);
  });

  it('does not look into a mapping that an intrinsic function gives', () => {
    const written = resource('AWS::Glue::Job', '{Command: !FindInMap [A, b, c]}');
    const resolved = resource('AWS::Glue::Job', '{Command: {ScriptLocation: ./x}}');
    expect(find(written, resolved)).toEqual([]);
  });

  it('finds metadata of the application repository and includes, wherever they are', () => {
    const template = `
Transform: {Name: AWS::Include, Parameters: {Location: top.yaml}}
Metadata:
  AWS::ServerlessRepo::Application: {Name: x, LicenseUrl: LICENSE, ReadmeUrl: s3://b/README.md}
Mappings: !Transform {Name: AWS::Include, Parameters: {Location: s3://b/mappings.yaml}}
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        Fn::Transform: {Name: AWS::Include, Parameters: {Location: ./api.yaml}}
      Tags:
        - Fn::Transform: {Name: Other, Parameters: {Location: ./no.yaml}}
        - Fn::Transform: {Name: AWS::Include, Parameters: {Location: ./tags.yaml}}
`;
    expect(find(template).map((local) => [local.path.join('.'), local.value])).toEqual([
      ['Metadata.AWS::ServerlessRepo::Application.LicenseUrl', 'LICENSE'],
      ['Resources.Api.Properties.Body.Fn::Transform.Parameters.Location', './api.yaml'],
      ['Resources.Api.Properties.Tags.1.Fn::Transform.Parameters.Location', './tags.yaml'],
      ['Transform.Parameters.Location', 'top.yaml'],
    ]);
  });

  it('finds includes in a list of transforms', () => {
    const template = 'Transform: [AWS::Serverless-2016-10-31, {Name: AWS::Include, Parameters: {Location: a.yaml}}]';
    expect(find(template).map((local) => local.path)).toEqual([['Transform', '1', 'Parameters', 'Location']]);
  });
});

describe('resolveLocalPath', () => {
  it.each<[value: string, absolute: string]>([
    ['./src', '/app/src'],
    ['src/', '/app/src'],
    ['../src', '/src'],
    ['/abs', '/abs'],
    ['file:///abs/a%20b', '/abs/a b'],
    ['file://src', '/app/src'],
    ['.', '/app'],
  ])('%s', (value, absolute) => {
    expect(resolveLocalPath(value, '/app')).toBe(path.resolve(absolute));
  });
});

describe('setAt', () => {
  const template = parseTemplate('a: {b: [1, {c: 2}], d: 3}\ne: {f: 4}', 'f');

  it.each<[at: string[], result: string]>([
    [['a', 'd'], 'a: {b: [1, {c: 2}], d: x}\ne: {f: 4}'],
    [['a', 'b', '1', 'c'], 'a: {b: [1, {c: x}], d: 3}\ne: {f: 4}'],
    [['a', 'b', '0'], 'a: {b: [x, {c: 2}], d: 3}\ne: {f: 4}'],
    [['e', 'new', 'deep'], 'a: {b: [1, {c: 2}], d: 3}\ne: {f: 4, new: {deep: x}}'],
    [['e', 'f', 'g'], 'a: {b: [1, {c: 2}], d: 3}\ne: {f: {g: x}}'],
  ])('sets %j', (at, result) => {
    const before = structuredClone(template);
    const changed = setAt(template, at, 'x');
    expect(changed).toEqual(parseTemplate(result, 'f'));
    expect(getAt(changed, at)).toBe('x');
    expect(template).toEqual(before);
  });

  it('shares what it does not change', () => {
    expect(setAt(template, ['a', 'd'], 'x')['e']).toBe(template['e']);
  });

  it('does not find what is only inherited', () => {
    expect(getAt(template, ['a', 'constructor'])).toBeUndefined();
  });
});
