import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLayerReferences } from '../../../src/model/layer-references.ts';
import { readStacks } from '../../../src/model/read-stacks.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const HEAD = 'Transform: AWS::Serverless-2016-10-31';
const LAYER = '{Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: .}}';
const RAW = '{Type: AWS::Lambda::LayerVersion, Properties: {Content: .}}';
const fn = (layers: string) =>
  `{Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: a.b, Runtime: python3.12${layers === '' ? '' : `, Layers: ${layers}`}}}`;

/** The references of function `F` (or `Child/F`) in short: identifiers of layers, `other`, `unknown`. */
async function layersOf(files: Record<string, string>, id = 'F', overrides: Record<string, string> = {}) {
  const folder = await tempFolder(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${name}.yaml`, `${HEAD}\n${text}`])),
  );
  const { root } = await readStacks({
    templateFile: path.join(folder, 'root.yaml'),
    parameterOverrides: overrides,
    pseudo: { region: 'eu-west-1', stackName: 'app' },
    cwd: folder,
  });
  return readLayerReferences(root)
    .get(id)
    ?.map((entry) => (typeof entry === 'string' ? entry : entry.layer));
}

const root = (layers: string, more = '') => `${more}\nResources: {A: ${LAYER}, B: ${RAW}, F: ${fn(layers)}}`;

describe('layers of a function in one stack', () => {
  it.each([
    ['!Ref', '[!Ref B, !Ref A]', ['B', 'A']],
    ['an ARN as text', "['arn:aws:lambda:eu-west-1:123456789012:layer:A:1', !Ref A]", ['other', 'A']],
    ['Fn::Sub', '[!Sub "${A}"]', ['A']],
    ['Fn::Sub with a variable', '[!Sub ["${L}", {L: !Ref B}]]', ['B']],
    ['GetAtt of the version', '[!GetAtt A.LayerVersionArn]', ['A']],
    ['Fn::Join and Fn::Split', '!Split [",", !Join [",", [!Ref A, !Ref B]]]', ['A', 'B']],
    ['Fn::Select', '[!Select [1, [!Ref A, !Ref B]]]', ['B']],
    ['another resource', '[!Ref F]', ['unknown']],
    ['an import', '[!ImportValue x]', ['unknown']],
    ['AWS::NoValue', '[!Ref AWS::NoValue, !Ref A]', ['A']],
  ])('%s', async (_, layers, expected) => {
    expect(await layersOf({ root: root(layers) })).toEqual(expected);
  });

  it('are none', async () => {
    expect(await layersOf({ root: root('') })).toBeUndefined();
  });

  it('defect 14: come from Globals, before its own', async () => {
    const globals = 'Globals: {Function: {Layers: [!Ref A]}}';
    expect(await layersOf({ root: root('[!Ref B]', globals) })).toEqual(['A', 'B']);
    expect(await layersOf({ root: root('', globals) })).toEqual(['A']);
  });

  it.each([
    ['on', ['A']],
    ['off', ['B']],
  ])('defect 14: depend on a condition that is %s', async (value, expected) => {
    const more = 'Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, "on"]}';
    expect(await layersOf({ root: root('[!If [C, !Ref A, !Ref B]]', more) }, 'F', { P: value })).toEqual(expected);
  });
});

const parent = (parameters: string, resources = '') =>
  `Resources: {A: ${LAYER}, B: ${LAYER}, Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml${parameters === '' ? '' : `, Parameters: ${parameters}`}}}${resources}}`;

describe('layers through nested stacks', () => {
  it.each([
    ['a parameter', 'String', '{L: !Ref A}', '[!Ref L]', ['A']],
    ['a list', 'CommaDelimitedList', '{L: !Join [",", [!Ref B, !Ref A]]}', '!Ref L', ['B', 'A']],
    ['a parameter in Fn::Sub', 'String', '{L: !Sub "${A}"}', '[!Sub "${L}"]', ['A']],
  ])('%s', async (_, type, parameters, layers, expected) => {
    const child = `Parameters: {L: {Type: ${type}}}\nResources: {F: ${fn(layers)}}`;
    expect(await layersOf({ root: parent(parameters), child }, 'Child/F')).toEqual(expected);
  });

  it('an output of another nested stack, through two parameters', async () => {
    const files = {
      root: `Resources: {Layers: {Type: AWS::Serverless::Application, Properties: {Location: layers.yaml}}, Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {L: !GetAtt Layers.Outputs.Shared}}}}`,
      layers: `Resources: {A: ${LAYER}}\nOutputs: {Shared: {Value: !Ref A}}`,
      child:
        'Parameters: {L: {Type: String}}\nResources: {Grand: {Type: AWS::Serverless::Application, Properties: {Location: grand.yaml, Parameters: {M: !Ref L}}}}',
      grand: `Parameters: {M: {Type: String}}\nResources: {F: ${fn('[!Ref M]')}}`,
    };
    expect(await layersOf(files, 'Child/Grand/F')).toEqual(['Layers/A']);
  });

  it('an output directly', async () => {
    const files = {
      root: `Resources: {Layers: {Type: AWS::Serverless::Application, Properties: {Location: layers.yaml}}, F: ${fn('[!GetAtt Layers.Outputs.Shared]')}}`,
      layers: `Resources: {A: ${LAYER}}\nOutputs: {Shared: {Value: !Ref A}}`,
    };
    expect(await layersOf(files)).toEqual(['Layers/A']);
  });

  it('a condition that depends on what the parent passes', async () => {
    const child = `Parameters: {Mode: {Type: String, Default: x}, L: {Type: String}}
Conditions: {C: !Equals [!Ref Mode, prod]}
Resources: {Own: ${LAYER}, F: ${fn('[!If [C, !Ref L, !Ref Own]]')}}`;
    expect(await layersOf({ root: parent('{L: !Ref A, Mode: prod}'), child }, 'Child/F')).toEqual(['A']);
    expect(await layersOf({ root: parent('{L: !Ref A}'), child }, 'Child/F')).toEqual(['Child/Own']);
  });

  it('a parameter whose value is in SSM', async () => {
    const child = `Parameters: {L: {Type: AWS::SSM::Parameter::Value<String>}}\nResources: {F: ${fn('[!Ref L]')}}`;
    expect(await layersOf({ root: parent('{L: /layers/shared}'), child }, 'Child/F')).toEqual(['unknown']);
  });
});
