import { readFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { readDefinitions } from '../../src/model/definitions.ts';
import { readStacks } from '../../src/model/read-stacks.ts';
import { createStackValues } from '../../src/model/stack-values.ts';
import type { ServiceContext } from '../../src/services/service-context.ts';
import { readApiDefinition } from '../../src/services/apigateway/api-definition.ts';
import {
  composeDefinition,
  definitionName,
  fillFromDeployed,
  sameDefinition,
} from '../../src/services/stepfunctions/state-machine-definition.ts';
import { mapOf } from '../../src/template/template.ts';
import { copyApp } from '../support/app.ts';
import { fuzz, mutatedText, orUserError } from '../support/fuzz.ts';

const app = await copyApp('shop');
const file = path.join(app, 'api/rest.yaml');

/** The definition from a file, as a file that is included, and as the body of APIs with settings. */
const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  File: { Type: AWS::Serverless::Api, Properties: { StageName: x, DefinitionUri: api/rest.yaml } }
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: x
      BinaryMediaTypes: [image~1png]
      DisableExecuteApiEndpoint: true
      DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: api/rest.yaml } } }
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      Name: http
      Tags: { a: b }
      FailOnWarnings: true
      DisableExecuteApiEndpoint: true
      CorsConfiguration: { AllowOrigins: ['*'] }
      DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: api/rest.yaml } } }
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties: { Definition: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: api/rest.yaml } } } }
`;
await fs.writeFile(path.join(app, 'template.yaml'), TEMPLATE);

const OPENAPI = [
  readFileSync(file, 'utf8'),
  JSON.stringify({
    openapi: '3.0.1',
    info: { title: 'x', version: '1' },
    servers: [{ url: 'https://127.0.0.1' }],
    tags: [{ name: 'a', 'x-amazon-apigateway-tag-value': 'b' }],
    paths: { $default: { 'x-amazon-apigateway-any-method': { isDefaultRoute: true } }, '/x': { get: {} } },
    'x-amazon-apigateway-cors': { allowOrigins: ['x'] },
    'x-amazon-apigateway-endpoint-configuration': { disableExecuteApiEndpoint: true },
  }),
];

fuzz(
  'an OpenAPI file that is changed at random is sent as it is, completed, or refused in a sentence',
  400,
  mutatedText(OPENAPI),
  async (text) => {
    await fs.writeFile(file, text);
    const read = await orUserError(() =>
      readStacks({
        templateFile: path.join(app, 'template.yaml'),
        parameterOverrides: {},
        pseudo: { region: 'us-east-1', stackName: 'x' },
        cwd: app,
      }),
    );
    if (read === undefined) return;
    const known = createStackValues(read.root, { resource: () => 'arn', parameter: () => 'value' });
    const values = {
      resolve: async (...[value, stack]: Parameters<typeof known.resolve>) => ({
        value: known.resolve(value, stack),
        missing: [],
      }),
      condition: known.condition,
    };
    const stacks = { stackId: async () => 'arn:aws:cloudformation:us-east-1:000000000000:stack/app/1' };
    for (const resource of readDefinitions(read.root))
      await orUserError(() => readApiDefinition({ values, stacks } as unknown as ServiceContext, resource, read.root));
  },
);

const MACHINES = [
  readFileSync(path.join(app, 'flow/flow.asl.yaml'), 'utf8'),
  '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Fn}", "End": true, "Seconds": ${N}}}}',
];

fuzz(
  'a state machine that is changed at random, with its substitutions, is sent as it is, completed, or refused in a sentence',
  1_500,
  mutatedText(MACHINES),
  async (text) => {
    const substitutions = mapOf({
      Fn: { 'Fn::GetAtt': ['Fn', 'Arn'] },
      N: 1,
      GreetArn: '${N}${N}',
      [text.slice(0, 20)]: text,
    });
    const definition = await orUserError(() => composeDefinition('Machine', { text, file: 'm.asl' }, substitutions));
    if (definition === undefined) return;
    fillFromDeployed(definition, text);
    sameDefinition(definition, text);
    definitionName(definition);
  },
);
