import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readStacks } from '../../../src/model/read-stacks.ts';
import { readVersionReferences } from '../../../src/model/version-references.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const HEAD = 'Transform: AWS::Serverless-2016-10-31';

/** The values that follow each resource's code: of the root template and others by name. */
async function referencesOf(files: Record<string, string>, overrides: Record<string, string> = {}) {
  const folder = await tempFolder(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${name}.yaml`, `${HEAD}\n${text}`])),
  );
  const { root } = await readStacks({
    templateFile: path.join(folder, 'root.yaml'),
    parameterOverrides: overrides,
    pseudo: { region: 'eu-west-1', stackName: 'app' },
    cwd: folder,
  });
  return Object.fromEntries(readVersionReferences(root));
}

const FN = 'Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: python3.12';
const RESOURCES = `
  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: .}}
  Raw: {Type: AWS::Lambda::LayerVersion, Properties: {Content: .}}
  F: {${FN}, AutoPublishAlias: live}}
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev, DefinitionUri: root.yaml}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: root.yaml, AutoPublishAlias: live}}
`;
const parameter = (value: string): string =>
  `  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: ${value}}}`;
const HERE = ['P (Value)'];

describe('values that follow new code', () => {
  it.each([
    ['a layer', '!Ref L', { L: HERE }],
    ['an attribute of it', '!GetAtt L.LayerVersionArn', { L: HERE }],
    ["a layer that is not SAM's", '!Ref Raw', { Raw: HERE }],
    ['the version of a function', '!Ref F.Version', { F: HERE }],
    ['an attribute of it', '!GetAtt F.Version.Version', { F: HERE }],
    ['a text', '!Sub "${AWS::AccountId} ${F.Version} ${L}"', { F: HERE, L: HERE }],
    ['a variable of a text', '!Sub ["${V}", {V: !Ref L}]', { L: HERE }],
    ['the number of a version', '!Select [7, !Split [":", !Ref L]]', { L: HERE }],
    ['a list', '!Join [",", [!Ref AWS::AccountId, !Ref L]]', { L: HERE }],
    ['a text that is encoded', '!Base64 {"Fn::Sub": "${L}"}', { L: HERE }],
    ['the deployment of an API', '!Ref Api.Deployment', { Api: HERE }],
    ['the revision of a state machine', '!GetAtt Flow.StateMachineRevisionId', { Flow: HERE }],
    ['the version that SAM makes of it', '!Ref FlowVersion', { Flow: HERE }],
    ['what stays: the alias', '!Ref F.Alias', {}],
    ['what stays: the stage', '!Ref Api.Stage', {}],
    ['what stays: the function', '!GetAtt F.Arn', {}],
    ['what stays: the state machine', '!Ref Flow', {}],
  ])('%s', async (_, value, expected) => {
    expect(await referencesOf({ root: `Resources:${RESOURCES}${parameter(value)}` })).toEqual(expected);
  });

  it('stand in outputs, exports, environment variables, Globals, definitions and attributes of resources', async () => {
    const root = `Globals: {Function: {Environment: {Variables: {ALL: !Ref L}}}}
Resources:${RESOURCES}
  G: {${FN}, Environment: {Variables: {ONE: !Ref L}}}, Metadata: {Layer: !Ref L}}
  Body:
    Type: AWS::Serverless::HttpApi
    Properties: {DefinitionBody: {paths: {/h: {get: {x-amazon-apigateway-integration: {uri: !Sub 'arn:\${F.Version}'}}}}}}
Outputs:
  Arn: {Value: !Ref L}
  Exported: {Value: x, Export: {Name: !Sub 'layer-\${L}'}}
`;
    expect(await referencesOf({ root })).toEqual({
      L: [
        'F (Environment.Variables.ALL)',
        'G (Environment.Variables.ALL)',
        'G (Environment.Variables.ONE)',
        'G (Metadata.Layer)',
        'output Arn',
        'output Exported',
      ],
      F: ['Body (DefinitionBody.paths./h.get.x-amazon-apigateway-integration.uri)'],
    });
  });

  it('are not the layers of functions, however they get them, nor what is not made', async () => {
    const root = `Parameters: {Prod: {Type: String, Default: 'no'}}
Conditions: {IsProd: !Equals [!Ref Prod, 'yes']}
Globals: {Function: {Layers: [!Ref L]}}
Resources:${RESOURCES}
  G: {Type: AWS::Lambda::Function, Properties: {Code: ., Handler: a.b, Runtime: python3.12, Layers: [!Ref Raw]}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Layer: !Ref L}}}
  Off: {Type: AWS::SSM::Parameter, Condition: IsProd, Properties: {Type: String, Value: !Ref L}}
Outputs: {Off: {Condition: IsProd, Value: !Ref L}}
`;
    const child = `Parameters: {Layer: {Type: String}}
Resources: {F: {${FN}, Layers: [!Ref Layer]}}}
Outputs: {Layer: {Value: !Ref Layer}}`;
    expect(await referencesOf({ root, child })).toEqual({});
    expect(await referencesOf({ root, child }, { Prod: 'yes' })).toEqual({ L: ['Off (Value)', 'output Off'] });
  });

  it('are followed through parameters and outputs of nested stacks; those of stacks elsewhere are ends', async () => {
    const root = `Resources:${RESOURCES}
  Child:
    Type: AWS::Serverless::Application
    Properties: {Location: child.yaml, Parameters: {Layer: !Ref L, Version: !Ref F.Version}}
  Far: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://s3.amazonaws.com/b/t', Parameters: {X: !Ref L}}}
Outputs: {Deep: {Value: !GetAtt Child.Outputs.Own}}
`;
    const child = `Parameters: {Layer: {Type: String}, Version: {Type: String}}
Resources:
  Own: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: .}}
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Sub '\${Layer} \${Version}'}}
Outputs:
  Own: {Value: !Ref Own}
  Shared: {Value: !Ref Own, Export: {Name: shared}}`;
    expect(await referencesOf({ root, child })).toEqual({
      L: ['Child/P (Value)', 'Far (Parameters.X)'],
      F: ['Child/P (Value)'],
      'Child/Own': ['output Child/Shared', 'output Deep'],
    });
  });

  it('of a function follow what its version is named after', async () => {
    const version = (more: string): string => `Resources:
  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: ., PublishLambdaVersion: true}}
  F: {${FN}, AutoPublishAlias: live, Layers: [!Ref L], ${more}}}
Outputs: {V: {Value: !Ref F.Version}}`;
    expect(await referencesOf({ root: version('AutoPublishCodeSha256: abc') })).toEqual({});
    expect(await referencesOf({ root: version('MemorySize: 128') })).toEqual({ F: ['output V'] });
    const all = await referencesOf({ root: version('AutoPublishAliasAllProperties: true') });
    expect(all).toEqual({ F: ['output V'], L: ['output V'] });
  });
});
