import { describe, expect, it } from 'vitest';
import { compareTemplates, describeDifference } from '../../../src/deploy/compare-templates.ts';
import { parseTemplate } from '../../../src/template/yaml/yaml.ts';

const BASE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild }
    Properties:
      Handler: app.handler
      MemorySize: 128
      Tracing: true
      Layers: [!Ref Layer]
      Role: !GetAtt Role.Arn
Outputs:
  Url: { Value: !Sub 'https://\${Api}' }
`;

function differences(before: string, after: string): string[] {
  return compareTemplates(parseTemplate(before, 'before'), parseTemplate(after, 'after')).map(describeDifference);
}

describe('means the same', () => {
  it.each<[string, string]>([
    ['the same text', BASE],
    ['comments and blank lines', BASE.replace('Resources:', '# note\n\nResources:')],
    [
      'order of keys',
      BASE.replace('      Handler: app.handler\n', '').replace(
        '      Tracing',
        '      Handler: app.handler\n      Tracing',
      ),
    ],
    ['numbers and booleans as text', BASE.replace('128', "'128'").replace('Tracing: true', "Tracing: 'true'")],
    ['another spelling of a number', BASE.replace('128', '128.0')],
    [
      'long forms of tags',
      BASE.replace('!Ref Layer', '{ Ref: Layer }').replace('!GetAtt Role.Arn', '{ Fn::GetAtt: [Role, Arn] }'),
    ],
    ['GetAtt with a dot', BASE.replace('!GetAtt Role.Arn', '{ Fn::GetAtt: Role.Arn }')],
    ['JSON', JSON.stringify(parseTemplate(BASE, 'base'))],
    ["the peer's SamResourceId", BASE.replace('BuildMethod: esbuild', 'BuildMethod: esbuild, SamResourceId: Fn')],
  ])('%s', (_name, after) => expect(differences(BASE, after)).toEqual([]));

  it("the peer's SamResourceId as the only metadata", () => {
    const bare = BASE.replace('    Metadata: { BuildMethod: esbuild }\n', '');
    const stamped = BASE.replace('BuildMethod: esbuild', 'SamResourceId: Fn');
    expect(differences(bare, stamped)).toEqual([]);
    expect(differences(stamped, bare)).toEqual([]);
  });
});

describe('differs', () => {
  it.each<[string, string, string[]]>([
    ['a property', BASE.replace('128', '256'), ['Fn: MemorySize changed']],
    ['a new property', BASE.replace('Tracing: true', 'Tracing: true\n      Timeout: 3'), ['Fn: Timeout was added']],
    ['a property that was removed', BASE.replace('      Tracing: true\n', ''), ['Fn: Tracing was removed']],
    ['an item of a list', BASE.replace('!Ref Layer', '!Ref Other'), ['Fn: Layers.0.Ref changed']],
    ['the length of a list', BASE.replace('[!Ref Layer]', '[]'), ['Fn: Layers changed']],
    ['a scalar instead of a list', BASE.replace('[!Ref Layer]', 'Layer'), ['Fn: Layers changed']],
    ['the type', BASE.replace('Serverless::Function', 'Lambda::Function'), ['Fn: Type changed']],
    ['metadata', BASE.replace('esbuild', 'makefile'), ['Fn: Metadata.BuildMethod changed']],
    ['a new resource', BASE.replace('Outputs:', '  Topic: { Type: AWS::SNS::Topic }\nOutputs:'), ['Topic was added']],
    ['an output', BASE.replace('https', 'http'), ['output Url: Value.Fn::Sub changed']],
    ['a section', BASE.replace(/Outputs:[^]*/, ''), ['section Outputs was removed']],
    ['a description', `Description: New\n${BASE}`, ['section Description was added']],
    ['text that looks like another number', BASE.replace('128', "'0128'"), ['Fn: MemorySize changed']],
    ['null against nothing', BASE.replace('Tracing: true', 'Tracing:'), ['Fn: Tracing changed']],
  ])('%s', (_name, after, expected) => expect(differences(BASE, after)).toEqual(expected));
});
