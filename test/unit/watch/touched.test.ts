import { describe, expect, it } from 'vitest';
import { compareTemplates } from '../../../src/deploy/compare-templates.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';
import { neededBy, touchedByUpdate } from '../../../src/watch/work/touched.ts';

const BEFORE = `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Timeout: 3}}
Parameters: {Size: {Type: Number, Default: 128}, Other: {Type: String}}
Mappings: {Sizes: {a: {b: 1}}}
Conditions: {Big: !Equals [!Ref Size, 1024]}
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: a, MemorySize: !Ref Size}}
  B: {Type: AWS::Serverless::Function, Properties: {CodeUri: b, Layers: [!Ref L], Events: {Get: {Type: HttpApi, Properties: {Path: /b, Method: get}}}}}
  C: {Type: AWS::Lambda::Function, Properties: {Code: c, Environment: {Variables: {T: !Sub "\${Table.Arn}/x", N: !Sub ["\${v}", {v: !GetAtt Q.Arn}]}}}}
  D: {Type: AWS::Lambda::Function, Condition: Big, Properties: {Code: d}}
  E: {Type: AWS::Lambda::Function, DependsOn: [C], Properties: {Code: !FindInMap [Sizes, a, b], X: "\${!Table}"}}
  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: l}}
  Table: {Type: AWS::DynamoDB::Table, Properties: {}}
  Q: {Type: AWS::SQS::Queue, Properties: {}}
  Child: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Q: !Ref Q}}}
Outputs: {O: {Value: x}}
`;
const IDS = ['A', 'B', 'C', 'D', 'E', 'L', 'Child/F', 'Child/Grand/G', 'ServerlessHttpApi'];

function touched(from: string, to: string): string {
  expect(BEFORE).toContain(from);
  const before = parseTemplate(BEFORE, 'before');
  const after = parseTemplate(BEFORE.replace(from, to), 'after');
  return IDS.filter(touchedByUpdate(compareTemplates(before, after), after)).join(' ');
}

describe('what an update may change', () => {
  it.each([
    ['the function itself', 'CodeUri: a', 'CodeUri: z', 'A'],
    ['a layer and the functions that refer to it', 'ContentUri: l', 'ContentUri: m', 'B L ServerlessHttpApi'],
    ['an event: also its API', 'Path: /b', 'Path: /c', 'B ServerlessHttpApi'],
    ['code of a function with events: not its API', 'CodeUri: b', 'CodeUri: z', 'B'],
    [
      'a table: who mentions it in Sub, who depends on that',
      'Table, Properties: {}',
      'Table, Properties: {a: 1}',
      'C E',
    ],
    [
      'a queue: also a nested stack that gets it',
      'Queue, Properties: {}',
      'Queue, Properties: {a: 1}',
      'C E Child/F Child/Grand/G',
    ],
    ['a parameter, also through a condition', 'Default: 128', 'Default: 256', 'A D'],
    ['a mapping', '{a: {b: 1}}', '{a: {b: 2}}', 'E'],
    ['a condition', '1024', '2048', 'D'],
    ['Globals: everything that SAM makes', 'Timeout: 3', 'Timeout: 4', 'A B L Child/F Child/Grand/G ServerlessHttpApi'],
    ['a nested template', 'child.yaml', 'other.yaml', 'Child/F Child/Grand/G'],
    ['an output: nothing', 'Value: x', 'Value: y', ''],
    ['a new resource', 'Outputs:', '  N: {Type: AWS::Lambda::Function}\nOutputs:', ''],
    ['the transform: anything', 'AWS::Serverless-2016-10-31', 'Other', IDS.join(' ')],
  ])('%s', (_name, from, to, expected) => expect(touched(from, to)).toBe(expected));

  it('what a resource needs: itself and all it refers to', () => {
    expect([...neededBy(['E'], parseTemplate(BEFORE, 'x'))].sort()).toEqual(['C', 'E', 'Q', 'Table']);
  });
});
