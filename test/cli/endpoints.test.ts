import { expect, it } from 'vitest';
import { localAddresses } from '../../src/cloud/local-addresses.ts';
import { openCloud } from '../support/open-cloud.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const HANDLER =
  'def handler(event, context):\n    return {"statusCode": 200, "body": "hello from " + context.function_name}\n';
const OPENAPI = `openapi: 3.0.1
info: {title: x, version: '1'}
paths:
  /mock:
    get:
      responses: {'200': {description: ok}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: '200', responseTemplates: {application/json: mocked}}}
`;
const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.11, CodeUri: fn, Handler: app.handler}
Parameters:
  Stage: {Type: String, Default: test}
Conditions:
  Never: !Equals [a, b]
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      FunctionUrlConfig: {AuthType: NONE}
      Events:
        Get: {Type: Api, Properties: {Path: /hello, Method: get}}
        Post: {Type: Api, Properties: {Path: /items, Method: post}}
        Other: {Type: Api, Properties: {Path: /other, Method: any, RestApiId: !Ref Named}}
        Hidden: {Type: Api, Properties: {Path: /hidden, Method: get, RestApiId: !Ref Hidden}}
        Http: {Type: HttpApi, Properties: {Path: /hi, Method: get}}
        Rest: {Type: HttpApi}
        Timer: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
  Aliased:
    Type: AWS::Serverless::Function
    Properties: {AutoPublishAlias: live, FunctionUrlConfig: {AuthType: AWS_IAM}}
  Absent:
    Type: AWS::Serverless::Function
    Condition: Never
    Properties:
      Events:
        Get: {Type: Api, Properties: {Path: /absent, Method: get}}
  Named: {Type: AWS::Serverless::Api, Properties: {StageName: !Ref Stage}}
  Hidden: {Type: AWS::Serverless::Api, Properties: {StageName: x, DisableExecuteApiEndpoint: true}}
  Defined: {Type: AWS::Serverless::Api, Properties: {StageName: v1, DefinitionUri: api.yaml}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml}}
  Raw: {Type: AWS::ApiGateway::RestApi, Properties: {Name: raw}}
  RawPart: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Raw, ParentId: !GetAtt Raw.RootResourceId, PathPart: a}}
  RawLeaf: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Raw, ParentId: !Ref RawPart, PathPart: b}}
  RawMethod:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Raw
      ResourceId: !Ref RawLeaf
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{"statusCode": 200}'}
        IntegrationResponses: [{StatusCode: '200', ResponseTemplates: {application/json: raw}}]
      MethodResponses: [{StatusCode: '200'}]
  RawDeployment: {Type: AWS::ApiGateway::Deployment, DependsOn: RawMethod, Properties: {RestApiId: !Ref Raw}}
  RawStage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Raw, DeploymentId: !Ref RawDeployment, StageName: raw}}
Outputs:
  Api: {Value: !Sub 'https://\${ServerlessRestApi}.execute-api.\${AWS::Region}.amazonaws.com/Prod/hello'}
  Url: {Value: !GetAtt HelloUrl.FunctionUrl}
  Name: {Value: !Ref Hello}
`;
const CHILD = `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      CodeUri: fn
      Handler: app.handler
      Events: {Get: {Type: HttpApi, Properties: {Path: /child, Method: get}}}
`;
const FILES = { 'template.yaml': TEMPLATE, 'child.yaml': CHILD, 'api.yaml': OPENAPI, 'fn/app.py': HANDLER };

interface Document {
  outputs: Record<string, string>;
  localOutputs?: Record<string, string>;
  endpoints: { resource: string; method: string; url: string }[];
}

const { cloud, proxy } = await openCloud();

it('each way to call an application is listed with an address that works, on the local cloud and on AWS', async () => {
  const dir = await tempFolder(FILES);
  const run = (...args: string[]) =>
    runCli(['--stack-name', 'ends', '--yes', ...args], {
      cwd: dir,
      env: { ...cloud.env, AWS_ENDPOINT_URL: proxy.endpoint },
    });
  const first = await run('--output', 'json');
  expect(first.code, first.stderr).toBe(0);
  const onAws = JSON.parse(first.stdout) as Document;
  const shapes = onAws.endpoints.map(({ resource, method, url }) => `${method} ${resource} ${withoutIds(url)}`);
  expect(shapes).toEqual([
    'GET Hello https://ID.execute-api.us-east-1.amazonaws.com/Prod/hello',
    'POST Hello https://ID.execute-api.us-east-1.amazonaws.com/Prod/items',
    'ANY Hello https://ID.execute-api.us-east-1.amazonaws.com/test/other',
    'GET Hello https://ID.execute-api.us-east-1.amazonaws.com/hi',
    'ANY Hello https://ID.execute-api.us-east-1.amazonaws.com/',
    'GET RawMethod https://ID.execute-api.us-east-1.amazonaws.com/raw/a/b',
    'GET Defined https://ID.execute-api.us-east-1.amazonaws.com/v1/mock',
    'GET Child/Fn https://ID.execute-api.us-east-1.amazonaws.com/child',
    'ANY Hello https://ID.lambda-url.us-east-1.on.aws/',
    'ANY Aliased https://ID.lambda-url.us-east-1.on.aws/',
  ]);
  expect(onAws.localOutputs).toBeUndefined();

  const answers = onAws.endpoints.map(async ({ url, method }) => {
    const answer = await fetch(localAddresses(url, cloud.endpoint), { method: method === 'POST' ? 'POST' : 'GET' });
    return `${answer.status} ${await answer.text()}`;
  });
  const hello = expect.stringMatching(/^200 hello from ends-Hello-/);
  expect(await Promise.all(answers)).toEqual([
    ...Array.from({ length: 5 }, () => hello),
    '200 raw',
    '200 mocked',
    expect.stringMatching(/^200 hello from ends-Child-/),
    hello,
    '403 {"Message":"Forbidden"}',
  ]);

  // again: nothing changed, and the addresses cost no call
  proxy.clear();
  const { stdout } = await run();
  expect(stdout).toMatch(/^Endpoints of ends\nMethod {2}URL +Resource\n/m);
  expect(stdout).toMatch(/^ANY +https:\S+ +Aliased \(IAM\)$/m);
  expect(stdout).toMatch(/\nTry it: curl https:\/\/\w+\.execute-api\.us-east-1\.amazonaws\.com\/Prod\/hello\n$/);
  expect(proxy.calls.map(({ operation }) => operation)).not.toContain('ListStackResources');
  expect(proxy.calls.filter(({ path }) => path.includes('/url')).length).toBe(0);
});

function withoutIds(url: string): string {
  return url.replace(/\/\/\w+\./, '//ID.');
}
