import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../../src/errors.ts';
import type { TemplateValue } from '../../../../src/template/template.ts';
import { SourceNumber } from '../../../../src/template/template.ts';
import { parseJson } from '../../../../src/template/json.ts';
import { parseTemplate, parseYaml } from '../../../../src/template/yaml/yaml.ts';
import { loadWithPyYaml } from '../../../support/python-yaml.ts';
import { mutatedDocuments, SHAPES } from '../../../support/yaml-corpus.ts';
import { asPython } from '../../../support/template-values.ts';

const number = (value: number, source: string): SourceNumber => new SourceNumber(value, source);

/** What a plain scalar is; PyYAML must say the same. */
const SCALARS: [text: string, value: TemplateValue][] = [
  ['yes', true],
  ['Yes', true],
  ['YES', true],
  ['yES', 'yES'],
  ['no', false],
  ['on', true],
  ['On', true],
  ['Off', false],
  ['y', 'y'],
  ['N', 'N'],
  ['true', true],
  ['True', true],
  ['tRue', 'tRue'],
  ['FALSE', false],
  ['~', null],
  ['null', null],
  ['Null', null],
  ['NULL', null],
  ['nULL', 'nULL'],
  ['none', 'none'],
  ['0', 0],
  ['-0', number(-0, '-0')],
  ['12', 12],
  ['-5', -5],
  ['+12', number(12, '+12')],
  ['010', number(8, '010')],
  ['00', number(0, '00')],
  ['08', '08'],
  ['0o10', '0o10'],
  ['0x1F', number(31, '0x1F')],
  ['0x_1', number(1, '0x_1')],
  ['0xg', '0xg'],
  ['0b101', number(5, '0b101')],
  ['1_000', number(1000, '1_000')],
  ['_1', '_1'],
  ['12:30', number(750, '12:30')],
  ['12:30:45', number(45045, '12:30:45')],
  ['-12:30', number(-750, '-12:30')],
  ['1:60', '1:60'],
  ['0:0', '0:0'],
  ['190:20:30.15', number(685230.15, '190:20:30.15')],
  ['2.0', number(2, '2.0')],
  ['1.5', 1.5],
  ['1.', number(1, '1.')],
  ['.5', number(0.5, '.5')],
  ['-.5', '-.5'],
  ['1e3', '1e3'],
  ['1E+3', '1E+3'],
  ['1.5e3', '1.5e3'],
  ['1.5e+3', number(1500, '1.5e+3')],
  ['1.e+3', number(1000, '1.e+3')],
  ['685_230.15', number(685230.15, '685_230.15')],
  ['.inf', number(Number.POSITIVE_INFINITY, '.inf')],
  ['-.Inf', number(Number.NEGATIVE_INFINITY, '-.Inf')],
  ['.NaN', number(Number.NaN, '.NaN')],
  ['nan', 'nan'],
  ['123456789012', 123456789012],
  ['012345678901', '012345678901'],
  ['012345670123', number(1402433619, '012345670123')],
  ['9007199254740993', number(9007199254740992, '9007199254740993')],
  ['2010-09-09', '2010-09-09'],
  ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00'],
  ['10.0.0.0/16', '10.0.0.0/16'],
  ['1.2.3', '1.2.3'],
  ['nodejs22.x', 'nodejs22.x'],
  ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket'],
  ['"10"', '10'],
  ["'yes'", 'yes'],
  ['!!str 12', '12'],
  ['!!int "12"', 12],
  ['!!float 3', 3],
  ['!!bool "no"', false],
  ['', null],
];

/** Whole texts; PyYAML must say the same of these too. */
const TEXTS: [name: string, text: string, value: TemplateValue][] = [
  ['Ref', 'a: !Ref B', { a: { Ref: 'B' } }],
  ['the argument of a tag is text', 'a: !Ref 010\nb: !Sub yes', { a: { Ref: '010' }, b: { 'Fn::Sub': 'yes' } }],
  ['Condition', 'a: !Condition C', { a: { Condition: 'C' } }],
  ['GetAtt splits at the first dot', 'a: !GetAtt S.Outputs.X', { a: { 'Fn::GetAtt': ['S', 'Outputs.X'] } }],
  ['GetAtt as a list', 'a: !GetAtt [S, Arn]', { a: { 'Fn::GetAtt': ['S', 'Arn'] } }],
  [
    'tags in tags',
    'a: !Join\n  - ","\n  - - x\n    - !Ref Y\n    - !GetAtt Z.Arn',
    { a: { 'Fn::Join': [',', ['x', { Ref: 'Y' }, { 'Fn::GetAtt': ['Z', 'Arn'] }]] } },
  ],
  ['flow style', 'a: !If [C, 010, !Ref B]', { a: { 'Fn::If': ['C', number(8, '010'), { Ref: 'B' }] } }],
  [
    'a tag on a mapping',
    'a: !Transform {Name: M, P: !Ref X}',
    { a: { 'Fn::Transform': { Name: 'M', P: { Ref: 'X' } } } },
  ],
  ['a tag before a long form', 'a: !Base64\n  Fn::Sub: x', { a: { 'Fn::Base64': { 'Fn::Sub': 'x' } } }],
  ['a tag of tomorrow', 'a: !Tomorrow x', { a: { 'Fn::Tomorrow': 'x' } }],
  ['a tag without a value', 'a: !Ref', { a: { Ref: '' } }],
  ['keys are what is written', 'On: 1\n200: 2\n010: 3\n~: 4', { On: 1, '200': 2, '010': 3, '~': 4 }],
  ['keys of a short tag', 'a: !Foo {1: x}', { a: { 'Fn::Foo': { '1': 'x' } } }],
  ['the last of equal keys', 'a: 1\na: 2', { a: 2 }],
  ['an alias', 'a: &x {b: 1}\nc: *x', { a: { b: 1 }, c: { b: 1 } }],
  ['a merge', 'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3', { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } }],
  [
    'a merge of several: the first wins',
    'x: &x {b: 1, c: 2}\ny: &y {b: 5, e: 1}\nd:\n  <<: [*x, *y]',
    { x: { b: 1, c: 2 }, y: { b: 5, e: 1 }, d: { b: 1, e: 1, c: 2 } },
  ],
  [
    'two merges: the last wins',
    'x: &x {b: 1}\ny: &y {b: 5}\nd:\n  <<: *x\n  <<: *y',
    { x: { b: 1 }, y: { b: 5 }, d: { b: 5 } },
  ],
  ['a merge in a tag', 'x: &x {b: 1}\nd: !Foo\n  <<: *x', { x: { b: 1 }, d: { 'Fn::Foo': { b: 1 } } }],
  ['a literal block', 'a: !Sub |\n  x ${B}\n   y\n\nb: 1', { a: { 'Fn::Sub': 'x ${B}\n y\n' }, b: 1 }],
  ['a literal block at the end without a line break', 'a: |\n  x\n  y', { a: 'x\ny' }],
  ['a folded block', 'a: >-\n  x\n  y\n', { a: 'x y' }],
  ['a text over two lines', "a: 'x\n  y'", { a: 'x y' }],
  ['Windows line ends', 'a: 1\r\nb:\r\n  - x\r\n', { a: 1, b: ['x'] }],
  ['a comment and a document start', '# hi\n---\na: 1\n', { a: 1 }],
];

const REFUSED = 'refused';

function orRefused(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'error' in value ? REFUSED : value;
}

function readOrRefuse(text: string): unknown {
  try {
    return asPython(parseYaml(text, 'f'));
  } catch (error) {
    // with its place, or it is a defect
    expect(error).toBeInstanceOf(TemplateError);
    expect((error as TemplateError).message).toMatch(/^f:\d+:\d+: /);
    return REFUSED;
  }
}

describe('parseYaml', () => {
  it.each(SCALARS)('reads %s', (text, value) => {
    expect(parseYaml(`k: ${text}`, 'f')).toEqual({ k: value });
  });

  it.each(TEXTS)('reads %s', (_name, text, value) => {
    expect(parseYaml(text, 'f')).toEqual(value);
  });

  it('agrees with PyYAML on all of them', async () => {
    const texts = [...SCALARS.map(([text]) => `k: ${text}`), ...TEXTS.map(([, text]) => text)];
    const values = await loadWithPyYaml(texts);
    const ours = [...SCALARS.map(([, value]) => ({ k: value })), ...TEXTS.map(([, , value]) => value)];
    for (const [index, text] of texts.entries()) {
      expect(values[index], text).toEqual(asPython(ours[index] as TemplateValue));
    }
  });

  it('reads any document as PyYAML does, or refuses it as PyYAML does', async () => {
    const texts = [...SHAPES, ...mutatedDocuments(1000, 12)].filter((text) => parseJson(text) === undefined);
    const values = await loadWithPyYaml(texts);
    for (const [index, text] of texts.entries()) expect(readOrRefuse(text), text).toEqual(orRefused(values[index]));
    expect(values.filter((value) => orRefused(value) !== REFUSED).length).toBeGreaterThan(300);
  });

  it('keeps key order where JavaScript can', () => {
    expect(Object.keys(parseTemplate('b: 1\na: 2\nc: 3', 'f'))).toEqual(['b', 'a', 'c']);
  });

  it('takes __proto__ for a key like any other', () => {
    const value = parseTemplate('__proto__: {x: 1}', 'f');
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect((value as { x?: unknown }).x).toBeUndefined();
  });

  it('skips a byte order mark', () => {
    expect(parseYaml('\u{FEFF}a: 1', 'f')).toEqual({ a: 1 });
    expect(parseYaml('\u{FEFF}{"a": 1}', 'f')).toEqual({ a: 1 });
  });
});

describe('JSON', () => {
  it.each<[string, TemplateValue]>([
    ['{"a": [1, true, null, "x"]}', { a: [1, true, null, 'x'] }],
    ['{"a": "yes", "b": "2.0"}', { a: 'yes', b: '2.0' }],
    ['{"a": 2.0, "b": 1e3}', { a: number(2, '2.0'), b: number(1000, '1e3') }],
    ['{"a": 12345678901234567890}', { a: number(12345678901234567000, '12345678901234567890') }],
    ['{"a": "\\"2.0\\" 3.0", "b": 3.0}', { a: '"2.0" 3.0', b: number(3, '3.0') }],
    ['{"a": 1, "a": 2}', { a: 2 }],
    ['{"a": {"Ref": "B"}}', { a: { Ref: 'B' } }],
    ['{\n\t"a": 1\n}', { a: 1 }],
    // not JSON, but YAML that looks like it
    ['{"a": yes, "b": 010,}', { a: true, b: number(8, '010') }],
  ])('reads %s', (text, value) => {
    expect(parseYaml(text, 'f')).toEqual(value);
  });
});

describe('mistakes', () => {
  it.each<[string, string, RegExp]>([
    ['nothing', '', /^f: A template is a mapping .* is empty$/],
    ['comments only', '# x\n', /is empty$/],
    ['a list', '- a', /is a list$/],
    ['a text', 'hello', /is a single value$/],
    ['bad indentation', 'a:\n  b: 1\n c: 2', /^f:3:2: Invalid YAML: /],
    ['a tab', 'a:\n\tb: 1', /^f:2:1: Invalid YAML: /],
    ['an open bracket', 'a: [1, 2', /^f:1:4: Invalid YAML: this \[ is never closed/],
    ['an unknown alias', 'a: 1\nb: *x', /^f:2:4: Invalid YAML: there is no anchor &x before this alias/],
    ['an alias in itself', 'a: &x\n  b: *x', /^f:2:6: .*&x/],
    ['a merge of a text', 'a:\n  <<: x', /^f:2:7: .*merge key/],
    ['a list as a key', '[a]: 1', /^f:1:1: .*key of a mapping/],
    ['two documents', 'a: 1\n---\nb: 2', /^f:2:1: .*one document/],
    ['binary data that is not base64', 'a: !!binary aGk', /^f:1:4: .*!!binary/],
    ['a set', 'a: !!set {b, c}', /^f:1:4: .*!!set/],
    ['an anchor twice', 'a: &x 1\nb: &x 2', /^f:2:4: .*duplicate anchor &x/],
    ['a default value', 'a: =', /^f:1:4: .*put it in quotes/],
    ['a colon in a text', 'a: b: c', /^f:1:5: .*put the text in quotes/],
    ['an open quote', 'a: 1\nb: "c\n', /^f:2:4: .*never closed/],
    ['not a number', 'a: !!int x', /^f:1:4: .*!!int x/],
    ['a tag of another language', 'a: !!python/object x', /^f:1:4: .*!!python\/object/],
    ['a comma too few in JSON', '{\n  "a": 1\n  "b": 2\n}', /^f:3:\d+: Invalid YAML: /],
  ])('says where %s is', (_name, text, message) => {
    expect(() => parseTemplate(text, 'f')).toThrow(TemplateError);
    expect(() => parseTemplate(text, 'f')).toThrow(message);
  });

  it('refuses aliases that make a small text huge', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      const previous = `*a${level - 1}`;
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => previous).join(', ')}]`);
    }
    expect(() => parseTemplate(lines.join('\n'), 'f')).toThrow(/^f:\d+:\d+: Aliases expand this file by more than/);
  });
});
