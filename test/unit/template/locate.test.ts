import { describe, expect, it } from 'vitest';
import { createLocator } from '../../../src/template/locate.ts';

const TEXT = `# a comment
Globals:
  Function:
    CodeUri: ./all
Resources:
  A:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./a
      Layers:
        - !Ref L
        - one: 1
          two: !Sub x
      Uri: !If [C, ./x, ./y]
      Long:
        Fn::If: [C, ./x, ./y]
  "B": {Type: T, Properties: {Code: ./b}}
  A2: &anchor
    Type: T
  A3: *anchor
  C:
    Type: first
  C:
    Type: second
`;

describe('locate', () => {
  it.each<[path: string, place: string]>([
    ['Resources.A.Properties.CodeUri', '9:7'],
    ['Resources.A.Properties', '8:5'],
    ['Resources.A.Properties.Layers.0', '11:11'],
    ['Resources.A.Properties.Layers.1.two', '13:11'],
    ['Resources.A.Properties.Uri.Fn::If.2', '14:25'],
    ['Resources.A.Properties.Long.Fn::If.1', '16:21'],
    ['Resources.B.Properties.Code', '17:31'],
    ['Globals.Function.CodeUri', '4:5'],
    // not written there: the nearest around it
    ['Resources.A.Properties.Handler', '8:5'],
    ['Resources.A2.Properties.Handler', '18:3'],
    ['Resources.A3.Type', '20:3'],
    ['Nothing.At.All', '2:1'],
    // of two the last one counts
    ['Resources.C.Type', '24:5'],
  ])('%s is at %s', (path, place) => {
    const position = createLocator(TEXT)(path.split('.'));
    expect(`${position?.line}:${position?.column}`).toBe(place);
  });

  it('knows JSON', () => {
    const text = '{\n  "Resources": {\n\t"A": {"Type": "T"}\n  }\n}';
    expect(createLocator(text)(['Resources', 'A', 'Type'])).toEqual({ line: 3, column: 8 });
  });

  it('knows Windows line ends', () => {
    expect(createLocator('a: 1\r\nb:\r\n  c: 2\r\n')(['b', 'c'])).toEqual({ line: 3, column: 3 });
  });

  it('knows nothing about a text that is no YAML', () => {
    expect(createLocator('a: [')(['a'])).toBeUndefined();
  });
});
