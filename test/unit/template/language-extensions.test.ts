import { describe, expect, it } from 'vitest';
import { expandLoops, usesLanguageExtensions } from '../../../src/template/language-extensions.ts';
import type { ExpandedTemplate } from '../../../src/template/language-extensions.ts';
import { readParameters } from '../../../src/template/parameters.ts';
import { createScope } from '../../../src/template/resolve-template.ts';
import { parseTemplate, parseYaml } from '../../../src/template/yaml/yaml.ts';

const PARAMETERS = `
Parameters:
  Names: {Type: CommaDelimitedList, Default: 'One, Two'}
  None: {Type: CommaDelimitedList, Default: ''}
  Ssm: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /names}
Mappings:
  Sets: {all: {names: [A, B]}}
`;

function expand(sections: string, which: 'all' | 'local' = 'all'): ExpandedTemplate {
  const template = parseTemplate(`${PARAMETERS}\n${sections}`, 'f');
  const parameters = readParameters(template, { values: {} });
  const scope = createScope(template, { parameters, pseudoParameters: {}, includes: new Map() });
  return expandLoops(template, scope, which);
}

describe('usesLanguageExtensions', () => {
  it.each<[transform: string, option: boolean | undefined, result: boolean]>([
    ['AWS::LanguageExtensions', undefined, true],
    ['[AWS::LanguageExtensions, AWS::Serverless-2016-10-31]', undefined, true],
    ['[{Name: AWS::LanguageExtensions}]', undefined, true],
    ['AWS::Serverless-2016-10-31', undefined, false],
    ['~', undefined, false],
    ['AWS::LanguageExtensions', false, false],
    ['AWS::Serverless-2016-10-31', true, true],
  ])('%s with option %s: %s', (transform, option, result) => {
    expect(usesLanguageExtensions(parseTemplate(`Transform: ${transform}`, 'f'), option)).toBe(result);
  });
});

describe('expandLoops', () => {
  it.each<[what: string, loop: string, result: string]>([
    [
      'a list',
      "{'Fn::ForEach::L': [X, [A, B], {'T${X}': {Type: S, V: '${X}', R: !Ref X}}]}",
      '{TA: {Type: S, V: A, R: A}, TB: {Type: S, V: B, R: B}}',
    ],
    ['a parameter', "{'Fn::ForEach::L': [X, !Ref Names, {'T${X}': {Type: S}}]}", '{TOne: {Type: S}, TTwo: {Type: S}}'],
    ['an empty parameter', "{A: {Type: S}, 'Fn::ForEach::L': [X, !Ref None, {'T${X}': {Type: S}}]}", '{A: {Type: S}}'],
    [
      'a mapping',
      "{'Fn::ForEach::L': [X, !FindInMap [Sets, all, names], {'T${X}': {Type: S}}]}",
      '{TA: {Type: S}, TB: {Type: S}}',
    ],
    [
      'numbers and booleans',
      "{'Fn::ForEach::L': [X, [1, true], {'T${X}': {Type: S}}]}",
      '{T1: {Type: S}, Ttrue: {Type: S}}',
    ],
    [
      'what may not stand in an id',
      "{'Fn::ForEach::L': [X, [10.0.0.1], {'T&{X}': {Type: S, V: '${X}'}}]}",
      "{T10001: {Type: S, V: '10.0.0.1'}}",
    ],
    [
      'Fn::Sub',
      "{'Fn::ForEach::L': [X, [A], {'T${X}': {Type: S, V: !Sub '${X}-${Y}', W: !GetAtt 'T${X}.Arn'}}]}",
      "{TA: {Type: S, V: !Sub 'A-${Y}', W: !GetAtt TA.Arn}}",
    ],
    [
      'loops in loops',
      "{'Fn::ForEach::L': [X, [A, B], {'Fn::ForEach::M': [Y, [1, 2], {'T${X}${Y}': {Type: S}}]}]}",
      '{TA1: {Type: S}, TA2: {Type: S}, TB1: {Type: S}, TB2: {Type: S}}',
    ],
    [
      'a loop over values of the outer loop',
      "{'Fn::ForEach::L': [X, [A], {'Fn::ForEach::M': [Y, ['${X}1', '${X}2'], {'T${Y}': {Type: S}}]}]}",
      '{TA1: {Type: S}, TA2: {Type: S}}',
    ],
    [
      'properties',
      "{R: {Type: S, Properties: {A: 1, 'Fn::ForEach::P': [X, [B, C], {'${X}': 'v${X}'}]}}}",
      '{R: {Type: S, Properties: {A: 1, B: vB, C: vC}}}',
    ],
    [
      'properties in a loop',
      "{'Fn::ForEach::L': [X, [A], {'T${X}': {Type: S, Properties: {'Fn::ForEach::P': [Y, [B], {'${Y}': '${X}${Y}'}]}}}]}",
      '{TA: {Type: S, Properties: {B: AB}}}',
    ],
    [
      'text with a dollar',
      "{'Fn::ForEach::L': [X, ['$&'], {'T&{X}': {Type: S, V: '${X}'}}]}",
      "{T: {Type: S, V: '$&'}}",
    ],
    [
      'unknown values',
      "{'Fn::ForEach::L': [X, !Ref Ssm, {'T${X}': {Type: S}}]}",
      "{'Fn::ForEach::L': [X, !Ref Ssm, {'T${X}': {Type: S}}]}",
    ],
    [
      'a value from the cloud',
      "{'Fn::ForEach::L': [X, ['{{resolve:ssm:/x}}'], {'T${X}': {Type: S}}]}",
      "{'Fn::ForEach::L': [X, ['{{resolve:ssm:/x}}'], {'T${X}': {Type: S}}]}",
    ],
  ])('writes out loops over %s', (_what, loop, result) => {
    const expanded = expand(`Resources: ${loop}`);
    expect(expanded.template['Resources']).toEqual(parseYaml(result, 'f'));
    expect(expanded.problems).toEqual([]);
  });

  it.each(['Conditions', 'Outputs'])('knows loops in %s', (section) => {
    const { template } = expand(`${section}: {'Fn::ForEach::L': [X, [A], {'C\${X}': {Value: '\${X}'}}]}`);
    expect(template[section]).toEqual({ CA: { Value: 'A' } });
  });

  it('remembers where a resource was written', () => {
    const { origins } = expand(
      "Resources: {'Fn::ForEach::L': [X, [A], {'Fn::ForEach::M': [Y, [1], {'T${X}${Y}': {Type: S}}]}]}",
    );
    expect(origins.get('TA1')).toEqual(['Resources', 'Fn::ForEach::L', '2', 'Fn::ForEach::M', '2', 'TA${Y}']);
  });

  it.each<[string, string]>([
    ["{'Fn::ForEach::L': [X, [A]]}", 'Fn::ForEach::L must be a list of a name, its values and a mapping'],
    ["{'Fn::ForEach::L': {X: y}}", 'Fn::ForEach::L must be a list of a name, its values and a mapping'],
    ["{TA: {Type: S}, 'Fn::ForEach::L': [X, [A], {'T${X}': {Type: S}}]}", 'Fn::ForEach::L creates TA a second time'],
    [
      "{'Fn::ForEach::L': [X, !Ref Ssm, {'T${X}': {Type: AWS::Serverless::Function, Properties: {CodeUri: './${X}'}}}]}",
      'The values of Fn::ForEach::L are known only to CloudFormation, but its resources need local files. Write them as a list, or pass them in a CommaDelimitedList parameter',
    ],
  ])('complains about %s', (loop, message) => {
    expect(expand(`Resources: ${loop}`).problems).toEqual([{ path: ['Resources', 'Fn::ForEach::L'], message }]);
  });
});

const isExpanded = (body: string): boolean => {
  const { template } = expand(`Resources: {'Fn::ForEach::L': [X, [A], {'T\${X}': ${body}}]}`, 'local');
  return !JSON.stringify(template).includes('ForEach');
};

describe('loops with local files', () => {
  it.each<[body: string, expanded: boolean]>([
    ["{Type: AWS::Serverless::Function, Properties: {CodeUri: './${X}'}}", true],
    ['{Type: AWS::Serverless::Function, Properties: {CodeUri: ./same}}', true],
    ["{Type: AWS::Serverless::Function, Properties: {CodeUri: !Sub './${X}'}}", true],
    ['{Type: AWS::Serverless::Function, Properties: {Handler: a.b}}', true],
    ['{Type: AWS::Serverless::Function, Properties: {PackageType: Image}}', true],
    ['{Type: AWS::Serverless::Function, Properties: {InlineCode: x}}', false],
    ['{Type: AWS::Serverless::Function, Properties: {CodeUri: s3://b/k}}', false],
    ["{Type: AWS::Serverless::Function, Properties: {CodeUri: !Sub 's3://b/${X}'}}", false],
    ['{Type: AWS::Serverless::Function, Properties: {CodeUri: {Bucket: b, Key: k}}}', false],
    ['{Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}}}', false],
    ['{Type: AWS::Lambda::Function, Properties: {Code: ./x}}', true],
    ['{Type: AWS::Serverless::LayerVersion, Properties: {}}', true],
    ['{Type: AWS::Serverless::Api, Properties: {StageName: x}}', false],
    ["{Type: AWS::Serverless::Api, Properties: {DefinitionUri: './${X}.yaml'}}", true],
    [
      "{Type: AWS::Serverless::Api, Properties: {DefinitionBody: !Transform {Name: AWS::Include, Parameters: {Location: './${X}.yaml'}}}}",
      true,
    ],
    ["{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: !Sub 'https://b/${X}'}}", false],
    ["{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: './${X}.yaml'}}", true],
    ['{Type: AWS::SNS::Topic}', false],
  ])('%s: %s', (body, expanded) => {
    expect(isExpanded(body)).toBe(expanded);
  });

  it('writes out the loops in such a loop too, so that their names stay unique', () => {
    const { template } = expand(
      `Resources:
  Fn::ForEach::L:
    - X
    - [A, B]
    - F\${X}: {Type: AWS::Serverless::Function, Properties: {CodeUri: './\${X}'}}
      Fn::ForEach::M: [Y, [1], {'T\${X}\${Y}': {Type: AWS::SNS::Topic}}]
  Fn::ForEach::Other: [Z, [C], {'O\${Z}': {Type: AWS::SNS::Topic}}]`,
      'local',
    );
    expect(Object.keys(template['Resources'] as object)).toEqual(['FA', 'TA1', 'FB', 'TB1', 'Fn::ForEach::Other']);
  });

  it('leaves a template without such loops the same object', () => {
    const template = parseTemplate("Resources: {'Fn::ForEach::L': [X, [A], {'T${X}': {Type: S}}]}", 'f');
    const parameters = readParameters(template, { values: {} });
    const scope = createScope(template, { parameters, pseudoParameters: {}, includes: new Map() });
    expect(expandLoops(template, scope, 'local').template).toEqual(template);
  });
});
