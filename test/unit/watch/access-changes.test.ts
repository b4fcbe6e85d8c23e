import { expect, it } from 'vitest';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';
import { accessChanges } from '../../../src/watch/work/access-changes.ts';
import { fakeStack } from '../../support/stack-builder.ts';

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: dev, Auth: {Authorizers: {Own: {FunctionArn: !GetAtt Checks.Arn}}}}}
  Inline: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionBody: {paths: {/a: {get: {uri: !Sub "\${Serves.Arn}"}}}}}}
  Plain: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {paths: {/a: {get: {uri: !GetAtt Serves.Arn}}}}}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {Definition: {StartAt: !GetAtt Serves.Arn}}}
  Serves: {Type: AWS::Serverless::Function, Properties: {Events: {Get: {Type: Api, Properties: {Path: /, Method: get, RestApiId: !Ref Rest}}}}}
  Checks: {Type: AWS::Serverless::Function, Properties: {}}
  Other: {Type: AWS::Serverless::Function, Properties: {}}
`;
const source = parseTemplate(TEMPLATE, 'template');

it.each([
  ['authorization, with authorizers', 'Rest', 'Auth', ['Checks', 'Serves']],
  ['events', 'Rest', 'Events', ['Checks', 'Serves']],
  ['a definition in the template, which may hold authorization', 'Inline', 'DefinitionBody', ['Serves']],
  ['the body of an API without SAM', 'Plain', 'Body', ['Serves']],
  ['not throttling', 'Rest', 'MethodSettings', undefined],
  ['not the definition of a state machine', 'Flow', 'Definition', undefined],
])('the functions behind an API decide when its callers change: %s', (_what, id, name, named) => {
  const changes = accessChanges(fakeStack({ source, resolved: source }), [[id, [name]]]);
  expect(changes.get(id)?.toSorted()).toEqual(named);
});
