import {
  CreateDeploymentCommand,
  DeleteDeploymentCommand,
  FlushStageAuthorizersCacheCommand,
  FlushStageCacheCommand,
  GetResourcesCommand,
  GetStageCommand,
  ImportRestApiCommand,
  PutRestApiCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
import {
  CreateDeploymentCommand as CreateHttpDeploymentCommand,
  CreateStageCommand,
  GetApiCommand,
  GetDeploymentsCommand,
  GetRoutesCommand,
  GetStagesCommand,
  ImportApiCommand,
  ReimportApiCommand,
  UpdateDeploymentCommand,
} from '@aws-sdk/client-apigatewayv2';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  StartSyncExecutionCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  callHttpApi,
  callRestApi,
  clients,
  deployTemplate,
  runStateMachine,
  startTestCloud,
  type TestCloud,
} from '../support/cloud.ts';

const BUCKET = 'definitions';
const ROLE = 'arn:aws:iam::000000000000:role/x';

let cloud: TestCloud;
let aws: ReturnType<typeof clients>;

beforeAll(async () => {
  cloud = await startTestCloud();
  aws = clients(cloud.endpoint);
  await aws.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(() => cloud.stop());

const put = (key: string, body: unknown) =>
  aws.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: JSON.stringify(body) }));

/** A definition with mock integrations: path → what it answers. */
function mocks(answers: Record<string, string>, method = 'get') {
  const paths = Object.entries(answers).map(([path, text]) => {
    const integration = {
      type: 'mock',
      requestTemplates: { 'application/json': '{"statusCode": 200}' },
      responses: {
        default: {
          statusCode: '200',
          responseTemplates: { 'application/json': JSON.stringify(text) },
          responseParameters: { 'method.response.header.X-From': "'mock'" },
        },
      },
    };
    const operation = { 'x-amazon-apigateway-integration': integration, responses: { 200: { description: 'ok' } } };
    return [path, { [method]: operation }];
  });
  return { openapi: '3.0.1', info: { title: 'mocks', version: '1' }, paths: Object.fromEntries(paths) };
}

const bytes = (document: unknown) => Buffer.from(JSON.stringify(document));
const getRest = async (id: string, path: string, stage = 'test') =>
  (await callRestApi(cloud.endpoint, { id, stage, path })).body;
const MISSING = { message: 'Missing Authentication Token' };

async function importRestApi(document: unknown) {
  const { id } = await aws.apigateway.send(new ImportRestApiCommand({ body: bytes(document) }));
  await aws.apigateway.send(new CreateDeploymentCommand({ restApiId: id, stageName: 'test' }));
  return id!;
}
const overwrite = (restApiId: string, body: Uint8Array) =>
  aws.apigateway.send(new PutRestApiCommand({ restApiId, mode: 'overwrite', body }));

describe('REST APIs', () => {
  it('imports a definition, with its integration responses', async () => {
    const id = await importRestApi(mocks({ '/a/{x}': 'one' }));
    const answer = await callRestApi(cloud.endpoint, { id, stage: 'test', path: '/a/b' });
    expect([answer.status, answer.body, answer.headers.get('x-from')]).toEqual([200, 'one', 'mock']);
  });

  it('imports the method for any method', async () => {
    const id = await importRestApi(mocks({ '/a': 'any' }, 'x-amazon-apigateway-any-method'));
    const answer = await callRestApi(cloud.endpoint, { id, stage: 'test', path: '/a' }, { method: 'DELETE' });
    expect(answer.body).toBe('any');
  });

  it('answers as deployed until a stage gets another deployment', async () => {
    const id = await importRestApi(mocks({ '/a': 'one' }));
    const before = await aws.apigateway.send(new GetStageCommand({ restApiId: id, stageName: 'test' }));
    await overwrite(id, bytes(mocks({ '/b': 'two' })));
    expect(await getRest(id, '/a')).toBe('one');
    const { id: value } = await aws.apigateway.send(new CreateDeploymentCommand({ restApiId: id }));
    expect(await getRest(id, '/b')).toEqual(MISSING);
    const stage = { restApiId: id, stageName: 'test' };
    const move = (deployment: string | undefined) =>
      aws.apigateway.send(
        new UpdateStageCommand({
          ...stage,
          patchOperations: [{ op: 'replace', path: '/deploymentId', value: deployment }],
        }),
      );
    await expect(move('unknown')).rejects.toThrow('Deployment id does not exist');
    await move(value);
    expect([await getRest(id, '/a'), await getRest(id, '/b')]).toEqual([MISSING, 'two']);
    const remove = (deploymentId: string | undefined) =>
      aws.apigateway.send(new DeleteDeploymentCommand({ restApiId: id, deploymentId }));
    await expect(remove(value)).rejects.toThrow('Active stages pointing to this deployment must be moved or deleted');
    await remove(before.deploymentId);
    for (const Flush of [FlushStageCacheCommand, FlushStageAuthorizersCacheCommand]) {
      await aws.apigateway.send(new Flush(stage));
      await expect(aws.apigateway.send(new Flush({ ...stage, stageName: 'no' }))).rejects.toThrow('Invalid Stage');
    }
  });

  it('adds to an API with mode merge', async () => {
    const id = await importRestApi(mocks({ '/a': 'one' }));
    await aws.apigateway.send(
      new PutRestApiCommand({ restApiId: id, mode: 'merge', body: bytes(mocks({ '/b': 'x' })) }),
    );
    const { items } = await aws.apigateway.send(new GetResourcesCommand({ restApiId: id }));
    expect(items?.map((item) => item.path).sort()).toEqual(['/', '/a', '/b']);
  });

  it.each([
    ['neither JSON nor YAML', '{{', 'Unable to parse API definition'],
    ['no OpenAPI document', 'a: 1', 'Invalid OpenAPI input'],
    [
      'an intrinsic that nobody resolved',
      'swagger: "2.0"\npaths: {/a: {get: {x-amazon-apigateway-integration: {type: aws_proxy, uri: {"Fn::Sub": "x"}}}}}',
      "Unable to put integration on 'GET' for resource at path '/a'",
    ],
  ])('refuses a definition and stays as it is: %s', async (_what, text, message) => {
    const id = await importRestApi(mocks({ '/a': 'one' }));
    await expect(overwrite(id, Buffer.from(text))).rejects.toThrow(message);
    await aws.apigateway.send(new CreateDeploymentCommand({ restApiId: id, stageName: 'test' }));
    expect(await getRest(id, '/a')).toBe('one');
  });

  it('has another deployment after each change on a stage with automatic deployment', async () => {
    const ApiId = await importHttpApi(proxy('/a'));
    const stage = async () => (await aws.apigatewayv2.send(new GetStagesCommand({ ApiId }))).Items![0]!;
    const { DeploymentId } = await stage();
    expect(await stage()).toMatchObject({ DeploymentId });
    const about = { ApiId, DeploymentId, Description: 'of /a' };
    await aws.apigatewayv2.send(new UpdateDeploymentCommand(about));
    const list = async () => (await aws.apigatewayv2.send(new GetDeploymentsCommand({ ApiId }))).Items!;
    expect(await list()).toMatchObject([{ DeploymentId, AutoDeployed: true, Description: 'of /a' }]);
    await reimport(ApiId, proxy('/b'));
    expect((await stage()).DeploymentId).not.toBe(DeploymentId);
    expect(await list()).toHaveLength(1);
  });

  it.each([
    ['Body', async (document: unknown) => ({ Body: document })],
    [
      'BodyS3Location',
      async (document: unknown) => {
        const Key = `rest-${JSON.stringify(document).length}`;
        await put(Key, document);
        return { BodyS3Location: { Bucket: BUCKET, Key } };
      },
    ],
  ])('keeps its id when CloudFormation changes its %s', async (place, definition) => {
    const template = async (document: unknown, Version: string) => ({
      Resources: {
        Api: { Type: 'AWS::ApiGateway::RestApi', Properties: await definition(document) },
        [`Deployment${Version}`]: { Type: 'AWS::ApiGateway::Deployment', Properties: { RestApiId: { Ref: 'Api' } } },
        Stage: {
          Type: 'AWS::ApiGateway::Stage',
          Properties: { RestApiId: { Ref: 'Api' }, StageName: 'test', DeploymentId: { Ref: `Deployment${Version}` } },
        },
      },
      Outputs: { Id: { Value: { Ref: 'Api' } } },
    });
    const name = `rest-${place}`;
    const first = await deployTemplate(cloud.endpoint, name, await template(mocks({ '/a': 'one' }), '1'));
    expect(await getRest(first.outputs['Id']!, '/a')).toBe('one');
    const second = await deployTemplate(cloud.endpoint, name, await template(mocks({ '/a': 'number two' }), '2'));
    expect([second.status, second.outputs]).toEqual(['UPDATE_COMPLETE', first.outputs]);
    expect(await getRest(first.outputs['Id']!, '/a')).toBe('number two');
  });

  it('answers a preflight request itself', async () => {
    const id = await importRestApi(mocks({ '/a': 'preflight' }, 'options'));
    const init = { method: 'OPTIONS', headers: { Origin: 'http://elsewhere.test' } };
    expect((await callRestApi(cloud.endpoint, { id, stage: 'test', path: '/a' }, init)).body).toBe('preflight');
  });
});

/** A definition whose one path answers with the health of the emulator. */
const proxy = (path: string, more = {}) => ({
  openapi: '3.0.1',
  info: { title: `title of ${path}`, version: '1' },
  paths: {
    [path]: {
      get: {
        'x-amazon-apigateway-integration': {
          type: 'http_proxy',
          httpMethod: 'GET',
          uri: `${cloud.endpoint}/_sam-sync/health`,
          payloadFormatVersion: '1.0',
        },
      },
    },
  },
  ...more,
});
const statusOf = async (id: string, path: string, stage?: string) =>
  (await callHttpApi(cloud.endpoint, { id, path, ...(stage === undefined ? {} : { stage }) })).status;
const reimport = (ApiId: string, document: unknown) =>
  aws.apigatewayv2.send(new ReimportApiCommand({ ApiId, Body: JSON.stringify(document) }));

async function importHttpApi(document: unknown) {
  const { ApiId } = await aws.apigatewayv2.send(new ImportApiCommand({ Body: JSON.stringify(document) }));
  await aws.apigatewayv2.send(new CreateStageCommand({ ApiId, StageName: '$default', AutoDeploy: true }));
  return ApiId!;
}

describe('HTTP APIs', () => {
  it('imports a definition, and another in its place', async () => {
    const id = await importHttpApi(proxy('/a'));
    expect([await statusOf(id, '/a'), await statusOf(id, '/b')]).toEqual([200, 404]);
    const answer = await reimport(id, proxy('/b'));
    expect(answer).toMatchObject({ ApiId: id, Name: 'title of /b' });
    expect([await statusOf(id, '/a'), await statusOf(id, '/b')]).toEqual([404, 200]);
    await reimport(id, proxy('/b'));
    const { Items } = await aws.apigatewayv2.send(new GetRoutesCommand({ ApiId: id }));
    expect(Items).toHaveLength(1);
    await expect(reimport(id, { no: 'document' })).rejects.toThrow('Invalid OpenAPI input');
  });

  it('answers on a stage without automatic deployment as deployed', async () => {
    const ApiId = await importHttpApi(proxy('/a'));
    await aws.apigatewayv2.send(new CreateStageCommand({ ApiId, StageName: 'manual' }));
    expect(await statusOf(ApiId, '/a', 'manual')).toBe(404);
    await aws.apigatewayv2.send(new CreateHttpDeploymentCommand({ ApiId, StageName: 'manual' }));
    await reimport(ApiId, proxy('/b'));
    expect([await statusOf(ApiId, '/a', 'manual'), await statusOf(ApiId, '/b', 'manual')]).toEqual([200, 404]);
  });

  it.each([
    ['Body', async (document: unknown) => ({ Body: document })],
    [
      'BodyS3Location',
      async (document: unknown) => {
        const Key = `http-${JSON.stringify(document).length}`;
        await put(Key, document);
        return { BodyS3Location: { Bucket: BUCKET, Key } };
      },
    ],
  ])('keeps its id when CloudFormation changes its %s', async (place, definition) => {
    const template = async (document: unknown) => ({
      Resources: {
        Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: await definition(document) },
        Stage: {
          Type: 'AWS::ApiGatewayV2::Stage',
          Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true },
        },
      },
      Outputs: { Id: { Value: { Ref: 'Api' } } },
    });
    const first = await deployTemplate(cloud.endpoint, `http-${place}`, await template(proxy('/a')));
    const id = first.outputs['Id']!;
    expect(await statusOf(id, '/a')).toBe(200);
    const second = await deployTemplate(cloud.endpoint, `http-${place}`, await template(proxy('/longer')));
    expect(second.outputs).toEqual(first.outputs);
    expect([await statusOf(id, '/a'), await statusOf(id, '/longer')]).toEqual([404, 200]);
    const { Name } = await aws.apigatewayv2.send(new GetApiCommand({ ApiId: id }));
    expect(Name).toBe('title of /longer');
  });

  it.each([
    ['the definition', (origin: string) => ({ 'x-amazon-apigateway-cors': { allowOrigins: [origin] } }), {}],
    ['the template', () => ({}), { CorsConfiguration: { AllowOrigins: ['http://allowed.test'] } }],
  ])('allows the origins that %s names', async (place, inDefinition, properties) => {
    const Body = proxy('/a', inDefinition('http://allowed.test'));
    const Stage = { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true };
    const template = {
      Resources: {
        Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Body, ...properties } },
        Stage: { Type: 'AWS::ApiGatewayV2::Stage', Properties: Stage },
      },
      Outputs: { Id: { Value: { Ref: 'Api' } } },
    };
    const { outputs } = await deployTemplate(cloud.endpoint, `cors-${place.replace(' ', '-')}`, template);
    const preflight = { method: 'OPTIONS', headers: { Origin: 'http://allowed.test' } };
    const answer = await callHttpApi(cloud.endpoint, { id: outputs['Id']!, path: '/a' }, preflight);
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://allowed.test');
  });
});

describe('state machines', () => {
  it('start from a REST API without a function between, as SAM connects them', async () => {
    const { outputs } = await deployTemplate(cloud.endpoint, 'started', {
      Transform: 'AWS::Serverless-2016-10-31',
      Resources: {
        Flow: {
          Type: 'AWS::Serverless::StateMachine',
          Properties: {
            Definition: { StartAt: 'Pass', States: { Pass: { Type: 'Pass', End: true } } },
            Events: {
              Start: { Type: 'Api', Properties: { Path: '/start', Method: 'post', UnescapeMappingTemplate: true } },
            },
          },
        },
      },
      Outputs: { Api: { Value: { Ref: 'ServerlessRestApi' } } },
    });
    const input = { text: `it's "a/b"` };
    const { status, body } = await callRestApi(
      cloud.endpoint,
      { id: outputs['Api'] ?? '', stage: 'Prod', path: '/start' },
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) },
    );
    expect(status, JSON.stringify(body)).toBe(200);
    const { executionArn } = body as { executionArn: string };
    const execution = await aws.sfn.send(new DescribeExecutionCommand({ executionArn }));
    expect(JSON.parse(execution.input ?? '')).toEqual(input);
  });

  const pass = { StartAt: 'A', States: { A: { Type: 'Pass', Result: 'done', End: true } } };

  it('are read from YAML by CloudFormation', async () => {
    const definition = 'StartAt: A\nStates:\n  A: {Type: Pass, Result: "${What}", End: true}\n';
    await aws.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'machine.yaml', Body: definition }));
    const Properties = {
      RoleArn: ROLE,
      DefinitionS3Location: { Bucket: BUCKET, Key: 'machine.yaml' },
      DefinitionSubstitutions: { What: 'substituted' },
    };
    const template = {
      Resources: { Machine: { Type: 'AWS::StepFunctions::StateMachine', Properties } },
      Outputs: { Arn: { Value: { Ref: 'Machine' } } },
    };
    const { outputs } = await deployTemplate(cloud.endpoint, 'machine', template);
    expect(await runStateMachine(cloud.endpoint, outputs['Arn']!)).toBe('substituted');
  });

  it('answer a synchronous execution', async () => {
    const input = { name: 'express', type: 'EXPRESS' as const, definition: JSON.stringify(pass), roleArn: ROLE };
    const { stateMachineArn } = await aws.sfn.send(new CreateStateMachineCommand(input));
    const answer = await aws.sfn.send(new StartSyncExecutionCommand({ stateMachineArn }));
    expect([answer.status, answer.output]).toEqual(['SUCCEEDED', '"done"']);
  });

  it.each([
    ['YAML', 'StartAt: A\nStates: {A: {Type: Pass, End: true}}', 'INVALID_JSON_DESCRIPTION'],
    ['no such start', JSON.stringify({ ...pass, StartAt: 'B' }), 'MISSING_TRANSITION_TARGET'],
    [
      'a substitution that is left',
      JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Task', Resource: '${Fn}', End: true } } }),
      'not a valid resource ARN at /States/A/Resource',
    ],
  ])('are not updated by a wrong definition: %s', async (what, definition, message) => {
    const input = { name: what.replaceAll(' ', '-'), definition: JSON.stringify(pass), roleArn: ROLE };
    const { stateMachineArn } = await aws.sfn.send(new CreateStateMachineCommand(input));
    const update = (text: string) => aws.sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition: text }));
    await expect(update(definition)).rejects.toThrow(message);
    expect(await runStateMachine(cloud.endpoint, stateMachineArn!)).toBe('done');
    expect((await update(input.definition)).revisionId).toMatch(/^[\w-]+$/);
  });
});
