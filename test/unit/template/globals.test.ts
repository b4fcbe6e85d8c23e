import { describe, expect, it } from 'vitest';
import { mergeGlobals } from '../../../src/template/globals.ts';
import { mapOf } from '../../../src/template/template.ts';
import { parseTemplate, parseYaml } from '../../../src/template/yaml/yaml.ts';

/** Properties of a resource `R` with the given Globals. */
function merged(globals: string, resource: string): unknown {
  const template = parseTemplate(`Globals: ${globals}\nResources:\n  R: ${resource}`, 'f');
  return mapOf(mapOf(mergeGlobals(template)['Resources'])['R'])['Properties'];
}

const FUNCTION = 'Type: AWS::Serverless::Function';

describe('mergeGlobals', () => {
  it.each<[what: string, globals: string, resource: string, properties: string]>([
    ['adds', '{Function: {Timeout: 5}}', `{${FUNCTION}, Properties: {Handler: a}}`, '{Timeout: 5, Handler: a}'],
    ['adds without Properties', '{Function: {Timeout: 5}}', `{${FUNCTION}}`, '{Timeout: 5}'],
    ['lets the resource win', '{Function: {Timeout: 5}}', `{${FUNCTION}, Properties: {Timeout: 9}}`, '{Timeout: 9}'],
    [
      'merges mappings at any depth',
      '{Function: {Environment: {Variables: {A: 1, B: 2}}}}',
      `{${FUNCTION}, Properties: {Environment: {Variables: {B: 3, C: 4}}}}`,
      '{Environment: {Variables: {A: 1, B: 3, C: 4}}}',
    ],
    [
      'joins lists, its own first',
      '{Function: {Layers: [!Ref L1]}}',
      `{${FUNCTION}, Properties: {Layers: [!Ref L2]}}`,
      '{Layers: [!Ref L1, !Ref L2]}',
    ],
    [
      'does not merge into an intrinsic function',
      '{Function: {Tags: {a: b}}}',
      `{${FUNCTION}, Properties: {Tags: !If [C, {c: d}, {e: f}]}}`,
      '{Tags: !If [C, {c: d}, {e: f}]}',
    ],
    [
      'lets the resource win where kinds differ',
      '{Function: {CodeUri: s3://a/b}}',
      `{${FUNCTION}, Properties: {CodeUri: {Bucket: x, Key: y}}}`,
      '{CodeUri: {Bucket: x, Key: y}}',
    ],
    [
      'replaces architectures',
      '{Function: {Architectures: [x86_64]}}',
      `{${FUNCTION}, Properties: {Architectures: [arm64]}}`,
      '{Architectures: [arm64]}',
    ],
    [
      'replaces architectures of capacity providers',
      '{CapacityProvider: {InstanceRequirements: {Architectures: [x86_64], AllowedTypes: [a]}}}',
      '{Type: AWS::Serverless::CapacityProvider, Properties: {InstanceRequirements: {Architectures: [arm64], AllowedTypes: [b]}}}',
      '{InstanceRequirements: {Architectures: [arm64], AllowedTypes: [a, b]}}',
    ],
    [
      'keeps only the own tags that a capacity provider manages',
      '{CapacityProvider: {ManagedResourceTags: {a: {x: 1}, b: {y: 1}}}}',
      '{Type: AWS::Serverless::CapacityProvider, Properties: {ManagedResourceTags: {a: {z: 2}}}}',
      '{ManagedResourceTags: {a: {x: 1, z: 2}}}',
    ],
    ['ignores all', '{Function: {Timeout: 5}}', `{${FUNCTION}, IgnoreGlobals: "*", Properties: {A: b}}`, '{A: b}'],
    [
      'ignores what is named',
      '{Function: {Timeout: 5, MemorySize: 128}}',
      `{${FUNCTION}, IgnoreGlobals: [Timeout], Properties: {A: b}}`,
      '{MemorySize: 128, A: b}',
    ],
    [
      'knows Api',
      '{Api: {Auth: {A: 1}}}',
      '{Type: AWS::Serverless::Api, Properties: {Auth: {B: 2}}}',
      '{Auth: {A: 1, B: 2}}',
    ],
    ['knows HttpApi', '{HttpApi: {Tags: {a: b}}}', '{Type: AWS::Serverless::HttpApi}', '{Tags: {a: b}}'],
    [
      'knows StateMachine',
      '{StateMachine: {PropagateTags: true}}',
      '{Type: AWS::Serverless::StateMachine}',
      '{PropagateTags: true}',
    ],
    [
      'knows LayerVersion',
      '{LayerVersion: {PublishLambdaVersion: true}}',
      '{Type: AWS::Serverless::LayerVersion}',
      '{PublishLambdaVersion: true}',
    ],
    [
      'knows SimpleTable',
      '{SimpleTable: {SSESpecification: {a: b}}}',
      '{Type: AWS::Serverless::SimpleTable}',
      '{SSESpecification: {a: b}}',
    ],
    ['knows WebSocketApi', '{WebSocketApi: {Tags: {a: b}}}', '{Type: AWS::Serverless::WebSocketApi}', '{Tags: {a: b}}'],
    ['leaves other types', '{Function: {Timeout: 5}}', '{Type: AWS::Lambda::Function, Properties: {A: b}}', '{A: b}'],
    [
      'leaves inherited names',
      '{Function: {Environment: {A: 1}}}',
      `{${FUNCTION}, Properties: {Environment: {constructor: 2}}}`,
      '{Environment: {A: 1, constructor: 2}}',
    ],
    ['survives nonsense', '{Function: text}', `{${FUNCTION}, Properties: {A: b}}`, '{A: b}'],
  ])('%s', (_what, globals, resource, properties) => {
    expect(merged(globals, resource)).toEqual(parseYaml(properties, 'f'));
  });

  it('takes the section away and changes nothing in the original', () => {
    const template = parseTemplate(`Globals: {Function: {Timeout: 5}}\nResources: {R: {${FUNCTION}}}`, 'f');
    const before = structuredClone(template);
    expect(mergeGlobals(template)).toEqual({
      Resources: { R: { Type: 'AWS::Serverless::Function', Properties: { Timeout: 5 } } },
    });
    expect(template).toEqual(before);
  });
});
