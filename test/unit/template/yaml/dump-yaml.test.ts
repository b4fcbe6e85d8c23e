import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceNumber } from '../../../../src/template/template.ts';
import type { TemplateValue } from '../../../../src/template/template.ts';
import { dumpYaml, parseYaml } from '../../../../src/template/yaml/yaml.ts';
import { loadWithPyYaml } from '../../../support/python-yaml.ts';
import { asPython } from '../../../support/template-values.ts';

describe('dumpYaml', () => {
  it('writes a template as people do', () => {
    const template: TemplateValue = {
      AWSTemplateFormatVersion: '2010-09-09',
      Transform: 'AWS::Serverless-2016-10-31',
      Resources: {
        Hello: {
          Type: 'AWS::Serverless::Function',
          Properties: {
            CodeUri: './src',
            Role: { 'Fn::Sub': 'arn:${AWS::Partition}:iam::012345678901:role/x' },
            Layers: [{ Ref: 'Layer' }, { 'Fn::GetAtt': ['A', 'Arn'] }],
            InlineCode: 'def handler(event, context):\n    return 1\n',
            Tags: {},
            Events: [],
          },
        },
      },
    };
    expect(dumpYaml(template)).toBe(`AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./src
      Role:
        Fn::Sub: arn:\${AWS::Partition}:iam::012345678901:role/x
      Layers:
      - Ref: Layer
      - Fn::GetAtt:
        - A
        - Arn
      InlineCode: |
        def handler(event, context):
            return 1
      Tags: {}
      Events: []
`);
  });

  it.each<[TemplateValue, string]>([
    ['2010-09-09', "'2010-09-09'"],
    ['012345678901', "'012345678901'"],
    ['yes', "'yes'"],
    ['Y', "'Y'"],
    ['1e3', "'1e3'"],
    ['0o17', "'0o17'"],
    ['.5', "'.5'"],
    ['=', "'='"],
    ['<<', "'<<'"],
    ['', "''"],
    [' a', "' a'"],
    ['a: b', "'a: b'"],
    ['a #b', "'a #b'"],
    ["it's", "it's"],
    ["'quoted'", "'''quoted'''"],
    ['- a', "'- a'"],
    ['---', "'---'"],
    ['null', "'null'"],
    ['tab\there', '"tab\\there"'],
    ['caf\u00E9', "'caf\u00E9'"],
    ['\u{1F600}', '"\\U0001F600"'],
    ['line\u2028separator', '"line\\u2028separator"'],
    [new SourceNumber(2, '2.0'), '2.0'],
    [new SourceNumber(8, '010'), '010'],
    [new SourceNumber(750, '12:30'), '12:30'],
    [new SourceNumber(1000, '1e3'), '1.0e+3'],
    [1e21, '1.0e+21'],
    [true, 'true'],
    [null, 'null'],
    ['a\nb', '|-\n  a\n  b'],
    ['a\nb\n', '|\n  a\n  b'],
    ['a\n\n', '|+\n  a\n'],
    [' a\nb', '" a\\nb"'],
    ['a \n', '"a \\n"'],
  ])('writes %j', (value, text) => {
    expect(dumpYaml({ k: value })).toBe(`k: ${text}\n`);
  });

  it('never folds a line', () => {
    const long = 'word '.repeat(400).trim();
    expect(dumpYaml({ k: long })).toBe(`k: ${long}\n`);
  });

  it('writes what is used twice twice', () => {
    const shared = { a: 1 };
    expect(dumpYaml({ one: shared, two: shared })).toBe('one:\n  a: 1\ntwo:\n  a: 1\n');
  });

  it('writes keys longer than a simple key may be', () => {
    const key = 'k'.repeat(2000);
    const value = { [key]: { a: [1] }, b: 2 };
    expect(parseYaml(dumpYaml(value), 'f')).toEqual(value);
  });

  it('is read back by us and by PyYAML as it was', async () => {
    const values = fc.sample(templateValues(), 400).map((value) => ({ k: value, z: 1 }));
    const texts = values.map((value) => dumpYaml(value));
    const read = await loadWithPyYaml(texts);
    for (const [index, value] of values.entries()) {
      expect(asPython(parseYaml(texts[index] ?? '', 'f')), texts[index]).toEqual(asPython(value));
      expect(read[index], texts[index]).toEqual(asPython(value));
    }
  });
});

/** Values with the texts that go wrong most easily. */
function templateValues(): fc.Arbitrary<TemplateValue> {
  const odd = [
    'yes',
    'Off',
    '~',
    'null',
    '=',
    '<<',
    '010',
    '0x1F',
    '12:30',
    '1_000',
    '1e3',
    '2010-09-09',
    '.inf',
    '-',
    '?',
    ':',
    '---',
    '...',
    '- a',
    '? a',
    'a:',
    'a: b',
    ': a',
    '# a',
    'a #b',
    '!a',
    '&a',
    '*a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    "'",
    '"',
    '{a',
    '[a',
    'a]',
    ',a',
    '\\n',
    'a\n',
    '\na',
    'a\n b',
    'a\n\n',
    '\n',
    ' ',
    'a\r\nb',
    'a\tb',
    '\ta\nb',
  ];
  const text = fc.oneof(
    fc.constantFrom(...odd),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary-ascii' }),
    fc.array(fc.constantFrom(...odd, 'word', ' ', '\n', '  '), { maxLength: 6 }).map((parts) => parts.join('')),
  );
  const numbers = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom('2.0', '010', '12:30', '1_000', '9007199254740993').map((source) => {
      const parsed = parseYaml(`k: ${source}`, 'f') as { k: TemplateValue };
      return parsed.k;
    }),
  );
  const key = text.filter((value) => value !== '__proto__');
  const { value } = fc.letrec<{ value: TemplateValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      text,
      numbers,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ) as fc.Arbitrary<TemplateValue>,
  }));
  return value;
}
