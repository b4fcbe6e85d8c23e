import { describe, expect, it, test } from 'vitest';
import {
  appendLayer,
  dependencyLayerId,
  dependencyLayerName,
  planDependencyLayer,
} from '../../../src/builder/dependency-layers/dependency-layer.ts';
import {
  countedReadme,
  dependencyLayerTemplate,
} from '../../../src/builder/dependency-layers/dependency-layer-stack.ts';
import { fakeFunction } from '../../support/stack-builder.ts';

describe('names are those of SAM CLI (docs/sam-cli-behaviour.md#dependency-layers)', () => {
  it('makes logical ids and layer names', () => {
    expect(dependencyLayerId('HelloWorldFunction')).toBe('HelloWorldFunction19d43fc4DepLayer');
    expect(dependencyLayerName('my-stack', 'HelloWorldFunction')).toBe(
      'my-stack5f9d0add-HelloWorldFunction19d43fc4-DepLayer',
    );
  });

  it('counts the whole path of a nested function, cuts long names', () => {
    expect(dependencyLayerId('Child/Hello')).toMatch(/^ChildHello[0-9a-f]{8}DepLayer$/);
    const long = 'A'.repeat(80);
    expect(dependencyLayerId(long)).toMatch(/^A{48}[0-9a-f]{8}DepLayer$/);
    expect(dependencyLayerName('s'.repeat(40), long)).toMatch(/^s{16}[0-9a-f]{8}-A{22}[0-9a-f]{8}-DepLayer$/);
  });

  it('makes the nested stack', () => {
    const template = dependencyLayerTemplate(
      [fakeFunction({ id: 'HelloWorldFunction', runtime: 'python3.12' })],
      'my-stack',
    );
    expect(template['Resources']).toEqual({
      HelloWorldFunction19d43fc4DepLayer: {
        Type: 'AWS::Serverless::LayerVersion',
        Properties: {
          LayerName: 'my-stack5f9d0add-HelloWorldFunction19d43fc4-DepLayer',
          Description: 'Auto created layer for dependencies of function HelloWorldFunction',
          ContentUri: 'HelloWorldFunction19d43fc4DepLayer',
          RetentionPolicy: 'Delete',
          CompatibleRuntimes: ['python3.12'],
        },
        Metadata: { CreatedBy: 'AWS SAM CLI sync command' },
      },
    });
    expect(template['Outputs']).toEqual({
      HelloWorldFunction19d43fc4DepLayer: { Value: { Ref: 'HelloWorldFunction19d43fc4DepLayer' } },
    });
    // defect 30: a literal `key` in Metadata
    expect(template['Metadata']).not.toHaveProperty('key');
    expect(countedReadme('Child/F')).toMatchObject({
      path: 'AWS_SAM_CLI_README',
      text: expect.stringContaining('Child/F'),
    });
  });
});

const LAYER = { 'Fn::GetAtt': ['S', 'Outputs.L'] };

describe('defect 11: Layers of any form take one more', () => {
  const split = (layers: unknown): unknown => ({
    'Fn::Split': [',', { 'Fn::Join': [',', [{ 'Fn::Join': [',', layers] }, LAYER]] }],
  });
  test.each([
    ['none', undefined, [LAYER]],
    ['a list', ['arn:a', { Ref: 'B' }], ['arn:a', { Ref: 'B' }, LAYER]],
    ['an empty list', [], [LAYER]],
    ['AWS::NoValue', { Ref: 'AWS::NoValue' }, [LAYER]],
    ['a list parameter', { Ref: 'LayerList' }, split({ Ref: 'LayerList' })],
    ['Fn::Split', { 'Fn::Split': [',', 'a,b'] }, split({ 'Fn::Split': [',', 'a,b'] })],
    [
      'Fn::If',
      { 'Fn::If': ['Prod', ['arn:a'], { Ref: 'AWS::NoValue' }] },
      { 'Fn::If': ['Prod', ['arn:a', LAYER], [LAYER]] },
    ],
    [
      'Fn::If of a parameter',
      { 'Fn::If': ['Prod', { Ref: 'LayerList' }, []] },
      { 'Fn::If': ['Prod', split({ Ref: 'LayerList' }), [LAYER]] },
    ],
  ])('%s', (_what, layers, expected) => {
    expect(appendLayer(layers as never, LAYER)).toEqual(expected);
  });
});

describe('which functions have their dependencies apart', () => {
  const on = { dependencyLayer: true };
  test.each([
    ['python', {}, 'python', on, true],
    ['nodejs', {}, 'nodejs', on, true],
    ['the option off', {}, 'python', { dependencyLayer: false }, false],
    ['esbuild', {}, 'esbuild', on, false],
    ['makefile', {}, 'makefile', on, false],
    ['four layers', { Layers: ['1', '2', '3', '4'] }, 'python', on, true],
    ['five layers', { Layers: ['1', '2', '3', '4', '5'] }, 'python', on, false],
    ['layers that only CloudFormation knows', { Layers: { 'Fn::ImportValue': 'x' } }, 'python', on, true],
  ] as const)('%s: %s', (_what, properties, workflow, options, wanted) => {
    const resource = fakeFunction({ id: 'F', properties: properties as never });
    expect(planDependencyLayer(resource, workflow, options).wanted).toBe(wanted);
  });

  it('defect 11: says why a function with five layers has none of its own', () => {
    const resource = fakeFunction({ id: 'Child/F', properties: { Layers: ['1', '2', '3', '4', '5'] } });
    const { note } = planDependencyLayer(resource, 'python', on);
    expect(note).toMatchObject({ level: 'info', ids: ['Child/F'], text: expect.stringContaining('5 layers') });
  });
});
